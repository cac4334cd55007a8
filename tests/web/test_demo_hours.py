"""Working hours of the demo's people."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from web.demo import hours

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """Return an instant in March 2025; the third is a Monday."""
    return datetime.strptime(f"2025-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("03 10:00", "03 10:00"),
        ("03 03:00", "03 08:30"),
        ("03 17:30", "04 08:30"),
        ("08 18:00", "10 08:30"),
        ("09 12:00", "10 08:30"),
    ],
)
def test_work_goes_on_when_the_shop_opens(asked: str, opens: str) -> None:
    assert hours.opening(at(asked), ZONE) == at(opens)


@pytest.mark.parametrize(
    ("begin", "worked", "end"),
    [
        ("03 10:00", 2, "03 12:00"),
        ("03 16:30", 2, "04 09:30"),
        ("08 16:30", 2, "10 09:30"),
        ("03 08:30", 27, "06 08:30"),
    ],
)
def test_working_time_stands_still_overnight_and_on_sundays(begin: str, worked: int, end: str) -> None:
    assert hours.later(at(begin), timedelta(hours=worked), ZONE) == at(end)
    assert hours.worked(at(begin), at(end), ZONE) == timedelta(hours=worked)


def test_no_time_is_worked_backwards() -> None:
    assert hours.worked(at("04 10:00"), at("03 10:00"), ZONE) == timedelta(0)
