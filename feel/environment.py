"""What an evaluation gets from outside, beside its variables: the time, the zone, the working calendar, the limits."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from feel.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from feel.types import Type
    from feel.values import Function


class WorkingCalendar(Protocol):
    """When people work; the working time functions ask nothing else."""

    def is_working_day(self, date: datetime.date) -> bool:
        """Whether anybody works on that day."""
        ...

    def shifts(self, date: datetime.date) -> Sequence[tuple[datetime.time, datetime.time]]:
        """The hours worked on that day, local wall time, in order, not overlapping; empty on a day off."""
        ...


_UTC = ZoneInfo("UTC")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True, slots=True)
class Environment:
    """The surroundings of one evaluation.

    `now` is an aware instant; `zone` is the zone in which `now()` and `today()` are told; `functions` and `types` add
    named functions and types to those built in.
    """

    now: datetime.datetime = field(default_factory=_now)
    zone: ZoneInfo = _UTC
    calendar: WorkingCalendar | None = None
    limits: Limits = DEFAULT_LIMITS
    functions: Mapping[str, Function] | None = None
    types: Mapping[str, Type] | None = None
