"""The deployment gate for forms: each thing that nobody could fill in is told, with the component's id."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.forms import check
from tests.tasks.form_makers import field, schema

OPTIONS = [{"label": "A", "value": "a"}]


def test_a_form_of_every_known_component_has_no_problem() -> None:
    form = schema(
        field("textfield", "a", validate={"required": True, "pattern": "^[A-Z]+$", "minLength": 1, "maxLength": 9}),
        field("textarea", "b"),
        field("number", "c", decimalDigits=2, increment="0.5", validate={"min": "=a", "max": 10}),
        field("checkbox", "d", conditional={"hide": "=c > 5"}),
        field("checklist", "e", values=OPTIONS),
        field("taglist", "f", valuesKey="tags"),
        field("radio", "g", values=OPTIONS),
        field("select", "h", valuesExpression="=list"),
        field("datetime", "i", subtype="datetime", timeSerializingFormat="no_timezone"),
        field("expression", "j", expression="=c * 2"),
        {"type": "group", "id": "G", "components": [field("textfield", "k")]},
        {"type": "dynamiclist", "id": "L", "path": "rows", "components": [field("textfield", "a")]},
        *({"type": kind, "id": kind} for kind in ("text", "html", "image", "table", "iframe", "button")),
        *({"type": kind, "id": kind} for kind in ("spacer", "separator", "documentPreview")),
    )

    assert check(form) == []


@pytest.mark.parametrize(
    ("component", "part_of_the_sentence"),
    [
        (field("signature"), "type `signature` are not known"),
        ({"key": "it", "id": "Field_it"}, "has no type"),
        (field("filepicker"), "files cannot be uploaded"),
        (field("textfield", ""), "needs a key"),
        (field("textfield", "a..b"), "needs a key"),
        ({"type": "dynamiclist", "components": []}, "needs a path"),
        (field("textfield", conditional={"hide": "=a >"}), "`conditional.hide` is not FEEL"),
        (field("textfield", conditional={"hide": "a > 1"}), "must be an expression that begins with `=`"),
        (field("textfield", readonly="=if"), "`readonly` is not FEEL"),
        (field("number", validate={"min": "=1 +"}), "`validate.min` is not FEEL"),
        (field("number", validate={"max": "ten"}), "`max` must be a number"),
        (field("number", validate={"min": 5, "max": 4}), "`min` is greater than `max`"),
        (field("textfield", validate={"minLength": 5, "maxLength": 4}), "`minLength` is greater than `maxLength`"),
        (field("number", decimalDigits="two"), "`decimalDigits` must be a whole number"),
        (field("number", increment="0"), "`increment` must be a positive number"),
        (field("textfield", validate={"pattern": "[a-"}), "is not a regular expression"),
        (field("textfield", validate={"validationType": "plate"}), "`validationType` must be email or phone"),
        (field("expression", expression="a"), "needs an expression"),
        (field("expression", expression="=a +"), "`expression` is not FEEL"),
        (field("radio"), "needs options"),
        (field("radio", values=[]), "needs options"),
        (field("select", values=[{"label": "A"}]), "an option has no value"),
        (field("select", values=[*OPTIONS, *OPTIONS]), "two options have the same value"),
        (field("taglist", valuesExpression="list"), "`valuesExpression` must begin"),
        (field("datetime", subtype="week"), "`subtype` must be"),
        (field("datetime", timeSerializingFormat="local"), "`timeSerializingFormat` must be"),
    ],
)
def test_a_component_that_cannot_work_is_a_problem(component: dict[str, Any], part_of_the_sentence: str) -> None:
    problems = check(schema(component))

    assert [problem for problem in problems if part_of_the_sentence in problem.message]
    assert {problem.element_id for problem in problems} == {component.get("id")}


def test_two_fields_cannot_fill_the_same_variable() -> None:
    inside = {"type": "group", "id": "G", "components": [field("number", "a")]}

    [problem] = check(schema(field("textfield", "a"), inside))

    assert "`a` is used twice" in problem.message


def test_rows_of_a_list_have_names_of_their_own() -> None:
    rows = {"type": "dynamiclist", "id": "L", "path": "rows", "components": [field("textfield", "a")]}

    assert check(schema(field("textfield", "a"), rows)) == []


@pytest.mark.parametrize(
    "form",
    [None, [], "form", {"components": {}}, {"components": ["textfield"]}, {"components": [{"components": [1]}]}],
)
def test_what_is_no_form_at_all_is_a_problem(form: object) -> None:
    assert check(form)


def test_a_form_nested_without_end_is_a_problem() -> None:
    form: dict[str, Any] = schema()
    for _ in range(2000):
        form = {"type": "group", "components": [form]}

    assert ["nested" in problem.message for problem in check(form)] == [True]
