"""Instances with which something fails every time: their timer, the message that they wait for, their job."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import HTTPStatus
from statistics import median

from sqlalchemy import func, select, text, update

from database import transaction
from engine import wakeup
from engine.models import Audit, ProcessInstance, ProcessState, Timer
from engine.timers import CHANNEL
from tests.chaos import ledger
from tests.chaos.clients import Client, Outcome
from tests.chaos.homes import Home
from tests.chaos.trial import Result, Scene, settle, stage, wait_until
from tests.diagrams import catches, chain, diagram, end, message, node, service, start, timer

#: Instances with which all is well, and those with which it is not.
NEIGHBOURS, BAD = 200, 5

#: Waits for its timer, then for a message, then for somebody who does its job.
_PARCEL = diagram(
    start(),
    node("intermediateCatchEvent", "wait", timer("Duration", "PT24H")),
    node("intermediateCatchEvent", "letter", catches("message", "letter")),
    service("work", "chaos-work"),
    end(),
    chain("start", "wait", "letter", "work", "end"),
    process_id="parcel",
    extra=message("letter", "=parcel"),
)

_TABLE = "CREATE TABLE chaos_bad (instance_key bigint PRIMARY KEY, action varchar(100))"
_TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER chaos_poison BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM chaos_bad WHERE "
        "instance_key = NEW.instance_key AND action = NEW.action) BEGIN SELECT RAISE(ABORT, 'poison'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION chaos_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS "
        "(SELECT 1 FROM chaos_bad WHERE instance_key = NEW.instance_key AND action = NEW.action) "
        "THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER chaos_poison BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chaos_poison()",
    ),
}


def poison(home: Home, times: int) -> Result:
    """Timers, messages and jobs that fail every time, among neighbours with which all is well."""
    late: dict[int, list[float]] = {0: [], BAD: []}
    attempts = 0
    with stage(home, resources=[_PARCEL]) as scene:
        _write(scene, _TABLE, *_TRIGGERS[home.kind])
        client = Client(scene.company.port)
        for number in range(times):
            for bad in late:
                cases = _Cases(scene, client, f"{number}-{bad}", bad)
                late[bad].append(cases.fire())
                attempts += cases.attempts()
                cases.correlate()
                cases.work()
        client.close()
        result = settle(scene, client.record, times, "")
        with scene.sessions() as session:
            ended = session.scalar(
                select(func.count()).where(
                    ProcessInstance.process_id == "parcel", ProcessInstance.state == ProcessState.COMPLETED
                )
            )
        fired = ledger.fired(scene.sessions)
    if ended != times * (2 * NEIGHBOURS + BAD):
        result.findings.lost.append(f"only {ended} cases have come to their end once the poison was gone")
    result.findings.doubled += [f"timer {key} has fired {often} times" for key, often in fired.items() if often > 1]
    if attempts > 2 * BAD * times:
        result.findings.broken.append(f"{BAD * times} timers that fail were tried {attempts} times in seconds")
    alone, among = median(late[0]), median(late[BAD])
    result.remark = (
        f"{NEIGHBOURS} neighbours fire {alone:.2f} s late alone and {among:.2f} s among {BAD} bad ones (median); "
        f"{attempts} attempts at {BAD * times} bad timers"
    )
    return result


def _write(scene: Scene, *statements: str, **values: object) -> None:
    with scene.sessions() as session, transaction(session):
        for statement in statements:
            session.execute(text(statement), values)


class _Cases:
    """Some cases, of which the last ones are bad."""

    def __init__(self, scene: Scene, client: Client, name: str, bad: int) -> None:
        self._scene, self._client = scene, client
        self._parcels = [f"{name}-{number}" for number in range(NEIGHBOURS + bad)]
        self._keys = [self._begin(parcel) for parcel in self._parcels]
        self._good, self._bad = self._keys[:NEIGHBOURS], self._keys[NEIGHBOURS:]

    def _begin(self, parcel: str) -> int:
        body = {"processDefinitionId": "parcel", "variables": {"parcel": parcel}}
        answer = self._client.ask("/v2/process-instances", body)
        return int(answer.body["processInstanceKey"])

    def _spoil(self, action: str) -> None:
        """Let this command fail from now on for the bad ones, and no other."""
        _write(self._scene, "DELETE FROM chaos_bad")
        for key in self._bad:
            _write(self._scene, "INSERT INTO chaos_bad VALUES (:key, :action)", key=key, action=action)

    def _refused(self, path: str, body: object) -> None:
        """Ask for something that fails."""
        before = len(self._client.record.wrong)
        answer = self._client.ask(path, body)
        del self._client.record.wrong[before:]
        if answer.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            self._client.record.wrong.append(f"{path} was poisoned and answered {answer.status}")

    def _asked(self, path: str, body: object) -> None:
        answer = self._client.ask(path, body)
        if answer.outcome is not Outcome.ACKNOWLEDGED:
            self._client.record.wrong.append(f"{path} answered {answer.status} for a neighbour")

    def fire(self) -> float:
        """Let all timers be due at once; return the median of how late the neighbours' are fired, in seconds."""
        self._spoil("fire timer")
        due_at = self._set_timers(self._keys)
        wait_until(lambda: len(self._fired(self._good)) == NEIGHBOURS, "all neighbours' timers fired")
        wait_until(lambda: self.attempts() >= len(self._bad), "all bad timers tried")
        return median((at - due_at).total_seconds() for at in self._fired(self._good))

    def _set_timers(self, cases: list[int]) -> datetime:
        with self._scene.sessions() as session, transaction(session):
            now = datetime.now(UTC)
            session.execute(
                update(Timer).where(Timer.instance_key.in_(cases)).values(due_at=now, next_at=now, failures=0)
            )
            wakeup.notify(session, CHANNEL)
        return now

    def _fired(self, cases: list[int]) -> list[datetime]:
        with self._scene.sessions() as session:
            fired = select(Audit.at).where(Audit.instance_key.in_(cases), Audit.action == "fire timer")
            return list(session.scalars(fired))

    def attempts(self) -> int:
        """Return how often the bad timers have failed."""
        with self._scene.sessions() as session:
            failures = select(func.sum(Timer.failures)).where(Timer.instance_key.in_(self._bad))
            return session.scalar(failures) or 0

    def correlate(self) -> None:
        """Publish the message of each case, which the bad ones cannot take until they are healed."""
        self._spoil("correlate message")
        self._set_timers(self._bad)
        wait_until(lambda: len(self._fired(self._keys)) == len(self._keys), "all timers fired")
        for number, parcel in enumerate(self._parcels):
            body = {"name": "letter", "correlationKey": parcel, "timeToLive": 60_000}
            send = self._asked if number < NEIGHBOURS else self._refused
            send("/v2/messages/publication", body)
        self._spoil("complete job")
        for parcel in self._parcels[NEIGHBOURS:]:
            self._asked("/v2/messages/publication", {"name": "letter", "correlationKey": parcel, "timeToLive": 60_000})

    def work(self) -> None:
        """Do the job of each case, which the bad ones do not let be done until they are healed."""
        for case, job in self._activate().items():
            send = self._refused if case in self._bad else self._asked
            send(f"/v2/jobs/{job}/completion", {"variables": {}})
        _write(self._scene, "DELETE FROM chaos_bad")
        give_up_at = time.monotonic() + 60
        left = set(self._bad)
        while left and time.monotonic() < give_up_at:
            # They can be had again when the time is over for which they were lent.
            for case, job in self._activate().items():
                self._asked(f"/v2/jobs/{job}/completion", {"variables": {}})
                left.discard(case)
            time.sleep(0.1)

    def _activate(self) -> dict[int, str]:
        wanted = {"type": "chaos-work", "timeout": 3_000, "maxJobsToActivate": 1_000, "worker": "chaos"}
        answer = self._client.ask("/v2/jobs/activation", wanted)
        return {int(job["processInstanceKey"]): job["jobKey"] for job in answer.body["jobs"]}
