"""The static check: what is probably wrong is found without evaluating."""

from __future__ import annotations

import pytest

import feel
from feel.types import Type


def findings(text: str, *known: str) -> list[str]:
    return [str(finding) for finding in feel.check(feel.parse(text), known if known else None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('substr("a", 1)', "there is no function `substr`; did you mean `substring`?"),
        (
            'substring("a")',
            "`substring` is called as substring(string: string, start position: number, length?: number)",
        ),
        ("substring(text: a, start position: 1)", "`substring` is called as"),
        ("a > 5 and a < 3", "no value of `a` fulfils all of this"),
        ("5 < a and a = 4", "no value of `a` fulfils all of this"),
        ('a.b = "x" and a.b = "y"', "no value of `a.b` fulfils all of this"),
        ("a > 5 and b and a <= 5", "no value of `a` fulfils all of this"),
        ("a between 9 and 1", "nothing lies between number 9 and number 1"),
        ("a in (3..3]", "nothing lies between number 3 and number 3"),
        ('count(a) = "3"', "a number is never comparable with a string"),
        ("string(a) > 3", "a string and a number have no order"),
        ("not(a) > 3", "a boolean has no order, so `>` is never true"),
        ('a = @"2024-13-01"', '@"2024-13-01" is no date, time, date and time or duration'),
    ],
)
def test_finds(text: str, message: str) -> None:
    found = findings(text)
    assert len(found) == 1
    assert found[0].startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "a > 3 and a < 5",
        "a >= 5 and a <= 5",
        "a > 5 or a < 3",
        "a != 3 and a != 4",
        'date("2024-01-01") < now()',
        "a = null",
        "min(a) > 3 and max(a) < 1",
        "for x in a return x * 2",
        "{f: function(x) x, r: f(1)}.r",
        'a[price > 3 and name = "x"].price',
        "is(value1: 1, value2: 2)",
        "max(1, 2, 3)",
    ],
)
def test_finds_nothing_wrong(text: str) -> None:
    assert findings(text, "a") == []


def test_unknown_variables_are_found_where_it_is_said_what_is_known() -> None:
    assert findings("quotes.total > 3", "quote", "car") == ["variable `quotes` is not known; did you mean `quote`?"]
    assert findings("quotes.total > 3") == []
    assert findings("items[price > limit]", "items") == []
    assert findings("some x in items satisfies x.price > y", "items") == ["variable `y` is not known"]


def test_known_types_are_used() -> None:
    found = feel.check(feel.parse('total = "much" and name < "b"'), {"total": Type("number"), "name": Type("string")})
    assert [(finding.kind, finding.position) for finding in found] == [("never true", 6)]


def test_functions_of_the_environment_are_known() -> None:
    assert feel.check(feel.parse("double(2)"), functions=["double"]) == []


def test_cells_are_checked_too() -> None:
    assert [finding.kind for finding in feel.check(feel.parse_unary_tests("[9..1], 3"))] == ["never true"]
