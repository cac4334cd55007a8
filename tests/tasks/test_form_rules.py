"""The rules of fields: required, bounds, lengths, patterns, kinds of text, dates that have passed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.tasks.form_makers import enter, field, schema, sentences

OPTIONS = [{"label": "A", "value": "a"}]


@pytest.mark.parametrize(
    ("component", "entered", "sentence"),
    [
        (field("textfield", validate={"required": True}), "", "This field is required."),
        (field("number", validate={"required": True}), None, "This field is required."),
        (field("checkbox", validate={"required": True}), False, "This field is required."),
        (field("select", values=OPTIONS, validate={"required": True}), None, "This field is required."),
        (field("taglist", values=OPTIONS, validate={"required": True}), [], "This field is required."),
        (field("datetime", validate={"required": True}), None, "This field is required."),
        (field("number", decimalDigits=0), Decimal("1.5"), "This must be a whole number."),
        (field("number", decimalDigits=2), Decimal("1.234"), "At most 2 digits after the decimal point."),
        (field("number", increment="0.05"), Decimal("0.12"), "This must be a multiple of 0.05."),
        (field("number", validate={"min": 1}), 0, "This must be at least 1."),
        (field("number", validate={"max": "99.5"}), Decimal("99.6"), "This must be at most 99.5."),
        (field("number", serializeToString=True, validate={"max": 5}), "6", "This must be at most 5."),
        (field("textfield", validate={"minLength": 3}), "ab ", "At least 3 characters, please."),
        (field("textarea", validate={"maxLength": 3}), "abcd", "At most 3 characters, please."),
        (field("textfield", validate={"pattern": "^[A-Z]{2}$"}), "ab", "This does not have the expected form."),
        (field("textfield", validate={"pattern": r"^\d+$"}), "１２", "This does not have the expected form."),
        (field("textfield", validate={"pattern": "^a$"}), "a b", "This does not have the expected form."),
        (
            field("textfield", validate={"pattern": "^x$", "patternErrorMessage": "必须是 x"}),
            "y",
            "必须是 x",
        ),
        (field("textfield", validate={"validationType": "email"}), "a@", "This is not a valid e-mail address."),
        (
            field("textfield", validate={"validationType": "phone"}),
            "13800138000",
            "Please enter the phone number with its country code, for example +8675512345678.",
        ),
        (field("datetime", disallowPassedDates=True), "2025-03-03", "This date has passed already."),
        (
            field("datetime", subtype="datetime", disallowPassedDates=True),
            "2025-03-03T23:59",
            "This date has passed already.",
        ),
    ],
)
def test_a_broken_rule_is_told_at_the_field(component: dict[str, Any], entered: Any, sentence: str) -> None:
    validation = enter(schema(component), {"it": entered})

    assert sentences(validation) == {"it": [sentence]}
    assert validation.variables == {}


@pytest.mark.parametrize(
    ("component", "entered"),
    [
        (field("number", decimalDigits=2), Decimal("1.500")),
        (field("number", decimalDigits=0), Decimal("1E+3")),
        (field("number", increment="0.1"), Decimal("0.3")),
        (field("number", validate={"min": 0}), 0),
        (field("number", validate={"required": True}), 0),
        (field("textfield", validate={"pattern": "b"}), "abc"),
        (field("textfield", validate={"pattern": r"^[一-龥][A-Z]\s?[A-Z0-9]{5,6}$"}), "沪A 12345"),
        (field("textfield", validate={"pattern": "^x$", "minLength": 5, "validationType": "email"}), ""),
        (field("textfield", validate={"maxLength": 2}), " ab "),
        (field("textfield", validate={"validationType": "email"}), "wang.fang@example.com"),
        (field("textfield", validate={"validationType": "phone"}), "+8613800138000"),
        (field("datetime", disallowPassedDates=True), "2025-03-04"),
    ],
)
def test_a_value_within_the_rules_is_taken(component: dict[str, Any], entered: Any) -> None:
    assert sentences(enter(schema(component), {"it": entered})) == {}


def test_every_broken_rule_has_its_sentence() -> None:
    form = schema(field("number", decimalDigits=0, validate={"max": 5}))

    assert sentences(enter(form, {"it": Decimal("6.5")})) == {
        "it": ["This must be a whole number.", "This must be at most 5."]
    }


def test_a_bound_can_be_an_expression_over_the_other_fields() -> None:
    form = schema(field("number", "price"), field("number", "discount", validate={"max": "=price * 0.1"}))

    assert enter(form, {"price": 200, "discount": 20}).valid
    assert sentences(enter(form, {"price": 100, "discount": 20})) == {"discount": ["This must be at most 10."]}


def test_a_pattern_that_backtracks_for_ever_is_given_up() -> None:
    form = schema(field("textfield", validate={"pattern": "^(a|aa)+$"}))

    assert not enter(form, {"it": "a" * 500 + "!"}).valid
