"""What is an expression, and what it means by its form."""

from __future__ import annotations

from decimal import Decimal

import pytest

import feel
from tests.feel.helpers import as_json, evaluate, refusal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ** 3 ** 2", 64),
        ("-2 ** 2", 4),
        ("10 - 2 - 3", 5),
        ("true or false and false", True),
        ("1 < 2 and 2 < 3", True),
        ("if true then 1 else 2 + 3", 1),
        ("for x in [1, 2] return x * 2", [2, 4]),
        ("[1, 2, 3][item > 1]", [2, 3]),
        ("{a: 1, b: a + 1}.b", 2),
        ("{f: function(x) x + 1, r: f(2)}.r", 3),
        ("(function(x) x * 2)(4)", 8),
        ("1 in (2, 3) or 1 in [1..2]", True),
        ("5 in ]5..7]", False),
        ("5 in [5..7[", True),
        ("7 in [5..7[", False),
        ("[[1..5[, 3]", [{"start": 1, "start included": True, "end": 5, "end included": False}, 3]),
        ("[1..[2, 3][1]]", {"start": 1, "start included": True, "end": 2, "end included": True}),
        ("1 // one\n + /* two */ 1", 2),
        ('"a\\u4e2d\\"\\n"', 'a中"\n'),
        ('"\\uD83D\\uDC0E"', "🐎"),
        ("\u3000 1\u00a0+ 2", 3),
        (".5 + 1.5e1", 15.5),
        ("x between 1 and 3 and true", True),
        ("stddev([2, 4, 7, 5]) = 2.081665999466132735282297706979931", True),
        ("some x in [1, 2], y in [2, 3] satisfies x = y", True),
        ("every x in [] satisfies false", True),
    ],
)
def test_forms(text: str, value: object) -> None:
    assert as_json(text, x=2) == value


def test_money_is_exact() -> None:
    assert evaluate("0.1 + 0.2 = 0.3") is True
    assert evaluate("1 / 3") == Decimal("0.3333333333333333333333333333333333")


def test_names_may_be_chinese_and_hold_spaces() -> None:
    assert as_json("订单.总 金额 * 2", 订单={"总 金额": 21}) == 42


def test_spaces_inside_a_name_do_not_count() -> None:
    assert as_json("first   name", **{"first name": "Li"}) == "Li"


def test_the_longest_known_name_wins() -> None:
    context = feel.from_json({"a": 5, "b": 3, "a-b": 100, "profit and loss": 7, "2nd": 1})
    assert feel.parse("a-b", names=context).evaluate(context).value == 100
    assert feel.parse("a - b", names=["a", "b"]).evaluate(context).value == 2
    assert feel.parse("profit and loss + 1", names=context).evaluate(context).value == 8


def test_a_name_in_backticks_is_taken_as_it_stands() -> None:
    assert as_json("`a-b` + 1", **{"a-b": 2}) == 3


def test_names_made_by_the_expression_itself_are_known_in_it() -> None:
    assert as_json('{"a-b": 1, c: a-b + 1}.a-b') == 1
    assert as_json("for a-b in [1, 2] return a-b + 1") == [2, 3]
    assert as_json("(function(in-put) in-put * 2)(2)") == 4


def test_a_variable_may_be_named_like_a_function() -> None:
    assert as_json("count + count([1, 2])", count=40) == 42
    assert as_json("for count in [40] return count + count([1, 2])") == [42]


def test_the_variables_of_an_expression() -> None:
    text = "for i in items[price > limit] return i.price * rate + count([x]) + {a: 1, b: a}.b"
    assert feel.parse(text).variables == {"items", "price", "limit", "rate", "x"}


def test_unary_tests_know_their_input() -> None:
    def passes(cell: str, value: object) -> object:
        return feel.parse_unary_tests(cell).evaluate({"?": feel.from_json(value)}).value

    assert passes("-", None) is True
    assert passes("< 5", 3) is True
    assert passes("1, 2, [5..7]", 6) is True
    assert passes("not(1, 2)", 2) is False
    assert passes("not(1, 2)", 3) is True
    assert passes('"a", "b"', "b") is True
    assert passes("? > 3 and ? < 5", 4) is True
    assert passes("null", None) is True
    assert passes("true", False) is False
    assert passes("false", False) is True
    assert passes('starts with(?, "A")', "Ab") is True
    assert passes("[1, 2, 3]", 2) is True


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1 +", 4, "the expression ends here; expected an expression"),
        ("if a then b", 12, "expected `else`"),
        ('"abc', 1, "the string that starts here is never closed"),
        ("/* abc", 1, "the comment that starts here is never closed"),
        ("[1, 2", 6, "expected `]`"),
        ("a b ) c", 5, "`)` cannot stand here"),
        ("f(a: 1, 2)", 9, "cannot be mixed"),
        ("1 = = 2", 5, "`=` cannot stand here"),
        ("x instance of", 14, "expected a type"),
        ("for x return x", 15, "expected `in`"),
        ("1e9999", 1, "out of range"),
        ("", 1, "the expression ends here"),
        ("a ≥ 3", 3, "FEEL writes `>=`"),
        ("“是”", 1, 'FEEL writes `"`'),
    ],
)
def test_a_wrong_expression_points_at_the_character(text: str, column: int, message: str) -> None:
    error = refusal(text)
    assert message in str(error)
    assert error.column == column


def test_an_error_on_a_later_line_says_so() -> None:
    error = refusal("a +\n  * b")
    assert (error.line, error.column) == (2, 3)
    assert error.pointer("a +\n  * b") == "  * b\n  ^"


def test_deep_nesting_and_endless_text_are_refused() -> None:
    assert "nested too deeply" in str(refusal("(" * 5000 + "1" + ")" * 5000))
    assert "nested too deeply" in str(refusal("-" * 5000 + "1"))
    assert "at most" in str(refusal("1" * 200_000))
    assert "nested too deeply" in str(refusal("1 instance of " + "list<" * 500 + "number" + ">" * 500))


def test_long_chains_are_not_deep() -> None:
    assert as_json(" + ".join(["1"] * 5000)) == 5000
    assert as_json(" and ".join(["true"] * 5000)) is True


def test_the_same_text_is_parsed_once() -> None:
    assert feel.parse("a + 1") is feel.parse("a + 1")
