"""Clocks are set: that of the machine on which Baton runs, or that of one worker only."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.models import Audit, ProcessInstance, Timer
from tests.chaos.errors import LeftOut
from tests.chaos.homes import Home
from tests.chaos.trial import Result, Scene, under_load, wait_until

#: How far clocks are set.
_HOUR = timedelta(hours=1)

#: Seconds of load at each time of day: longer than the database's clock is carried on.
_SECONDS = 6

#: Of Debian's package `faketime`: programs see another time of day, which a file tells and which may change.
_LIBRARY = "usr/lib/*/faketime/libfaketime.so.1"


def _by(file: Path) -> Mapping[str, str]:
    """Return the environment of a program whose time of day `file` tells; its monotonic clock is the real one."""
    library = next(Path("/").glob(_LIBRARY), None)
    if library is None:
        raise LeftOut("needs libfaketime (apt-get install faketime)")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _set(file: Path, by: timedelta) -> None:
    """Set the clock: whoever reads the file meanwhile sees the old time or the new one."""
    new = file.with_suffix(".new")
    new.write_text(f"{by.total_seconds():+.0f}")
    new.rename(file)


def machine(home: Home, times: int) -> Result:
    """The clock of the machine of server and workers is set forward and back by an hour under load.

    On PostgreSQL cases go by the database's clock. On SQLite they go by the machine's: timers that were made while it
    was ahead are due an hour later, which comes here by setting it forward once more.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "offset"
        _set(file, timedelta(0))

        def strike(scene: Scene) -> str:
            for _ in range(times):
                for offset in (_HOUR, timedelta(0)):
                    _set(file, offset)
                    scene.load.wait_for(acknowledged=20)
                    time.sleep(_SECONDS)
            if home.kind == "sqlite":
                with scene.sessions() as session:
                    waiting = session.scalar(select(func.count()).select_from(Timer)) or 0
                _set(file, _HOUR + timedelta(minutes=1))
                return f"{waiting} timers were due an hour later and fired then"
            return f"{_misjudged(scene)} timers fired at a wrong time, by the database's clock"

        return under_load(home, strike, times, settings=_by(file))


def _misjudged(scene: Scene) -> int:
    """Return how many cases say that they began, or that their timer fired, at a time that was not."""
    with scene.sessions() as session:
        now = session.scalar(select(func.now()))
        assert now is not None
        rows = session.execute(
            select(ProcessInstance.started_at, Audit.at)
            .join(Audit, Audit.instance_key == ProcessInstance.key)
            .where(Audit.action == "fire timer")
        ).all()
    return sum(abs(now - at) > _HOUR / 2 for row in rows for at in row)


def worker(home: Home, times: int) -> Result:
    """One worker's clock is an hour ahead, then another's an hour behind, beside two that are right."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "offset"

        def strike(scene: Scene) -> str:
            for number in range(times):
                _set(file, _HOUR * (-1) ** number)
                wrong = scene.company.add_worker(_by(file))
                before = _fired_by_now(scene)
                scene.load.wait_for(acknowledged=40)
                wait_until(lambda before=before: _fired_by_now(scene) > before + 10, "ten timers fired")  # type: ignore[misc]
                time.sleep(_SECONDS)
                wrong.kill()
                wrong.wait()
            return f"{_misjudged(scene)} timers fired at a wrong time, by the database's clock"

        return under_load(home, strike, times)


def _fired_by_now(scene: Scene) -> int:
    with scene.sessions() as session:
        return session.scalar(select(func.count()).where(Audit.action == "fire timer")) or 0
