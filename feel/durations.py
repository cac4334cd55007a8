"""The two durations: years and months, and days and time (DMN 1.5, sections 10.3.2.3.7 and 10.3.2.3.8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from feel.numbers import WIDE

NANOSECONDS = 1_000_000_000
DAY_SECONDS = 86_400
DAY_NANOSECONDS = DAY_SECONDS * NANOSECONDS
MAX_MONTHS = 12 * 2_000_000_000
MAX_NANOSECONDS = 400 * 2_000_000_000 * DAY_NANOSECONDS

_YEARS_MONTHS = re.compile(r"(-)?P(?=[0-9])(?:([0-9]{1,18})Y)?(?:([0-9]{1,18})M)?", re.ASCII)
_DAYS_TIME = re.compile(
    r"(-)?P(?=[0-9T])(?:([0-9]{1,18})W)?(?:([0-9]{1,18})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,18})H)?(?:([0-9]{1,18})M)?(?:([0-9]{1,18})(?:\.([0-9]*))?S)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration:
    """A number of months, possibly negative; a year is twelve."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        sign = "-" if self.months < 0 else ""
        if not years:
            return f"{sign}P{months}M"
        return f"{sign}P{years}Y{months}M" if months else f"{sign}P{years}Y"


@dataclass(frozen=True, slots=True, order=True)
class DaysTimeDuration:
    """A number of nanoseconds, possibly negative; a day is 24 hours."""

    nanoseconds: int

    @classmethod
    def from_seconds(cls, seconds: Decimal | int) -> DaysTimeDuration:
        """The duration of so many seconds; what is finer than a nanosecond is cut off."""
        return cls(int(WIDE.multiply(Decimal(seconds), Decimal(NANOSECONDS)).to_integral_value(ROUND_FLOOR)))

    @classmethod
    def from_python(cls, value: timedelta) -> DaysTimeDuration:
        """The same duration as a timedelta."""
        return cls(((value.days * DAY_SECONDS + value.seconds) * 1_000_000 + value.microseconds) * 1_000)

    def to_python(self) -> timedelta:
        """As a timedelta, cut to microseconds; raises OverflowError beyond what it holds (2.7 million years)."""
        return timedelta(microseconds=self.nanoseconds // 1_000)

    @property
    def seconds(self) -> Decimal:
        """The whole length in seconds, exactly."""
        return WIDE.scaleb(Decimal(self.nanoseconds), -9)

    def parts(self) -> tuple[int, int, int, int, int]:
        """Days, hours, minutes, seconds and nanoseconds of the absolute length."""
        seconds, nanoseconds = divmod(abs(self.nanoseconds), NANOSECONDS)
        days, seconds = divmod(seconds, DAY_SECONDS)
        hours, seconds = divmod(seconds, 3_600)
        minutes, seconds = divmod(seconds, 60)
        return days, hours, minutes, seconds, nanoseconds

    def __str__(self) -> str:
        days, hours, minutes, seconds, nanoseconds = self.parts()
        time = f"{hours}H" if hours else ""
        time += f"{minutes}M" if minutes else ""
        if seconds or nanoseconds:
            fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
            time += f"{seconds}{fraction}S"
        text = "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")
        return ("-" if self.nanoseconds < 0 else "") + (text if text != "P" else "PT0S")


Duration = YearsMonthsDuration | DaysTimeDuration


def parse_duration(text: str) -> Duration | None:
    """An ISO 8601 duration of either kind, weeks included; None when it is neither (or mixes them)."""
    match = _YEARS_MONTHS.fullmatch(text)
    if match:
        sign, years, months = match.groups()
        return years_months(int(years or 0) * 12 + int(months or 0), negative=bool(sign))
    match = _DAYS_TIME.fullmatch(text)
    if match is None:
        return None
    sign, weeks, days, hours, minutes, seconds, fraction = match.groups()
    total = int(weeks or 0) * 7 + int(days or 0)
    total = (total * 24 + int(hours or 0)) * 60 + int(minutes or 0)
    total = total * 60 + int(seconds or 0)
    nanoseconds = total * NANOSECONDS + int(((fraction or "") + "000000000")[:9])
    return days_time(-nanoseconds if sign else nanoseconds)


def years_months(months: int, negative: bool = False) -> YearsMonthsDuration | None:
    """The duration of so many months; None beyond two thousand million years."""
    return YearsMonthsDuration(-months if negative else months) if abs(months) <= MAX_MONTHS else None


def days_time(nanoseconds: int) -> DaysTimeDuration | None:
    """The duration of so many nanoseconds; None beyond two thousand million years."""
    return DaysTimeDuration(nanoseconds) if abs(nanoseconds) <= MAX_NANOSECONDS else None
