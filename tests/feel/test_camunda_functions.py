"""The functions that Camunda adds to the standard."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

import feel
from tests.feel.helpers import as_json, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("is defined(1)", True),
        ("is defined(missing)", False),
        ("get or else(missing, 3)", 3),
        ("get or else(2, 3)", 2),
        ("assert(1, 1 = 1)", 1),
        ('string join(["a", "b"], ", ", "[", "]")', "[a, b]"),
        ('trim("  a b ")', "a b"),
        ('is blank(" ")', True),
        ('to base64("FEEL")', "RkVFTA=="),
        ('extract("references are 1234, 1256, 1378", "12[0-9]*")', ["1234", "1256"]),
        ("is empty([])", True),
        ("partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("duplicate values([1, 2, 3, 2, 1])", [2, 1]),
        ('context put({a: 1}, ["b", "c"], 2)', {"a": 1, "b": {"c": 2}}),
        ("context merge({a: 1}, {b: 2})", {"a": 1, "b": 2}),
        ('get value({a: {b: 2}}, ["a", "b"])', 2),
        ('string(last day of month(@"2024-02-03"))', "2024-02-29"),
        ('string(date and time(@"2024-01-01T00:00:00Z", "Asia/Shanghai"))', "2024-01-01T08:00:00@Asia/Shanghai"),
    ],
)
def test_gives(text: str, value: Any) -> None:
    assert as_json(text) == value


def test_a_failed_assertion_stops_the_evaluation() -> None:
    with pytest.raises(feel.FeelAssertionFailed, match="no customer"):
        feel.parse('assert(customer, customer != null, "no customer")').evaluate({})


def test_a_uuid_is_one() -> None:
    assert uuid.UUID(evaluate("uuid()")).version == 4


def test_a_random_number_lies_between_zero_and_one() -> None:
    assert evaluate("every i in 1..50 satisfies random number() in [0..1)") is True
