"""FEEL, the expression language of DMN 1.5: exact, safe, in pure Python. See README.md beside this file."""

from feel.check import Finding, check
from feel.conversion import dumps, from_json, loads, to_json
from feel.durations import DaysTimeDuration, YearsMonthsDuration, parse_duration
from feel.environment import Environment, WorkingCalendar
from feel.errors import FeelAssertionFailed, FeelError, FeelLimitExceeded, FeelSyntaxError
from feel.expression import Expression, Result, parse, parse_unary_tests
from feel.limits import Limits
from feel.runtime import Warning
from feel.temporal import Date, DateTime, Time, parse_date, parse_date_time, parse_time
from feel.values import Function, Range, Value, kind, shown

__all__ = [
    "Date",
    "DateTime",
    "DaysTimeDuration",
    "Environment",
    "Expression",
    "FeelAssertionFailed",
    "FeelError",
    "FeelLimitExceeded",
    "FeelSyntaxError",
    "Finding",
    "Function",
    "Limits",
    "Range",
    "Result",
    "Time",
    "Value",
    "Warning",
    "WorkingCalendar",
    "YearsMonthsDuration",
    "check",
    "dumps",
    "from_json",
    "kind",
    "loads",
    "parse",
    "parse_date",
    "parse_date_time",
    "parse_duration",
    "parse_time",
    "parse_unary_tests",
    "shown",
    "to_json",
]
