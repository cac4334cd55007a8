"""Date, time, and date and time, with offsets and IANA zones (DMN 1.5, sections 10.3.2.3.4 to 10.3.2.3.6).

Not Python's own types, because FEEL has years from -999,999,999 to 999,999,999, nanoseconds, and times with a named
zone.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from feel.durations import (
    DAY_NANOSECONDS,
    DAY_SECONDS,
    NANOSECONDS,
    DaysTimeDuration,
    YearsMonthsDuration,
    parse_duration,
)
from feel.numbers import WIDE

MAX_YEAR = 999_999_999
MAX_OFFSET_SECONDS = 18 * 3_600
_REFERENCE_DAY = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_EPOCH_ORDINAL = 719_163

_DATE = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,30}))?"
    r"(?:(Z|z)|([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?|@([A-Za-z0-9_+\-/]{1,64}))?",
    re.ASCII,
)
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap_year(year: int) -> bool:
    """Whether a year of the proleptic Gregorian calendar has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """The number of days of a month."""
    return 29 if month == 2 and is_leap_year(year) else _MONTH_DAYS[month - 1]


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """A day of the proleptic Gregorian calendar."""

    year: int
    month: int
    day: int

    @classmethod
    def make(cls, year: int, month: int, day: int) -> Date | None:
        """The date, or None if there is no such day."""
        if not (-MAX_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= 31):
            return None
        return cls(year, month, day) if day <= days_in_month(year, month) else None

    @classmethod
    def from_ordinal(cls, ordinal: int) -> Date | None:
        """The date so many days after 0000-12-31; None beyond the years FEEL has."""
        if 1 <= ordinal <= 3_652_059:
            return cls.from_python(datetime.date.fromordinal(ordinal))
        cycles, rest = divmod(ordinal - 1, 146_097)
        near = datetime.date.fromordinal(rest + 1)
        return cls.make(near.year + cycles * 400, near.month, near.day)

    @classmethod
    def from_python(cls, value: datetime.date) -> Date:
        """The same day."""
        return cls(value.year, value.month, value.day)

    def to_python(self) -> datetime.date:
        """As Python's date; raises ValueError for a year outside 1 to 9999."""
        return datetime.date(self.year, self.month, self.day)

    @property
    def ordinal(self) -> int:
        """Days since 0000-12-31."""
        if 1 <= self.year <= 9999:
            return datetime.date(self.year, self.month, self.day).toordinal()
        cycles, year = divmod(self.year - 1, 400)
        return datetime.date(year + 1, self.month, self.day).toordinal() + cycles * 146_097

    @property
    def weekday(self) -> int:
        """1 for Monday to 7 for Sunday."""
        return (self.ordinal - 1) % 7 + 1

    def plus_days(self, days: int) -> Date | None:
        """So many days later; None beyond the years FEEL has."""
        return Date.from_ordinal(self.ordinal + days)

    def plus_months(self, months: int) -> Date | None:
        """So many months later, on the month's last day where it has no such day."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        if not -MAX_YEAR <= year <= MAX_YEAR:
            return None
        return Date(year, month + 1, min(self.day, days_in_month(year, month + 1)))

    def __str__(self) -> str:
        return f"{'-' if self.year < 0 else ''}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day; with an offset from UTC (seconds), or a named zone, or neither (a local time)."""

    hour: int
    minute: int
    second: int
    nanosecond: int = 0
    offset: int | None = None
    zone: ZoneInfo | None = None

    @classmethod
    def from_nanoseconds(cls, nanoseconds: int, offset: int | None = None, zone: ZoneInfo | None = None) -> Time:
        """The time so long after midnight, modulo 24 hours."""
        seconds, nanosecond = divmod(nanoseconds % DAY_NANOSECONDS, NANOSECONDS)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        return cls(hour, minute, second, nanosecond, offset, zone)

    @classmethod
    def from_python(cls, value: datetime.time) -> Time:
        """The same time; a time zone without a fixed offset is kept when it is a ZoneInfo."""
        offset, zone = _python_zone(value.tzinfo, value.utcoffset())
        return cls(value.hour, value.minute, value.second, value.microsecond * 1_000, offset, zone)

    def to_python(self) -> datetime.time:
        """As Python's time, cut to microseconds."""
        return datetime.time(self.hour, self.minute, self.second, self.nanosecond // 1_000, self.tzinfo)

    @property
    def nanoseconds(self) -> int:
        """Since midnight."""
        return ((self.hour * 60 + self.minute) * 60 + self.second) * NANOSECONDS + self.nanosecond

    @property
    def is_local(self) -> bool:
        """Whether it has neither offset nor zone."""
        return self.offset is None and self.zone is None

    @property
    def tzinfo(self) -> datetime.tzinfo | None:
        """The zone for Python's types."""
        if self.zone is not None:
            return self.zone
        return None if self.offset is None else datetime.timezone(datetime.timedelta(seconds=self.offset))

    @property
    def utc_offset(self) -> int | None:
        """Seconds ahead of UTC; a named zone without a date counts with its standard time."""
        if self.zone is None:
            return self.offset
        at = _REFERENCE_DAY.replace(tzinfo=self.zone)
        offset = (at.utcoffset() or datetime.timedelta()) - (at.dst() or datetime.timedelta())
        return int(offset.total_seconds())

    @property
    def utc_nanoseconds(self) -> int:
        """Nanoseconds since midnight in UTC (may be negative or beyond a day); a local time counts as it stands."""
        return self.nanoseconds - (self.utc_offset or 0) * NANOSECONDS

    @property
    def seconds_of_minute(self) -> Decimal:
        """The seconds with their fraction."""
        return (
            WIDE.add(Decimal(self.second), Decimal(self.nanosecond).scaleb(-9))
            if self.nanosecond
            else Decimal(self.second)
        )

    def __str__(self) -> str:
        fraction = f".{self.nanosecond:09d}".rstrip("0") if self.nanosecond else ""
        return f"{self.hour:02d}:{self.minute:02d}:{self.second:02d}{fraction}{self._zone_text()}"

    def _zone_text(self) -> str:
        if self.zone is not None:
            return f"@{self.zone.key}"
        if self.offset is None:
            return ""
        if self.offset == 0:
            return "Z"
        minutes, seconds = divmod(abs(self.offset), 60)
        sign = "-" if self.offset < 0 else "+"
        return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date and a time; an instant when the time has an offset or a zone."""

    date: Date
    time: Time

    @classmethod
    def from_python(cls, value: datetime.datetime) -> DateTime:
        """The same date and time, with the zone's name kept when it is a ZoneInfo."""
        offset, zone = _python_zone(value.tzinfo, value.utcoffset())
        time = Time(value.hour, value.minute, value.second, value.microsecond * 1_000, offset, zone)
        return cls(Date.from_python(value), time)

    @classmethod
    def from_instant(cls, nanoseconds: int, offset: int | None, zone: ZoneInfo | None) -> DateTime | None:
        """The date and time in a zone, so long after 1970-01-01T00:00:00Z; None beyond the years FEEL has."""
        shift = _offset_at_instant(zone, nanoseconds) if zone is not None else (offset or 0)
        days, rest = divmod(nanoseconds + shift * NANOSECONDS, DAY_NANOSECONDS)
        date = Date.from_ordinal(days + _EPOCH_ORDINAL)
        return None if date is None else cls(date, Time.from_nanoseconds(rest, offset, zone))

    def to_python(self) -> datetime.datetime:
        """As Python's datetime, cut to microseconds, naive if local; raises ValueError outside the years 1 to 9999."""
        return datetime.datetime.combine(self.date.to_python(), self.time.to_python())

    @property
    def utc_offset(self) -> int | None:
        """Seconds ahead of UTC on that day; None when local."""
        if self.time.zone is None:
            return self.time.offset
        return _offset_at_wall_time(self.time.zone, self.date, self.time)

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00Z; a local one counts as UTC."""
        days = self.date.ordinal - _EPOCH_ORDINAL
        return days * DAY_NANOSECONDS + self.time.nanoseconds - (self.utc_offset or 0) * NANOSECONDS

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


Temporal = Date | Time | DateTime | YearsMonthsDuration | DaysTimeDuration


def _python_zone(
    tzinfo: datetime.tzinfo | None, utc_offset: datetime.timedelta | None
) -> tuple[int | None, ZoneInfo | None]:
    if isinstance(tzinfo, ZoneInfo) and tzinfo.key:
        return None, tzinfo
    return (None if utc_offset is None else int(utc_offset.total_seconds())), None


def _near_year(year: int) -> int:
    """A year that Python's datetime can hold, with the same calendar."""
    return year if 2 <= year <= 9998 else 2000 + year % 400


def _offset_at_wall_time(zone: ZoneInfo, date: Date, time: Time) -> int:
    wall = datetime.datetime(
        _near_year(date.year), date.month, date.day, time.hour, time.minute, time.second, tzinfo=zone
    )
    return int((wall.utcoffset() or datetime.timedelta()).total_seconds())


def _offset_at_instant(zone: ZoneInfo, nanoseconds: int) -> int:
    days, seconds = divmod(nanoseconds // NANOSECONDS, DAY_SECONDS)
    date = Date.from_ordinal(days + _EPOCH_ORDINAL)
    if date is None:
        return 0
    utc = datetime.datetime(_near_year(date.year), date.month, date.day, tzinfo=datetime.UTC)
    local = (utc + datetime.timedelta(seconds=seconds)).astimezone(zone)
    return int((local.utcoffset() or datetime.timedelta()).total_seconds())


@lru_cache(maxsize=512)
def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def parse_date(text: str) -> Date | None:
    """`yyyy-mm-dd`, with a minus sign or up to nine digits for far years; None for anything else."""
    match = _DATE.fullmatch(text)
    return Date.make(int(match[1]), int(match[2]), int(match[3])) if match else None


def parse_time(text: str) -> Time | None:
    """`hh:mm:ss` with fraction, offset or `@zone`; 24:00:00 is midnight; a leap second and anything else is None."""
    parsed = _parse_time(text)
    return parsed[0] if parsed else None


def _parse_time(text: str) -> tuple[Time, bool] | None:
    """The time, and whether it was 24:00:00, the end of the day."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3])
    nanosecond = int(((match[4] or "") + "000000000")[:9])
    end_of_day = hour == 24 and minute == 0 and second == 0 and nanosecond == 0
    if not end_of_day and (hour > 23 or minute > 59 or second > 59):
        return None
    offset: int | None = 0 if match[5] else None
    if match[6]:
        if int(match[8]) > 59 or int(match[9] or 0) > 59:
            return None
        offset = int(match[7]) * 3_600 + int(match[8]) * 60 + int(match[9] or 0)
        if offset > MAX_OFFSET_SECONDS:
            return None
        offset = -offset if match[6] == "-" else offset
    zone = find_zone(match[10]) if match[10] else None
    if match[10] and zone is None:
        return None
    return Time(0 if end_of_day else hour, minute, second, nanosecond, offset, zone), end_of_day


def parse_date_time(text: str) -> DateTime | None:
    """A date, `T` and a time; or a date alone, which means its midnight; None for anything else."""
    date_text, separator, time_text = text.partition("T")
    date = parse_date(date_text)
    if date is None:
        return None
    if not separator:
        return DateTime(date, Time(0, 0, 0))
    parsed = _parse_time(time_text)
    if parsed is None:
        return None
    time, end_of_day = parsed
    day = date.plus_days(1) if end_of_day else date
    return None if day is None else DateTime(day, time)


def parse_at_literal(text: str) -> Temporal | None:
    """What `@"..."` means: a duration, a date, a time, or a date and time; None for anything else."""
    if text.startswith(("P", "-P")):
        return parse_duration(text)
    if "T" in text:
        return parse_date_time(text)
    return parse_date(text) or parse_time(text)
