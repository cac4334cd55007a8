"""Fields in relation: hidden, read-only, computed, with defaults, in groups, in rows of a list, with given options."""

from __future__ import annotations

from typing import Any

from tests.tasks.form_makers import enter, field, schema, sentences

REQUIRED = {"validate": {"required": True}}


def hidden_if(condition: str) -> dict[str, Any]:
    return {"conditional": {"hide": f"={condition}"}}


def test_a_hidden_field_is_neither_required_nor_taken() -> None:
    form = schema(field("checkbox", "insured"), field("textfield", "policy", **REQUIRED, **hidden_if("not(insured)")))

    validation = enter(form, {"insured": False, "policy": "sneaked in"})

    assert validation.valid
    assert validation.variables == {"insured": False}


def test_a_field_that_is_shown_is_required_again() -> None:
    form = schema(field("checkbox", "insured"), field("textfield", "policy", **REQUIRED, **hidden_if("not(insured)")))

    assert sentences(enter(form, {"insured": True})) == {"policy": ["This field is required."]}


def test_everything_in_a_hidden_group_is_hidden() -> None:
    group = {"type": "group", "components": [field("textfield", "policy", **REQUIRED)], **hidden_if("not(insured)")}

    assert enter(schema(field("checkbox", "insured"), group), {"insured": False}).variables == {"insured": False}


def test_a_condition_does_not_see_a_field_that_is_hidden_itself() -> None:
    form = schema(
        field("checkbox", "insured"),
        field("textfield", "insurer", **hidden_if("not(insured)")),
        field("textfield", "policy", **REQUIRED, **hidden_if('insurer != "PICC"')),
    )

    assert enter(form, {"insured": False, "insurer": "PICC"}).variables == {"insured": False}


def test_a_condition_sees_the_variables_of_the_case() -> None:
    form = schema(field("textfield", "reason", **REQUIRED, **hidden_if("total < 1000")))

    assert enter(form, {}, {"total": 999}).valid
    assert not enter(form, {}, {"total": 1000}).valid


def test_a_condition_that_cannot_be_evaluated_hides_nothing() -> None:
    form = schema(field("textfield", "reason", **REQUIRED, **hidden_if("date(nonsense) > 5")))

    assert not enter(form, {}).valid


def test_read_only_and_disabled_fields_cannot_be_changed() -> None:
    form = schema(
        field("number", "price", readonly=True),
        field("number", "limit", disabled=True),
        field("number", "total", readonly="=price > 50"),
        field("textfield", "note"),
    )
    variables = {"price": 100, "limit": 10, "total": 100}

    validation = enter(form, {"price": 1, "limit": 1, "total": 1, "note": "ok"}, variables)

    assert validation.valid
    assert validation.variables == {"note": "ok"}


def test_a_forged_read_only_value_does_not_move_a_condition() -> None:
    form = schema(
        field("checkbox", "approved", readonly=True),
        field("textfield", "reason", **REQUIRED, **hidden_if("approved")),
    )

    assert sentences(enter(form, {"approved": True}, {"approved": False})) == {"reason": ["This field is required."]}


def test_a_field_that_is_not_sent_has_its_variable_or_its_default() -> None:
    form = schema(field("textfield", "team", defaultValue="A", **REQUIRED), field("textfield", "note"))

    assert enter(form, {}).variables == {"team": "A", "note": ""}
    assert enter(form, {}, {"team": "B"}).variables == {"team": "B", "note": ""}
    assert not enter(form, {"team": ""}, {"team": "B"}).valid


def test_an_expression_field_is_computed_here_and_not_believed() -> None:
    form = schema(
        field("expression", "gross", expression="=net * 1.13"),
        field("expression", "net", expression="=price * count"),
        field("number", "price"),
        field("number", "count"),
    )

    validation = enter(form, {"price": 100, "count": 2, "net": 1, "gross": 1})

    assert validation.variables == {"price": 100, "count": 2, "net": 200, "gross": 226}


def test_options_come_from_a_variable() -> None:
    form = schema(field("select", "team", valuesKey="teams"))
    variables = {"teams": ["A", {"label": "Team B", "value": "B"}]}

    assert enter(form, {"team": "B"}, variables).valid
    assert not enter(form, {"team": "C"}, variables).valid
    assert not enter(form, {"team": "A"}).valid


def test_the_options_in_a_variable_cannot_be_sent_along() -> None:
    form = schema(field("select", "team", valuesKey="teams"))

    assert not enter(form, {"team": "C", "teams": ["C"]}, {"teams": ["A"]}).valid


def test_options_come_from_an_expression() -> None:
    form = schema(field("radio", "hour", valuesExpression="=for i in 9..11 return i"))

    assert enter(form, {"hour": 10}).valid
    assert not enter(form, {"hour": 12}).valid


def test_a_dotted_key_and_a_group_with_a_path_write_into_an_object() -> None:
    form = schema(
        field("textfield", "customer.name"),
        {"type": "group", "path": "customer.car", "components": [field("textfield", "plate")]},
        {"type": "group", "components": [field("textfield", "note")]},
    )
    entered = {"customer": {"name": "张先生", "car": {"plate": "沪A 12345"}}, "note": "ok"}

    assert enter(form, entered).variables == entered


def test_what_a_group_does_not_show_of_an_object_survives() -> None:
    form = schema({"type": "group", "path": "car", "components": [field("textfield", "plate")]})
    before = {"car": {"plate": "old", "mileage": 5}}

    assert enter(form, {"car": {"plate": "new", "mileage": 0}}, before).variables == {
        "car": {"plate": "new", "mileage": 5}
    }
    assert before == {"car": {"plate": "old", "mileage": 5}}


def test_a_group_that_is_no_object_is_refused() -> None:
    form = schema({"type": "group", "path": "car", "components": [field("textfield", "plate")]})

    assert sentences(enter(form, {"car": "BMW"})) == {"car": ["This must be a group of values."]}


PARTS = {
    "type": "dynamiclist",
    "path": "parts",
    "id": "List_parts",
    "components": [
        field("textfield", "name", **REQUIRED),
        field("number", "price", validate={"min": 0}),
    ],
}


def test_the_rows_of_a_list_are_checked_one_by_one() -> None:
    entered = {"parts": [{"name": "filter", "price": 20, "stock": 5}, {"name": "", "price": -1}]}

    assert sentences(enter(schema(PARTS), entered)) == {
        "parts[1].name": ["This field is required."],
        "parts[1].price": ["This must be at least 0."],
    }


def test_rows_can_be_added_and_removed_and_hold_only_their_fields() -> None:
    before = {"parts": [{"name": "old", "price": 1}, {"name": "older", "price": 2}]}

    assert enter(schema(PARTS), {"parts": [{"name": "new", "price": 3, "stock": 5}]}, before).variables == {
        "parts": [{"name": "new", "price": 3}]
    }
    assert enter(schema(PARTS), {"parts": []}, before).variables == {"parts": []}


def test_a_list_that_is_not_sent_stays_as_it_is() -> None:
    before = {"parts": [{"name": "old", "price": 1}]}

    assert enter(schema(PARTS), {}, before).variables == before


def test_rows_must_be_rows() -> None:
    for wrong in ("filter", ["filter"], {"0": {"name": "filter"}}):
        assert sentences(enter(schema(PARTS), {"parts": wrong}, {"parts": [{"name": "a", "price": 1}]})) == {
            "parts": ["This must be a list."]
        }


def test_a_list_cannot_grow_without_end() -> None:
    validation = enter(schema(PARTS), {"parts": [{"name": "a", "price": 1}] * 1001})

    assert sentences(validation)["parts"] == ["There are more rows here than a form can hold."]


def test_fixed_rows_keep_their_number_and_what_the_form_does_not_show() -> None:
    fixed = {
        **PARTS,
        "allowAddRemove": False,
        "components": [field("textfield", "name", readonly=True), field("number", "price")],
    }
    before = {"parts": [{"name": "a", "price": 1, "stock": 7}, {"name": "b", "price": 2, "stock": 8}]}

    changed = enter(schema(fixed), {"parts": [{"name": "b", "price": 10}, {"name": "a", "price": 20}]}, before)

    assert changed.variables == {
        "parts": [{"name": "a", "price": 10, "stock": 7}, {"name": "b", "price": 20, "stock": 8}]
    }
    assert sentences(enter(schema(fixed), {"parts": [{"price": 1}]}, before)) == {
        "parts": ["Rows cannot be added or removed here."]
    }


def test_a_read_only_column_keeps_its_values_when_rows_move() -> None:
    movable = {**PARTS, "components": [field("number", "price", readonly=True), field("textfield", "note")]}
    before = {"parts": [{"price": 10}, {"price": 20}]}

    moved = enter(schema(movable), {"parts": [{"price": 20, "note": "x"}, {"price": 1, "note": "y"}]}, before)

    assert moved.variables == {"parts": [{"price": 20, "note": "x"}, {"price": None, "note": "y"}]}


def test_conditions_in_a_row_see_the_row_and_what_is_around_it() -> None:
    rows = {
        **PARTS,
        "components": [
            field("checkbox", "own"),
            field("textfield", "supplier", **REQUIRED, **hidden_if("this.own or parent.urgent or i[1] = 1")),
        ],
    }
    form = schema(field("checkbox", "urgent"), rows)
    entered = {"urgent": False, "parts": [{"own": False}, {"own": True}, {"own": False}]}

    assert sentences(enter(form, entered)) == {"parts[2].supplier": ["This field is required."]}
    assert enter(form, {**entered, "urgent": True}).valid


def test_lists_in_lists() -> None:
    inner = {"type": "dynamiclist", "path": "hours", "components": [field("number", "count", validate={"max": 8})]}
    outer = {"type": "dynamiclist", "path": "teams", "components": [field("textfield", "name"), inner]}

    entered = {"teams": [{"name": "A", "hours": [{"count": 8}, {"count": 9}]}]}

    assert sentences(enter(schema(outer), entered)) == {"teams[0].hours[1].count": ["This must be at most 8."]}


def test_a_hidden_list_is_not_taken() -> None:
    form = schema(field("checkbox", "extra"), {**PARTS, **hidden_if("not(extra)")})

    assert enter(form, {"extra": False, "parts": [{"name": ""}]}).variables == {"extra": False}


def test_a_list_begins_with_as_many_rows_as_the_form_says() -> None:
    optional = {**PARTS, "components": [field("textfield", "name")]}

    assert enter(schema({**optional, "defaultRepetitions": 2}), {}).variables == {"parts": [{"name": ""}, {"name": ""}]}
    assert len(enter(schema({**optional, "defaultRepetitions": 10**9}), {}).variables["parts"]) == 1000
