"""What holds for every form and whatever is sent: no crash, nothing foreign comes out, what comes out is valid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from database import dumps, loads
from tasks.forms import check, input_names, read
from tests.tasks.form_makers import enter, field, schema

OPTIONS = [{"label": "A", "value": "a"}, {"label": "One", "value": 1}, {"label": "Yes", "value": True}]

KEYS = st.sampled_from(["a", "b", "c", "d.e", "d.f"])
TEXT = st.text(max_size=8)
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | st.sampled_from(["a", "2025-03-31", "16:30"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "d", "e"]), inner, max_size=3)
    ),
    max_leaves=8,
)
CONDITIONS = st.sampled_from([{}, {"conditional": {"hide": "=a = null"}}, {"conditional": {"hide": "=this.b > 3"}}])
RULES = st.fixed_dictionaries(
    {},
    optional={
        "required": st.booleans(),
        "min": st.integers(-5, 5),
        "max": st.integers(5, 50),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(3, 9),
        "pattern": st.sampled_from(["^a", "[0-9]", r"\w+$"]),
    },
)
KINDS = st.sampled_from(
    [
        {"type": "textfield"},
        {"type": "textarea"},
        {"type": "number"},
        {"type": "number", "decimalDigits": 1},
        {"type": "number", "serializeToString": True},
        {"type": "checkbox"},
        {"type": "radio", "values": OPTIONS},
        {"type": "select", "valuesKey": "b"},
        {"type": "checklist", "values": OPTIONS},
        {"type": "taglist", "valuesExpression": "=[a, b]"},
        {"type": "datetime", "subtype": "date"},
        {"type": "datetime", "subtype": "time", "timeSerializingFormat": "utc_offset"},
        {"type": "expression", "expression": "=a"},
    ]
)


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    read_only = draw(st.sampled_from([{}, {}, {"readonly": True}, {"readonly": "=b = 1"}, {"disabled": True}]))
    kind = draw(KINDS)
    return {**field(kind["type"], draw(KEYS)), **kind, **draw(CONDITIONS), **read_only, "validate": draw(RULES)}


def containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    parts = st.lists(inner, max_size=3)
    group = st.builds(lambda parts, more: {"type": "group", "components": parts, **more}, parts, CONDITIONS)
    placed = st.builds(lambda parts: {"type": "group", "path": "d", "components": parts}, parts)
    rows = st.builds(
        lambda parts, fixed: {"type": "dynamiclist", "path": "c", "components": parts, "allowAddRemove": fixed},
        parts,
        st.booleans(),
    )
    return group | placed | rows


FORMS = st.lists(st.recursive(fields(), containers, max_leaves=6), max_size=5).map(lambda parts: schema(*parts))
DATA = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "x"]), JSON, max_size=5)


@settings(max_examples=100, deadline=None)
@given(FORMS, DATA, DATA)
def test_only_inputs_of_the_form_come_out_whatever_is_sent(
    form: dict[str, Any], entered: dict[str, Any], variables: dict[str, Any]
) -> None:
    if check(form):
        return
    before = (dumps(entered), dumps(variables))

    validation = enter(form, entered, variables)

    assert validation.variables.keys() <= input_names(read(form))
    assert (dumps(entered), dumps(variables)) == before
    # What comes out can be stored and comes back the same.
    assert loads(dumps(validation.variables)) == validation.variables


@settings(max_examples=100, deadline=None)
@given(FORMS, DATA, DATA)
def test_what_was_accepted_is_accepted_again_and_changes_nothing(
    form: dict[str, Any], entered: dict[str, Any], variables: dict[str, Any]
) -> None:
    if check(form):
        return
    first = enter(form, entered, variables)
    if not first.valid:
        return
    after = {**variables, **first.variables}

    second = enter(form, first.variables, after)

    # A bound or an option may depend on what has just changed; but then it is told, and never taken otherwise.
    if second.valid:
        assert {name: second.variables.get(name, after.get(name)) for name in first.variables} == first.variables


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
def test_numbers_are_exact(number: Decimal) -> None:
    form = schema(field("number"))

    assert enter(form, loads(dumps({"it": number}))).variables == {"it": number}


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_the_gate_answers_for_any_json(value: Any) -> None:
    assert isinstance(check({"components": value}), list)
    assert isinstance(check({"components": [value]}), list)
