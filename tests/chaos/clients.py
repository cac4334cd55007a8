"""Clients that note of every request whether it was acknowledged, refused, or nobody knows.

Each starts cases of `PROCESS` and does their tasks as people would: what was refused is tried again, and so is a
completion of which nobody knows whether it happened. A start of which nobody knows is left alone: the ledger looks for
its plate.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.chaos.errors import Stuck
from tests.diagrams import chain, diagram, end, flow, gateway, node, start, timer, user

#: Two tasks one after the other, and beside them a timer; the case ends when all has been done.
PROCESS = diagram(
    start(),
    gateway("parallel", "fork"),
    user("first"),
    user("second"),
    node("intermediateCatchEvent", "wait", timer("Duration", "PT1S")),
    gateway("parallel", "join"),
    end(),
    chain("start", "fork", "first", "second", "join", "end"),
    flow("fork", "wait"),
    flow("wait", "join"),
)
ELEMENTS = ("first", "second")

USERNAME, PASSWORD = "chaos", "a password for chaos"  # no secret: the server lives for a minute

#: What the server says when the connection to the database broke during the commit.
_UNKNOWN = "during the commit"

#: Seconds that a client waits for an answer, and between two attempts.
_PATIENCE = 60
_PAUSE = 0.1


class Outcome(StrEnum):
    """What a client knows of a request."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    outcome: Outcome
    #: 0: nothing came back, or nobody was there.
    status: int = 0
    body: Any = None


@dataclass(slots=True)
class Record:
    """All that clients know."""

    #: Outcome of each start by plate, and the key of the case where it was told.
    starts: dict[str, tuple[Outcome, int | None]] = field(default_factory=dict)
    #: Outcomes of the attempts at each task, by its key; the last one is acknowledged once the task is known as done.
    completions: dict[int, list[Outcome]] = field(default_factory=dict)
    counts: Counter[Outcome] = field(default_factory=Counter)
    #: Answers that nobody should get: failures that are not named, tasks done by nobody knows whom.
    wrong: list[str] = field(default_factory=list)

    def merge(self, other: Record) -> None:
        """Take over what another client knows."""
        self.starts |= other.starts
        for key, outcomes in other.completions.items():
            self.completions.setdefault(key, []).extend(outcomes)
        self.counts += other.counts
        self.wrong += other.wrong


class Client:
    """One client with one connection; `headers` say who it is, in place of username and password."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.record = Record()
        self._port = port
        self._connection: HTTPConnection | None = None
        credentials = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        self._headers = headers or {"Authorization": f"Basic {credentials}"}

    def ask(self, path: str, body: object | bytes, content_type: str = "application/json") -> Answer:
        """Send one request and return what is known of it, which is counted."""
        answer = self._ask(path, body if isinstance(body, bytes) else json.dumps(body).encode(), content_type)
        self.record.counts[answer.outcome] += 1
        if answer.status == 500:
            self.record.wrong.append(f"POST {path}: 500 {answer.body}")
        return answer

    def _ask(self, path: str, data: bytes, content_type: str) -> Answer:
        if self._connection is None:
            connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
            try:
                connection.connect()
            except OSError:
                return Answer(Outcome.REFUSED)
            self._connection = connection
        try:
            self._connection.request("POST", path, data, {**self._headers, "Content-Type": content_type})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException):
            self.close()
            return Answer(Outcome.UNKNOWN)
        body = json.loads(text) if text else None
        if response.status < 300:
            return Answer(Outcome.ACKNOWLEDGED, response.status, body)
        unknown = response.status == 503 and _UNKNOWN in text.decode()
        return Answer(Outcome.UNKNOWN if unknown else Outcome.REFUSED, response.status, body)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def start(self, plate: str) -> int | None:
        """Start a case and return its key, if that is known."""
        answer = self.ask("/v2/process-instances", {"processDefinitionId": "p", "variables": {"plate": plate}})
        key = int(answer.body["processInstanceKey"]) if answer.outcome is Outcome.ACKNOWLEDGED else None
        self.record.starts[plate] = (answer.outcome, key)
        return key

    def open_tasks(self, **conditions: str) -> list[int] | None:
        """Return open tasks, at most a thousand, or None when no answer came."""
        query = {"filter": {"state": "CREATED", **conditions}, "page": {"limit": 1000}}
        answer = self._ask("/v2/user-tasks/search", json.dumps(query).encode(), "application/json")
        if answer.outcome is not Outcome.ACKNOWLEDGED:
            return None
        return [int(item["userTaskKey"]) for item in answer.body["items"]]

    def complete(self, key: int) -> bool:
        """Try once to complete a task, and return whether it is known as done by this client."""
        attempts = self.record.completions.setdefault(key, [])
        answer = self.ask(f"/v2/user-tasks/{key}/completion", {"variables": {"answer": 1}})
        outcome = answer.outcome
        if answer.status == 409:
            if Outcome.UNKNOWN in attempts:
                # The attempt of which nobody knew has been successful.
                self.record.counts[Outcome.REFUSED] -= 1
                outcome = Outcome.ACKNOWLEDGED
            else:
                self.record.wrong.append(f"task {key} was done by nobody knows whom")
                return True
        attempts.append(outcome)
        return outcome is Outcome.ACKNOWLEDGED


class Load:
    """Clients at work, from `begin` to `end`."""

    def __init__(self, port: int, clients: int = 6) -> None:
        self._port = port
        self._stopping = threading.Event()
        self._clients = [Client(port) for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._work, args=(number, client), daemon=True)
            for number, client in enumerate(self._clients)
        ]

    def begin(self) -> None:
        """Let all clients work."""
        for thread in self._threads:
            thread.start()

    def end(self) -> Record:
        """Let the clients finish what they have begun, and return what they know."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        whole = Record()
        for client in self._clients:
            client.close()
            whole.merge(client.record)
        return whole

    def count(self, outcome: Outcome) -> int:
        """Return how many requests have had this outcome by now."""
        return sum(client.record.counts[outcome] for client in self._clients)

    def wait_for(self, acknowledged: int, seconds: float = 120) -> None:
        """Wait until so many more requests have been acknowledged."""
        wanted = self.count(Outcome.ACKNOWLEDGED) + acknowledged
        give_up_at = time.monotonic() + seconds
        while self.count(Outcome.ACKNOWLEDGED) < wanted:
            if time.monotonic() > give_up_at:
                raise Stuck(f"The server has not acknowledged {acknowledged} requests in {seconds:.0f} s.")
            time.sleep(0.02)

    def _work(self, number: int, client: Client) -> None:
        case = 0
        while not self._stopping.is_set():
            case += 1
            key = client.start(f"{number}-{case}")
            if key is None:
                time.sleep(_PAUSE)
                continue
            for element_id in ELEMENTS:
                self._do_task(client, key, element_id)

    def _do_task(self, client: Client, instance_key: int, element_id: str) -> None:
        """Do a task of a case; what is not done when the load ends is left to `finish`."""
        while not self._stopping.is_set():
            tasks = client.open_tasks(processInstanceKey=str(instance_key), elementId=element_id)
            if tasks:
                break
            time.sleep(_PAUSE)
        else:
            return
        while not client.complete(tasks[0]) and not self._stopping.is_set():
            time.sleep(_PAUSE)


def finish(port: int, record: Record, seconds: float = 120) -> None:
    """Do every task that is still open, and note it in `record`: no case may be left that cannot go on."""
    client = Client(port)
    # What nobody knows of may have happened before.
    client.record.completions = record.completions
    give_up_at = time.monotonic() + seconds
    while (tasks := client.open_tasks()) != []:
        if time.monotonic() > give_up_at:
            raise Stuck(f"{len(tasks or ())} tasks could not be done in {seconds:.0f} s.")
        for key in tasks or ():
            client.complete(key)
    client.close()
    client.record.completions = {}
    record.merge(client.record)
