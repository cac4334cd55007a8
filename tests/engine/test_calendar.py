"""The working calendar, with the phrases of the documents as FEEL expressions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

import feel
from engine import calendar

ZONE = ZoneInfo("Asia/Shanghai")


def evaluate(text: str, **variables: object) -> feel.Value:
    """The value of an expression on the assumed calendar, on Monday 2026-03-02 at 10:00 in Shanghai."""
    environment = feel.Environment(
        now=datetime(2026, 3, 2, 2, tzinfo=UTC), zone=ZONE, calendar=calendar.CompanyCalendar()
    )
    result = feel.parse(text).evaluate(variables, environment)
    assert result.warnings == [], text
    return result.value


def written(text: str) -> str:
    return str(evaluate(text))


def test_five_working_days_skip_the_sunday() -> None:
    # 5 个工作日内
    assert written('add working days(@"2026-03-05", 5)') == "2026-03-11"


def test_two_days_before_a_holiday_jump_over_the_whole_break() -> None:
    # Qingming 2026: Saturday 4 April is worked, Sunday 5 and Monday 6 are off.
    assert written('add working days(@"2026-04-03", 2)') == "2026-04-07"


def test_the_next_working_day_after_a_saturday_is_monday() -> None:
    # 次日
    assert written('add working days(@"2026-03-07", 1)') == "2026-03-09"


def test_before_the_end_of_work_of_the_day() -> None:
    # 当日下班前
    assert written("end of working day(today())") == "2026-03-02T17:30:00@Asia/Shanghai"


def test_before_the_end_of_work_on_saturday() -> None:
    # 周六下班前
    saturday = 'end of working day(today() + duration("P" + string(6 - today().weekday) + "D"))'
    assert written(saturday) == "2026-03-07T17:30:00@Asia/Shanghai"


def test_before_the_end_of_work_on_the_last_day_of_the_month() -> None:
    # 月末一天下班前: the last working day of a month that ends on a Sunday.
    last = "last day of month(day)"
    text = f"end of working day(if is working day({last}) then {last} else add working days({last}, -1))"
    assert str(evaluate(text, day=date(2026, 5, 3))) == "2026-05-30T17:30:00@Asia/Shanghai"


def test_half_a_day_ahead_is_four_working_hours_before() -> None:
    # 提前半天
    text = 'add working time(@"2026-03-03T09:00:00@Asia/Shanghai", @"-PT4H")'
    assert written(text) == "2026-03-02T14:30:00@Asia/Shanghai"


def test_working_time_stands_still_at_night_and_at_noon() -> None:
    text = 'add working time(@"2026-03-06T16:30:00@Asia/Shanghai", @"PT6H")'
    assert written(text) == "2026-03-07T14:30:00@Asia/Shanghai"


def test_working_time_is_told_in_the_zone_that_it_was_asked_in() -> None:
    assert written('add working time(@"2026-03-06T08:30:00Z", @"PT1H")') == "2026-03-06T09:30:00Z"


def test_negative_working_days_go_back() -> None:
    assert written('add working days(@"2026-03-09", -1)') == "2026-03-07"


def test_no_working_days_from_a_sunday_mean_the_monday() -> None:
    assert written('add working days(@"2026-03-08", 0)') == "2026-03-09"


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-01-01", False),  # New Year
        ("2026-01-04", True),  # a Sunday, worked to make up for 2 January
        ("2026-02-14", True),  # a Saturday before the Spring Festival
        ("2026-02-17", False),  # Spring Festival
        ("2026-02-21", False),  # a Saturday inside the Spring Festival break
        ("2026-02-28", True),
        ("2026-05-05", False),  # substituted for 9 May
        ("2026-09-20", True),  # a Sunday, worked to make up for 6 October
        ("2026-10-03", False),
        ("2026-10-08", True),
        ("2025-10-04", False),  # Saturday between National Day and Mid-Autumn Festival
        ("2025-10-08", False),
        ("2025-10-11", True),
    ],
)
def test_public_holidays_and_make_up_days_of_china(day: str, works: bool) -> None:
    assert evaluate(f'is working day(@"{day}")') is works


def test_the_company_may_work_on_a_holiday_and_close_on_a_working_day() -> None:
    own = calendar.from_data(
        {
            "exceptions": [
                {"date": "2026-05-01", "shifts": [["09:00", "12:00"]], "reason": "emergency service"},
                {"date": "2026-03-10", "shifts": [], "reason": "stock-taking"},
            ]
        }
    )
    assert own.shifts(date(2026, 5, 1)) == ((time(9), time(12)),)
    assert own.day(date(2026, 3, 10)) == calendar.Day(date(2026, 3, 10), (), "stock-taking")
    assert own.is_working_day(date(2026, 3, 11))


def test_the_data_of_a_calendar_read_back() -> None:
    own = calendar.from_data({"week": {"1": [["09:00", "17:00"]]}, "publicHolidays": False})
    assert calendar.from_data(calendar.to_data(own)) == own
    assert own.is_working_day(date(2026, 2, 16))
    assert not own.is_working_day(date(2026, 3, 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"week": {"8": []}}, "weekday"),
        ({"exceptions": [{"date": "31.1.2026"}]}, "date"),
        ({"week": {"1": [["12:00", "08:00"]]}}, "ending after it begins"),
        ({"week": {"1": [["08:00", "12:00"], ["11:00", "13:00"]]}}, "follow one another"),
        ({"week": {"1": [["eight", "12:00"]]}}, "08:00"),
    ],
)
def test_wrong_data_are_refused_with_a_sentence(data: dict[str, object], message: str) -> None:
    with pytest.raises(calendar.CalendarError, match=message):
        calendar.from_data(data)


def test_without_a_calendar_the_functions_say_so() -> None:
    result = feel.parse("add working days(today(), 1)").evaluate({})
    assert result.value is None
    assert [warning.message for warning in result.warnings] == ["there is no working calendar here"]


def test_a_calendar_without_working_days_is_not_searched_for_ever() -> None:
    closed = calendar.CompanyCalendar(week={}, public_holidays=False)
    result = feel.parse('add working time(@"2026-03-06T08:30:00", @"PT1H")').evaluate(
        {}, feel.Environment(calendar=closed, limits=feel.Limits(seconds=5))
    )
    assert result.value is None
    assert "working time" in result.warnings[0].message
