"""Values: what goes in, what comes out, and why something is null."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

import feel
from tests.feel.helpers import as_json, evaluate, warnings_of


def test_json_goes_in_and_out() -> None:
    data = {"a": 1, "b": [1.5, "x", None, True], "c": {"d": "中"}}
    assert feel.to_json(feel.from_json(data)) == data
    assert feel.from_json(0.1) == Decimal("0.1")


def test_exact_text_keeps_every_digit() -> None:
    value = evaluate("[1 / 3, 1e20, 1.50, {a: null}]")
    assert feel.dumps(value) == '[0.3333333333333333333333333333333333, 100000000000000000000, 1.5, {"a": null}]'
    assert feel.loads(feel.dumps(value)) == value


def test_temporal_values_become_iso_text() -> None:
    assert as_json('[@"2024-02-29", @"10:00:00@Asia/Shanghai", @"P1Y2M", @"PT36H"]') == [
        "2024-02-29", "10:00:00@Asia/Shanghai", "P1Y2M", "P1DT12H",
    ]  # fmt: skip


def test_python_dates_are_understood() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    context = {
        "day": datetime.date(2024, 2, 29),
        "moment": datetime.datetime(2024, 2, 29, 8, 30, tzinfo=zone),
        "pause": datetime.timedelta(hours=36),
    }
    assert str(feel.parse("moment + pause").evaluate(context).value) == "2024-03-01T20:30:00@Asia/Shanghai"
    assert feel.parse("day.year").evaluate(context).value == 2024
    assert feel.parse("moment").evaluate(context).value.to_python() == context["moment"]


def test_a_date_time_keeps_its_zone_over_a_change_of_offset() -> None:
    text = '@"2024-03-30T12:00:00@Europe/Paris" + @"P1D"'
    # 24 hours of elapsed time: the clock was put forward in between.
    assert str(evaluate(text)) == "2024-03-31T13:00:00@Europe/Paris"
    assert str(evaluate('@"2024-03-30T12:00:00@Europe/Paris" + @"P1M"')) == "2024-04-30T12:00:00@Europe/Paris"


@pytest.mark.parametrize("text", ['time("23:59:60")', 'date and time("2016-12-31T23:59:60Z")', '@"23:59:60Z"'])
def test_leap_seconds_are_refused_politely(text: str) -> None:
    assert evaluate(text) is None
    assert len(warnings_of(text)) == 1


def test_now_and_today_are_told_in_the_zone() -> None:
    environment = feel.Environment(
        now=datetime.datetime(2025, 3, 2, 17, tzinfo=datetime.UTC), zone=ZoneInfo("Asia/Shanghai")
    )
    assert str(feel.parse("now()").evaluate({}, environment).value) == "2025-03-03T01:00:00@Asia/Shanghai"
    assert str(feel.parse("today()").evaluate({}, environment).value) == "2025-03-03"


def test_a_local_time_takes_the_offset_of_what_it_is_compared_with() -> None:
    assert evaluate('@"2024-01-01T10:00:00" < @"2024-01-01T10:30:00+08:00"') is True
    assert evaluate('@"2024-01-01T10:00:00" = @"2024-01-01T10:00:00+08:00"') is False


class Lazy(Mapping[str, object]):
    """Variables that are fetched one by one, and remembers which."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values_by_name = values
        self.fetched: list[str] = []

    def __getitem__(self, name: str) -> object:
        self.fetched.append(name)
        return self.values_by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values_by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


def test_only_the_variables_that_are_read_are_fetched_and_each_once() -> None:
    variables = Lazy({"a": 1, "b": 2, "c": 3})
    assert feel.parse("for i in 1..3 return a + i").evaluate(variables).value == [2, 3, 4]
    assert variables.fetched == ["a"]


def test_a_missing_variable_is_null_and_says_what_is_known() -> None:
    assert warnings_of("quote > 3", car=1, customer=2)[0] == "variable `quote` is not set; known: car, customer"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('1 + "a"', 'number 1 cannot be added to string "a"'),
        ("{a: 1}.b", "there is no `b` in the context; known: a"),
        ("missing.b", "`b` cannot be read, because what it would be read from is null"),
        ("1 / 0", "division by zero"),
        ("[1, 2][3]", "there is no item 3 in a list of 2"),
        ('date("2023-02-29")', '"2023-02-29" is not a date such as 2024-02-29'),
        ("nothing(1)", "there is no function `nothing`"),
        ("{n: 1, r: n(2)}.r", "number 1 is not a function"),
        ('"a" < 1', 'string "a" and number 1 have no order'),
        ("[2, 1] instance of list", "the type `list` needs its arguments, as in `list<Any>`"),
        ('matches("a", "(")', "never closed"),
        ('@"2024-13-01"', '@"2024-13-01" is no date, time, date and time or duration'),
        ('time("23:59:60")', "has a leap second"),
        ("sqrt(-1)", "a negative number has no square root"),
        ("add working days(today(), 1)", "there is no working calendar here"),
        ('sum([1, "a"])', 'sum: string "a" is not a number'),
    ],
)
def test_null_says_why(text: str, message: str) -> None:
    assert evaluate(text) is None
    assert any(message in warning for warning in warnings_of(text))


def test_a_warning_points_at_its_place() -> None:
    result = feel.parse("1 + foo").evaluate({})
    assert [warning.position for warning in result.warnings] == [4, 2]


class Secret:
    """Something of the server's that must not be reached."""

    password = "hidden"


@pytest.mark.parametrize(
    "text",
    [
        "secret.password", "secret.__class__", "list.append", "name.__class__", "name.upper", 'get value(context, "x")',
        "secret", "[secret]", "context.keys", "number.real",
    ],
)  # fmt: skip
def test_no_attribute_of_a_python_object_is_reachable(text: str) -> None:
    context = {"secret": Secret(), "list": [1], "name": "x", "context": {}, "number": 1}
    value = feel.parse(text).evaluate(context).value
    assert value in (None, [None])


def test_an_object_that_is_no_value_is_null_with_a_warning() -> None:
    result = feel.parse("secret").evaluate({"secret": Secret()})
    assert result.value is None
    assert result.warnings[0].message == "variable `secret`: Secret is no FEEL value"


def test_host_functions_can_be_added() -> None:
    double = feel.Function(("n",), lambda _run, arguments: arguments[0] * 2, name="double")
    environment = feel.Environment(functions={"double": double})
    assert feel.parse("double(n: 21)").evaluate({}, environment).value == 42
