"""What the engine must be told: the company's time zone, its working calendar, and whether the clock may be set."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.calendar import CompanyCalendar
from feel import WorkingCalendar
from feel.durations import Duration

#: Default time zone of schedules and working days.
DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")

_INFO = "engine_configuration"


@dataclass(frozen=True, slots=True)
class EngineConfiguration:
    """Settings of one server process, carried by every session it opens."""

    zone: ZoneInfo = field(default=DEFAULT_ZONE)
    calendar: WorkingCalendar = field(default_factory=CompanyCalendar)
    clock_control: bool = False
    #: Visits of one element in one scope during one command, before the engine takes it for a loop without a wait.
    loop_limit: int = 1_000
    #: Call activities inside of each other that one command may start.
    call_depth_limit: int = 200
    #: How long the history of an ended instance is kept if its process says nothing; None: for ever.
    history_time_to_live: Duration | None = None

    def info(self) -> dict[str, object]:
        """Return what a session factory must put into `session.info`."""
        return {_INFO: self}


_DEFAULT = EngineConfiguration()


def configuration(session: Session) -> EngineConfiguration:
    """Return the configuration that `session` was opened with, or the defaults."""
    value = session.info.get(_INFO, _DEFAULT)
    assert isinstance(value, EngineConfiguration)
    return value
