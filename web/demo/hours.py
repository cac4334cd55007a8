"""When the demo's people work: every day but Sunday, half past eight to half past five in the company's zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(8, 30), time(17, 30)
_SUNDAY = 6
_DAY = timedelta(days=1)


def opening(at: datetime, zone: ZoneInfo) -> datetime:
    """Return `at`, or when nobody works then the next instant at which somebody does; in `zone`."""
    local = at.astimezone(zone)
    if local.time() >= CLOSES:
        local = datetime.combine(local.date() + _DAY, OPENS, zone)
    elif local.time() < OPENS:
        local = datetime.combine(local.date(), OPENS, zone)
    if local.weekday() == _SUNDAY:
        local = datetime.combine(local.date() + _DAY, OPENS, zone)
    return local


def later(at: datetime, worked: timedelta, zone: ZoneInfo) -> datetime:
    """Return the instant at which people have worked so long since `at`; in `zone`."""
    at = opening(at, zone)
    while at + worked >= _closing(at):
        worked -= _closing(at) - at
        at = opening(_closing(at), zone)
    return at + worked


def worked(since: datetime, until: datetime, zone: ZoneInfo) -> timedelta:
    """Return how long people worked between two instants; nothing when the second is the earlier one."""
    total = timedelta(0)
    at = opening(since, zone)
    while at < until:
        total += min(_closing(at), until) - at
        at = opening(_closing(at), zone)
    return total


def _closing(at: datetime) -> datetime:
    return datetime.combine(at.date(), CLOSES, at.tzinfo)
