"""Many want the same thing at the same moment: a task, a deployment, a timer."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from flask import session as flask_session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from sqlalchemy import delete, func, select, update

from database import transaction
from database.extension import db
from engine import wakeup
from engine.models import Audit, ProcessDefinition, Timer, UserTask
from engine.timers import CHANNEL
from people.models import User
from tests.chaos import ledger
from tests.chaos.clients import PROCESS, USERNAME, Client, Outcome, Record
from tests.chaos.homes import Home
from tests.chaos.trial import Result, Scene, begin_cases, settle, stage, wait_for_workers
from web.application import create_app
from web.configuration import Configuration
from web.models import WorkerPulse

#: People who want the same task.
CROWD = 500

_SECRET = "a secret for chaos"  # no secret: the server lives for a minute

#: Deployments of the same files at once.
DEPLOYERS = 2

#: Due timers for which several workers compete.
TIMERS = 300


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user's browser."""

    headers: Mapping[str, str]


def same_task(home: Home, times: int, *, crowd: int = CROWD) -> Result:
    """Users, each with a connection of their own, complete the same task at the same moment: one wins."""
    record = Record()
    statuses: Counter[int] = Counter()
    with stage(home, settings={"BATON_SECRET_KEY": _SECRET}) as scene:
        users = _hire(scene, crowd)
        cases = begin_cases(scene, record, times)
        for case in cases:
            task = _open_task(scene, case)
            answers = _at_once([partial(_complete, scene, user, task) for user in users])
            statuses += Counter(answers)
        result = settle(scene, record, times, "")
        for case in cases:
            with scene.sessions() as session:
                winners = session.scalar(
                    select(func.count()).where(
                        Audit.instance_key == case, Audit.action == "complete user task", Audit.element_id == "first"
                    )
                )
            if winners != 1:
                result.findings.doubled.append(f"the task of case {case} was completed {winners} times")
    record.counts[Outcome.ACKNOWLEDGED] += statuses[204]
    record.counts[Outcome.REFUSED] += statuses[409]
    if statuses != {204: times, 409: times * (crowd - 1)}:
        result.findings.broken.append(f"answers by status: {dict(statuses)}")
    result.remark = f"{crowd} users a task: {statuses[204]} answered 204, {statuses[409]} answered 409"
    return result


def _hire(scene: Scene, count: int) -> list[SignedIn]:
    """Make users who have signed in a while ago: so many passwords at once would take longer than the task."""
    names = [f"{USERNAME}-{number}" for number in range(count)]
    with scene.sessions() as session, transaction(session):
        one = session.scalars(select(User).where(User.username == USERNAME)).unique().one()
        for name in names:
            session.add(
                User(
                    username=name,
                    name=name,
                    password_hash=one.password_hash,
                    role="staff",
                    active=True,
                    locale=None,
                    created_at=one.created_at,
                    groups=[],
                )
            )
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Configuration(Path(folder), scene.home.url, _SECRET))
        return [_sign_in(app, name) for name in names]


def _sign_in(app: Flask, username: str) -> SignedIn:
    """Return what a browser of this user sends."""
    with app.test_request_context():
        user = db.session().scalars(select(User).where(User.username == username)).unique().one()
        flask_session["_user_id"] = user.get_id()
        token = generate_csrf()
        interface = app.session_interface
        assert isinstance(interface, SecureCookieSessionInterface)
        serializer = interface.get_signing_serializer(app)
        assert serializer is not None
        cookie = serializer.dumps(dict(flask_session))
        return SignedIn({"Cookie": f"{app.config['SESSION_COOKIE_NAME']}={cookie}", "X-CSRFToken": token})


def _open_task(scene: Scene, case: int) -> int:
    with scene.sessions() as session:
        return session.scalars(select(UserTask.key).where(UserTask.instance_key == case)).one()


def _complete(scene: Scene, user: SignedIn, task: int) -> int:
    client = Client(scene.company.port, user.headers)
    answer = client.ask(f"/v2/user-tasks/{task}/completion", {"variables": {"answer": 1}})
    client.close()
    return answer.status


def _at_once(works: list[Callable[[], int]]) -> list[int]:
    """Do all of it at the same time, and return what each has returned."""
    results = [0] * len(works)
    barrier = threading.Barrier(len(works))

    def do(number: int, work: Callable[[], int]) -> None:
        barrier.wait()
        results[number] = work()

    threads = [threading.Thread(target=do, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def deployments(home: Home, times: int) -> Result:
    """Two clients deploy the same new version of the same files at the same moment: one version comes of it."""
    record = Record()
    with stage(home) as scene:
        for number in range(times):
            content = PROCESS.content.replace(b'name="p"', f'name="p {number}"'.encode())
            clients = [Client(scene.company.port) for _ in range(DEPLOYERS)]
            _at_once([partial(_deploy, client, content) for client in clients])
            for client in clients:
                client.close()
                record.merge(client.record)
            begin_cases(scene, record, 1, f"version {number}")
        result = settle(scene, record, times, "")
        with scene.sessions() as session:
            versions = session.scalars(select(ProcessDefinition.version).order_by(ProcessDefinition.version)).all()
    if record.counts[Outcome.REFUSED] or record.counts[Outcome.UNKNOWN]:
        result.findings.broken.append("a deployment was refused")
    wanted = list(range(1, times + 2))
    if len(versions) > len(wanted):
        result.findings.doubled.append(f"versions {versions}")
    elif list(versions) != wanted:
        result.findings.lost.append(f"versions {versions}")
    result.remark = f"{times * DEPLOYERS} deployments answered, {len(versions) - 1} versions made"
    return result


def _deploy(client: Client, content: bytes) -> int:
    boundary = "chaos-boundary"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="resources"; filename="p.bpmn"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    answer = client.ask("/v2/deployments", body, f"multipart/form-data; boundary={boundary}")
    if answer.status != 200:
        client.record.wrong.append(f"deployment: {answer.status} {json.dumps(answer.body)}")
    return answer.status


def same_timers(home: Home, times: int, *, timers: int = TIMERS) -> Result:
    """Timers that are all due at the same instant, before two workers, then before five."""
    record = Record()
    with stage(home, workers=0) as scene:
        for number in range(times):
            crowd = (2, 5)[number % 2]
            _put_off(scene, begin_cases(scene, record, timers, f"round {number}"))
            workers = [scene.company.add_worker() for _ in range(crowd)]
            wait_for_workers(scene, crowd)
            with scene.sessions() as session, transaction(session):
                now = datetime.now(UTC)
                session.execute(update(Timer).values(due_at=now, next_at=now))
                wakeup.notify(session, CHANNEL)
            ledger.wait_for_timers(scene.sessions)
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(60)
        result = settle(scene, record, times, "")
        for key, fired in ledger.fired(scene.sessions).items():
            if fired != 1:
                result.findings.doubled.append(f"timer {key} has fired {fired} times")
    result.remark = f"{timers} timers each time, before two workers, then before five"
    return result


def _put_off(scene: Scene, cases: list[int]) -> None:
    """Let the timers of cases be due tomorrow, and forget the workers of the last time."""
    with scene.sessions() as session, transaction(session):
        later = datetime.now(UTC) + timedelta(days=1)
        session.execute(update(Timer).where(Timer.instance_key.in_(cases)).values(due_at=later, next_at=later))
        session.execute(delete(WorkerPulse))
