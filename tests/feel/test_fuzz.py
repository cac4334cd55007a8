"""Random expressions: whatever they are, they end with a value or one of FEEL's own errors."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import feel
from feel.comparison import compare, equal
from tests.feel import fuzz

_FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_thousands_of_random_expressions() -> None:
    report = fuzz.run(seed=20_240_229, count=3_000)
    assert report.failures == []
    assert report.outcomes["value"] > 300
    assert report.outcomes["syntax error"] > 100


@given(st.text(max_size=200))
@_FEW
def test_any_text_is_an_expression_or_a_syntax_error(text: str) -> None:
    error: feel.FeelSyntaxError | None = None
    try:
        feel.parse(text)
    except feel.FeelSyntaxError as refused:
        error = refused
    assert error is None or (0 <= error.position <= len(text) and error.line >= 1 and error.column >= 1)


@given(values)
@_FEW
def test_json_text_reads_back_exactly(value: object) -> None:
    converted = feel.from_json(value)
    assert equal(feel.loads(feel.dumps(converted)), converted) is True


@given(values, values)
@_FEW
def test_equality_is_symmetric(left: object, right: object) -> None:
    first, second = feel.from_json(left), feel.from_json(right)
    assert equal(first, second) == equal(second, first)


@given(numbers, numbers)
@_FEW
def test_numbers_calculate_as_decimals_do(left: Decimal, right: Decimal) -> None:
    value = feel.parse("a + b - b").evaluate({"a": left, "b": right}).value
    assert value == left
    assert compare(left, right) == (left > right) - (left < right)


@given(st.dates(), st.integers(min_value=-100_000, max_value=100_000))
@_FEW
def test_days_added_can_be_subtracted(day: object, days: int) -> None:
    context = {"day": day, "days": days}
    text = 'day + @"P1D" * days - @"P1D" * days = day'
    assert feel.parse(text).evaluate(context).value is True
