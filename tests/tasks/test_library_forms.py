"""Every form of the library: the gate lets it pass, a person can fill it in, and nonsense in any field is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.forms import check
from tests.tasks.form_makers import enter, field, schema, sentences

LIBRARY = Path(__file__).resolve().parents[2] / "bpmn"
FORMS = sorted(LIBRARY.glob("*/*.form"))

each_form = pytest.mark.parametrize("path", FORMS, ids=lambda path: f"{path.parent.name}/{path.stem}")


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def values_for(component: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What a person may enter in one field."""
    rules = component.get("validate", {})
    chosen = [option["value"] for option in component.get("values", [])]
    match component["type"]:
        case "number":
            lowest, highest = int(rules.get("min", 0)), int(rules.get("max", 1000))
            return st.integers(lowest, highest)
        case "checkbox":
            return st.just(True) if rules.get("required") else st.booleans()
        case "radio" | "select":
            return st.sampled_from(chosen)
        case "checklist" | "taglist":
            return st.lists(st.sampled_from(chosen), min_size=1, unique=True)
        case "datetime":
            date = st.dates().filter(lambda day: day.year >= 1000).map(str)
            if component.get("subtype") == "datetime":
                return date.map(lambda day: f"{day}T16:30:00+08:00")
            return st.just("16:30:00") if component.get("subtype") == "time" else date
        case "textfield" | "textarea":
            if "pattern" in rules:
                return st.from_regex(rules["pattern"].replace("$", r"\Z"))
            shortest, longest = rules.get("minLength", 1), rules.get("maxLength", 40)
            return st.text("修理客户abcABC019", min_size=shortest, max_size=longest)
    raise AssertionError(f"how is a {component['type']} filled in?")


def filled_in(components: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A whole form (or row) as a person may fill it in."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for component in components:
        if component["type"] == "group":
            assert "path" not in component
            fields.update(filled_in_fields(component["components"]))
        else:
            fields.update(filled_in_fields([component]))
    return st.fixed_dictionaries(fields)


def filled_in_fields(components: list[dict[str, Any]]) -> dict[str, st.SearchStrategy[Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for component in components:
        if component["type"] == "dynamiclist":
            fields[component["path"]] = st.lists(filled_in(component["components"]), min_size=1, max_size=3)
        elif component["type"] == "group":
            fields.update(filled_in_fields(component["components"]))
        elif "key" in component:
            fields[component["key"]] = values_for(component)
    return fields


def inputs(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every field outside of lists."""
    for component in components:
        if component["type"] == "group":
            yield from inputs(component["components"])
        elif "key" in component:
            yield component


def test_there_are_forms() -> None:
    assert len(FORMS) >= 17


@each_form
def test_the_gate_lets_it_pass(path: Path) -> None:
    assert check(load(path)) == []


@each_form
def test_a_person_can_fill_it_in(path: Path) -> None:
    form = load(path)

    @settings(max_examples=20, deadline=None)
    @given(filled_in(form["components"]))
    def fill_in(entered: dict[str, Any]) -> None:
        validation = enter(form, entered)
        assert sentences(validation) == {}
        # What is shown is taken as it was entered; what is hidden is left out.
        assert validation.variables == {name: entered[name] for name in validation.variables}

    fill_in()


@each_form
def test_nonsense_in_a_field_is_told_at_that_field(path: Path) -> None:
    for component in inputs(load(path)["components"]):
        shown = {name: value for name, value in component.items() if name != "conditional"}

        validation = enter(schema(shown), {component["key"]: {"not": "a value"}})

        assert validation.errors.keys() == {component["key"]}, component
        assert validation.variables == {}


@each_form
def test_what_is_required_is_required(path: Path) -> None:
    for component in inputs(load(path)["components"]):
        shown = {name: value for name, value in component.items() if name != "conditional"}
        empty = "defaultValue" not in component and not component.get("readonly")
        required = empty and component.get("validate", {}).get("required", False)

        assert enter(schema(shown), {}).valid is not required, component


def test_a_field_that_nobody_knows_how_to_fill_in_would_fail_here() -> None:
    with pytest.raises(AssertionError):
        values_for(field("filepicker"))
