"""No expression can hang or exhaust the server: each limit, and something that tries to break it."""

from __future__ import annotations

import time

import pytest

import feel

PATIENCE = 20
"""Seconds after which an expression counts as hanging; generous, because machines may be busy."""


def limit_hit_by(text: str, context: dict[str, object] | None = None, **limits: float) -> str:
    """Which limit stops the expression."""
    started = time.monotonic()
    environment = feel.Environment(limits=feel.Limits(**limits))  # type: ignore[arg-type]
    with pytest.raises(feel.FeelLimitExceeded) as stopped:
        feel.parse(text).evaluate(context or {}, environment)
    assert time.monotonic() - started < PATIENCE
    return stopped.value.limit


def test_endless_loops_end() -> None:
    loop = "count(for a in 1..1000, b in 1..1000, c in 1..1000 return 1)"
    assert limit_hit_by(loop, steps=10_000) == "steps"
    assert limit_hit_by("some a in 1..100000, b in 1..100000 satisfies a + b < 0", seconds=0.05) == "time"


def test_a_range_of_astronomical_length_is_not_counted_out() -> None:
    assert limit_hit_by("for i in 1..999999999999 return 1") == "steps"


def test_recursion_ends() -> None:
    assert limit_hit_by("{f: function(n) f(n + 1), r: f(1)}.r") == "depth"
    assert limit_hit_by("{f: function(n) f(n + 1) + f(n + 2), r: f(1)}.r") == "depth"
    assert limit_hit_by("(function(f) f(f))(function(f) f(f))") == "depth"


def test_branching_recursion_within_the_depth_runs_out_of_steps() -> None:
    fibonacci = "{f: function(n) if n < 2 then n else f(n - 1) + f(n - 2), r: f(60)}.r"
    assert limit_hit_by(fibonacci, steps=20_000) == "steps"


def test_lists_do_not_grow_without_end() -> None:
    assert limit_hit_by("for a in 1..1000, b in 1..1000 return a", list_size=50_000) == "list size"
    assert limit_hit_by("flatten(for i in 1..60000 return [i, i])", list_size=100_000) == "list size"
    assert limit_hit_by("for i in 1..50000 return partial", memory=1_000_000, seconds=10) == "memory"


def test_strings_do_not_grow_without_end() -> None:
    doubling = '{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f("ab", 60)}.r'
    assert limit_hit_by(doubling) == "string size"
    joined = 'string join(for i in 1..90000 return "' + "x" * 100 + '")'
    assert limit_hit_by(joined) == "string size"
    assert limit_hit_by('replace(text, "a", text)', {"text": "a" * 20_000}) in ("string size", "memory")


def test_memory_counts_what_was_thrown_away_too() -> None:
    wasteful = "count(for i in 1..1000 return count([" + ", ".join(["1"] * 2000) + "]))"
    assert limit_hit_by(wasteful, memory=500_000, seconds=10) == "memory"


@pytest.mark.parametrize(
    "text",
    ["9e6144 * 10", "exp(999999999)", "10 ** 99999999999", "2 ** 99999", "1e6144 + 9e6144"],
)
def test_exponents_that_are_too_large_give_null(text: str) -> None:
    assert feel.parse(text).evaluate({}).value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("modulo(1e6144, 3) in [0..3)", True),
        ("odd(1e6000)", False),
        ("string length(string(1e6144)) < 100", True),
        ("round up(1e-6143, 6000) = 1e-6000", True),
        ("1e-6143 / 10 >= 0", True),
        ('@"P1D" * 1e6000', None),
        ('@"P999999999Y" * 1000000', None),
        ('date("999999999-12-31") + @"P1D"', None),
        ('date("2024-01-01") + @"P2000000000Y"', None),
        ('duration("P' + "9" * 30 + 'D")', None),
    ],
)
def test_huge_numbers_stay_cheap(text: str, value: object) -> None:
    assert feel.parse(text).evaluate({}).value == value


def test_deeply_nested_values_are_stopped() -> None:
    nest = "{f: function(v, n) if n = 0 then v else f([v], n - 1), r: f(1, 90)}.r"
    value = feel.parse(nest).evaluate({}, feel.Environment(limits=feel.Limits(depth=200))).value
    assert feel.kind(value) == "list"
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert limit_hit_by("x = x", {"x": deep}) == "depth"


def test_values_that_share_their_parts_are_not_unfolded() -> None:
    # Thirty steps of doubling would print a thousand million elements.
    nest = "{f: function(v, n) if n = 0 then v else f([v, v], n - 1), r: string(f(1, 40))}.r"
    assert limit_hit_by(nest) in ("memory", "time", "string size", "steps", "list size")
    equal = "{f: function(v, n) if n = 0 then v else f([v, v], n - 1), r: f(1, 40) = f(1, 40)}.r"
    assert feel.parse(equal).evaluate({}).value is True
    result = "{f: function(v, n) if n = 0 then v else f([v, v], n - 1), r: f(1, 40)}.r"
    assert limit_hit_by(result) == "result size"
    flat = "{f: function(v, n) if n = 0 then v else f([v, v], n - 1), r: count(flatten(f(1, 40)))}.r"
    assert limit_hit_by(flat) in ("memory", "time", "steps", "list size")


def test_many_warnings_do_not_pile_up() -> None:
    result = feel.parse("for i in 1..5000 return missing + i").evaluate({})
    assert len(result.warnings) <= 100


@pytest.mark.parametrize(
    "text",
    [
        "x in (" * 70 + "1" + ") + 1" * 70,
        "x in (" * 70,
        "[1..2[" * 60,
        "]1..a[b[" * 60,
        "[1..a[" * 70 + "1" + "]" * 70,
        "f(a: " * 70 + "1" + ")" * 70,
        "{" + ", ".join(f"k{number}: 1" for number in range(9000)) + "}",
        "for " + ", ".join(f"a{number} in b" for number in range(5000)) + " return 1",
        "a" + ".b" * 5000,
        "a" + "[1]" * 5000,
        "f" + "()" * 5000,
        "a " * 50_000,
        "/*" * 40_000,
        "9" * 90_000,
    ],
)
def test_no_text_takes_long_to_parse(text: str) -> None:
    started = time.process_time()
    message = ""
    for parse in (feel.parse, feel.parse_unary_tests):
        try:
            parse(text)
        except feel.FeelSyntaxError as error:
            message = str(error)
    assert len(message) < 400
    assert time.process_time() - started < PATIENCE
