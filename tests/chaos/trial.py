"""One trial of a fault: the company at work, the fault, and the ledger afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from processes.service import Resource
from tests.chaos import ledger
from tests.chaos.clients import Client, Load, Record, finish
from tests.chaos.company import Company, furnish, looking
from tests.chaos.errors import Stuck
from tests.chaos.homes import Home
from tests.chaos.ledger import Findings
from web.models import WorkerPulse


@dataclass(slots=True)
class Result:
    """What a fault has led to."""

    #: How often it was done.
    times: int
    record: Record = field(default_factory=Record)
    findings: Findings = field(default_factory=Findings)
    timers: int = 0
    #: What else there is to say.
    remark: str = ""
    #: What the programs have said.
    log: str = ""


@dataclass(slots=True)
class Scene:
    """What a fault works with."""

    home: Home
    company: Company
    load: Load
    sessions: sessionmaker[Session]


def under_load(
    home: Home,
    strike: Callable[[Scene], str],
    times: int,
    *,
    url: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Result:
    """Let clients work, do `strike`, let the clients end, and return what is in the database against what they know.

    `strike` returns a remark. `url` is the way of the programs to the database, where it is not the usual one.
    """
    with stage(home, url=url, settings=settings) as scene:
        scene.load.begin()
        try:
            scene.load.wait_for(acknowledged=20)
            remark = strike(scene)
            # It goes on afterwards.
            scene.load.wait_for(acknowledged=20)
        finally:
            record = scene.load.end()
        return settle(scene, record, times, remark)


@contextmanager
def stage(
    home: Home,
    *,
    url: str | None = None,
    settings: Mapping[str, str] | None = None,
    servers: int = 2,
    workers: int = 2,
    resources: Sequence[Resource] = (),
) -> Iterator[Scene]:
    """Yield a company at work on a database that has been furnished."""
    furnish(home.url, *resources)
    company = Company(url or home.url, servers=servers, workers=workers, settings=settings)
    try:
        company.start()
        with looking(home.url) as sessions:
            scene = Scene(home, company, Load(company.port), sessions)
            wait_for_workers(scene, workers)
            yield scene
    finally:
        company.stop()


def settle(scene: Scene, record: Record, times: int, remark: str) -> Result:
    """Let everything come to its end, and compare."""
    scene.company.wait_until_well()
    finish(scene.company.port, record)
    ledger.wait_for_timers(scene.sessions)
    finish(scene.company.port, record)
    findings = ledger.compare(scene.sessions, record)
    timers = sum(ledger.fired(scene.sessions).values())
    return Result(times, record, findings, timers, remark, scene.company.log)


def begin_cases(scene: Scene, record: Record, count: int, prefix: str = "case") -> list[int]:
    """Start cases through the API, and return their keys."""

    client = Client(scene.company.port)
    keys = [client.start(f"{prefix}-{number}") for number in range(count)]
    client.close()
    record.merge(client.record)
    assert all(key is not None for key in keys), "nothing is wrong yet"
    return [key for key in keys if key is not None]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait until something is so; raises Stuck when it does not come about."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            raise Stuck(f"In {seconds:.0f} s: not {what}.")
        time.sleep(0.05)


def wait_for_workers(scene: Scene, number: int) -> None:
    """Wait until so many workers have begun to work."""

    def all_there() -> bool:
        with scene.sessions() as session:
            return (session.scalar(select(func.count()).select_from(WorkerPulse)) or 0) >= number

    wait_until(all_there, f"all {number} workers at work")
