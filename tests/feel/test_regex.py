"""Regular expressions are XPath's, and bounded."""

from __future__ import annotations

import pytest

import feel
from tests.feel.helpers import as_json, evaluate, warnings_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'matches("京A12345", "^\p{IsCJKUnifiedIdeographs}[A-Z][A-Z0-9]{5}$")', True),
        (r'matches("a-b", "\w-\w")', True),
        (r'matches("abc", "[a-z-[b]]{3}")', False),
        (r'replace("2024-02-29", "(\d+)-(\d+)-(\d+)", "$3.$2.$1")', "29.02.2024"),
        (r'replace("a.b", ".", "$0", "q")', "a$0b"),
        (r'replace("abc", "B", "\$", "i")', "a$c"),
        (r'split("a1b22c", "\d+")', ["a", "b", "c"]),
        (r'matches("x", "\i\c*")', True),
        ('matches("a\\nb", "a.b")', False),
        ('matches("a\\nb", "a.b", "s")', True),
        (r'matches("aa", "(a)\1")', True),
    ],
)
def test_patterns(text: str, value: object) -> None:
    assert as_json(text) == value


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?i)a", "(?P<n>a)", "a**", "a{2,1}", "[b-a]", "[]", "(", ")", "\\\\1", "\\\\p{Nope}", "a{1001}",
        "(?#x)", "\\\\A", "\\\\bword", "[[:alpha:]]", "a{,3}",
    ],
)  # fmt: skip
def test_what_xpath_does_not_have_is_refused(pattern: str) -> None:
    assert evaluate(f'matches("a", "{pattern}")') is None
    assert warnings_of(f'matches("a", "{pattern}")')


def test_a_replacement_of_nothing_is_refused() -> None:
    assert evaluate('replace("abc", "x*", "-")') is None


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(a?){30}a{30}$", "((a*)*)*$"])
def test_no_pattern_hangs(pattern: str) -> None:
    environment = feel.Environment(limits=feel.Limits(seconds=1, regex_seconds=0.1))
    expression = feel.parse(f'matches(text, "{pattern}")')
    try:
        outcome = expression.evaluate({"text": "a" * 5000 + "b"}, environment).value
    except feel.FeelLimitExceeded as error:
        outcome = error.limit
    assert outcome in (True, False, "regular expression", "time")
