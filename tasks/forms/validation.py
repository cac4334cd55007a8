"""Validating what was entered in a form against its schema: which variables come out, and what is wrong where."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from feel import Environment
from tasks.forms import options, rules, values
from tasks.forms.components import Path, read
from tasks.forms.entry import Errors, Visit, filled, fixed_rows, settle
from tasks.forms.places import find, put, written
from tasks.forms.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Validation:
    """The outcome: the variables that the form writes, and the sentences for each place that is wrong.

    A place is the component's key; inside groups and lists the path to it, e.g. `items[0].price`.
    """

    variables: dict[str, Any]
    errors: dict[str, tuple[Sentence, ...]]

    @property
    def valid(self) -> bool:
        """Nothing is wrong."""
        return not self.errors


def validate(
    schema: Mapping[str, Any], entered: Mapping[str, Any], variables: Mapping[str, Any], environment: Environment
) -> Validation:
    """Check `entered` against the form `schema` that was opened with `variables`.

    Only the form's own inputs come out. Hidden, disabled and read-only fields keep their variables; a field that was
    not sent has its variable or its default, as if the form was sent untouched. `environment` has the company's time
    and calendar for the form's FEEL expressions.
    """
    components = read(schema)
    errors: Errors = {}
    original = filled(components, variables, {}, {})
    data = filled(components, variables, entered, errors)
    output: dict[str, Any] = {}
    for visit in settle(components, data, original, environment):
        if visit.component.repeats:
            _put_rows(visit, output, data, variables)
            continue
        # A row is written as a whole, so what is read-only in it goes along.
        if visit.read_only and not visit.place.rows:
            continue
        value, sentences = _checked(visit, find(data, visit.path), data)
        if sentences:
            errors.setdefault(written(visit.path), []).extend(sentences)
        else:
            _put(output, visit.path, value, variables)
    return Validation(output, {place: tuple(sentences) for place, sentences in errors.items()})


def _checked(visit: Visit, value: Any, data: Mapping[str, Any]) -> tuple[Any, list[Sentence]]:
    component = visit.component
    if component.type == "expression" or visit.read_only:
        return value, []
    try:
        value = values.read(component, value, lambda: options.values(component, data, visit.place.scope))
    except values.Refused as refusal:
        return None, [refusal.sentence]
    return value, list(rules.broken(component, value, visit.place.scope))


def _put_rows(visit: Visit, output: dict[str, Any], data: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
    rows = find(data, visit.path)
    before = find(variables, visit.path)
    if fixed_rows(visit.component) and isinstance(before, list) and len(before) == len(rows):
        fresh = [deepcopy(row) if isinstance(row, dict) else {} for row in before]
    else:
        fresh = [{} for _ in rows]
    _put(output, visit.path, fresh, variables)


def _put(output: dict[str, Any], path: Path, value: Any, variables: Mapping[str, Any]) -> None:
    name = path[0]
    if name not in output and len(path) > 1 and isinstance(name, str) and isinstance(variables.get(name), dict):
        # A group shows a part of an object; the rest of it must survive.
        output[name] = deepcopy(variables[name])
    put(output, path, value)
