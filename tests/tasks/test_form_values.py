"""What is entered in one field: taken if it is of the field's type, refused with a sentence otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from database import loads
from tests.tasks.form_makers import enter, field, schema, sentences

COLOURS = [{"label": "Red", "value": "red"}, {"label": "Blue", "value": "blue"}]


@pytest.mark.parametrize(
    ("component", "entered", "kept"),
    [
        (field("textfield"), "沪A 12345", "沪A 12345"),
        (field("textfield"), "one\ntwo", "one two"),
        (field("textfield"), None, ""),
        (field("textarea"), "one\ntwo", "one\ntwo"),
        (field("number"), 3, 3),
        (field("number"), Decimal("0.10"), Decimal("0.10")),
        (field("number"), None, None),
        (field("number"), "", None),
        (field("number", serializeToString=True), "0.10", "0.10"),
        (field("number", serializeToString=True), 5, "5"),
        (field("checkbox"), True, True),
        (field("checkbox"), None, False),
        (field("radio", values=COLOURS), "red", "red"),
        (field("select", values=COLOURS), None, None),
        (field("select", values=[{"label": "One", "value": 1}]), 1, 1),
        (field("checklist", values=COLOURS), ["blue", "red"], ["blue", "red"]),
        (field("checklist", values=COLOURS), ["red", "red"], ["red"]),
        (field("taglist", values=COLOURS), None, []),
        (field("datetime", subtype="date"), "2024-02-29", "2024-02-29"),
        (field("datetime", subtype="time"), "16:30", "16:30:00"),
        (field("datetime", subtype="time"), "16:30:05", "16:30:05"),
        (field("datetime", subtype="time", timeSerializingFormat="utc_normalized"), "08:30Z", "08:30:00Z"),
        (field("datetime", subtype="datetime"), "2025-03-31T16:30", "2025-03-31T16:30:00"),
        (
            field("datetime", subtype="datetime", timeSerializingFormat="utc_offset"),
            "2025-03-31T16:30+08:00",
            "2025-03-31T16:30:00+08:00",
        ),
        (field("datetime"), None, None),
        (field("filepicker"), None, None),
    ],
)
def test_a_value_of_the_right_type_is_kept(component: dict[str, Any], entered: Any, kept: Any) -> None:
    validation = enter(schema(component), {"it": entered})

    assert validation.valid, sentences(validation)
    assert validation.variables == {"it": kept}
    assert type(validation.variables["it"]) is type(kept)


@pytest.mark.parametrize(
    ("component", "entered", "sentence"),
    [
        (field("textfield"), 5, "This must be text."),
        (field("textarea"), ["a"], "This must be text."),
        (field("number"), "5", "This must be a number."),
        (field("number"), True, "This must be a number."),
        (field("number"), "NaN", "This must be a number."),
        (field("number"), {"a": 1}, "This must be a number."),
        (field("number"), 10**35 + 1, "This number has too many digits."),
        (field("number"), Decimal("1e101"), "This number has too many digits."),
        (field("number", serializeToString=True), "1,5", "This must be a number."),
        (field("number", serializeToString=True), "Infinity", "This must be a number."),
        (field("checkbox"), "true", "This must be yes or no."),
        (field("checkbox"), 1, "This must be yes or no."),
        (field("radio", values=COLOURS), "green", "Please choose one of the options."),
        (field("radio", values=[{"label": "One", "value": 1}]), True, "Please choose one of the options."),
        (field("select", values=[{"label": "One", "value": 1}]), "1", "Please choose one of the options."),
        (field("checklist", values=COLOURS), "red", "This must be a list."),
        (field("taglist", values=COLOURS), ["red", "green"], "Please choose one of the options."),
        (field("datetime", subtype="date"), "2025-02-30", "This must be a date, for example 2025-03-31."),
        (field("datetime", subtype="date"), "31.3.2025", "This must be a date, for example 2025-03-31."),
        (field("datetime", subtype="date"), 20250331, "This must be a date, for example 2025-03-31."),
        (field("datetime", subtype="time"), "25:00", "This must be a time, for example 16:30."),
        (field("datetime", subtype="time"), "16:30Z", "This must be a time, for example 16:30."),
        (
            field("datetime", subtype="datetime"),
            "2025-03-31",
            "This must be a date and a time, for example 2025-03-31T16:30.",
        ),
        (
            field("datetime", subtype="datetime", timeSerializingFormat="utc_offset"),
            "2025-03-31T16:30",
            "This must be a date and a time, for example 2025-03-31T16:30.",
        ),
        (field("filepicker"), "files::1", "Files cannot be uploaded here."),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(component: dict[str, Any], entered: Any, sentence: str) -> None:
    validation = enter(schema(component), {"it": entered})

    assert sentences(validation) == {"it": [sentence]}
    assert validation.variables == {}


def test_money_keeps_every_digit_from_the_request_to_the_variable() -> None:
    entered = loads('{"it": 1234567890123456.78}')

    assert enter(schema(field("number")), entered).variables == {"it": Decimal("1234567890123456.78")}


def test_only_the_forms_own_inputs_come_out() -> None:
    form = schema(field("textfield", "plate"), {"type": "text", "id": "Text_1", "text": "Hello"})

    validation = enter(form, {"plate": "沪A 12345", "discount": 99, "Text_1": "x"}, {"discount": 0})

    assert validation.variables == {"plate": "沪A 12345"}
