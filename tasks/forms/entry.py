"""What is in a form: the variables it starts with, what was entered on top of them, and which parts are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from feel import Environment
from tasks.forms import options
from tasks.forms.components import KEYED, Component, Path, every
from tasks.forms.expressions import Scope, is_expression
from tasks.forms.places import MISSING, find, put, without, written
from tasks.forms.sentences import Sentence
from tasks.forms.sentences import mark as N_  # noqa: N812
from tasks.forms.values import NOT_A_LIST, empty

NOT_A_GROUP = N_("This must be a group of values.")
ROWS_ARE_FIXED = N_("Rows cannot be added or removed here.")
TOO_MANY_ROWS = N_("There are more rows here than a form can hold.")

#: Rows of one list that a person can still have typed.
MOST_ROWS = 1000

Errors = dict[str, list[Sentence]]


@dataclass(frozen=True)
class Place:
    """Where components stand: at the root, or in one row of a list."""

    data: Mapping[str, Any]
    environment: Environment
    this: Any
    prefix: Path = ()
    parent: Any = None
    rows: tuple[int, ...] = ()
    #: Rows on the way here can be added and removed.
    movable: bool = False

    @cached_property
    def scope(self) -> Scope:
        """What FEEL sees here: the form's data, `this`, `parent` and the row numbers `i`."""
        own = {"this": self.this, "parent": self.parent, "i": list(self.rows)}
        names = {**own, **self.data, **{f"_{name}_": value for name, value in own.items()}}
        return Scope(names, self.environment)


@dataclass(frozen=True)
class Visit:
    """One component at one place."""

    component: Component
    path: Path
    place: Place
    hidden: bool

    @property
    def read_only(self) -> bool:
        """A person cannot change its value."""
        properties = self.component.properties
        if properties.get("disabled") is True:
            return True
        read_only = properties.get("readonly")
        if isinstance(read_only, str) and is_expression(read_only):
            return self.place.scope.evaluate(read_only) is True
        return bool(read_only)


def visits(components: tuple[Component, ...], data: Mapping[str, Any], environment: Environment) -> Iterator[Visit]:
    """Yield every component with a value and every list, in order; of a hidden list only the list itself."""
    return _visits(components, Place(data, environment, this=data), (), False)


def _visits(components: tuple[Component, ...], place: Place, inner: Path, parent_hidden: bool) -> Iterator[Visit]:
    for component in components:
        steps = (*inner, *component.steps)
        path = (*place.prefix, *steps)
        hidden = parent_hidden or (component.hide is not None and place.scope.evaluate(component.hide) is True)
        if component.type in KEYED and component.key:
            yield Visit(component, path, place, hidden)
        elif component.type == "group":
            yield from _visits(component.components, place, steps, hidden)
        elif component.repeats and component.steps:
            yield Visit(component, path, place, hidden)
            rows = find(place.data, path)
            for index, row in enumerate(rows if isinstance(rows, list) and not hidden else ()):
                movable = place.movable or not fixed_rows(component)
                below = Place(
                    place.data, place.environment, row, (*path, index), place.this, (*place.rows, index + 1), movable
                )
                yield from _visits(component.components, below, (), False)


def filled(
    components: tuple[Component, ...], variables: Mapping[str, Any], entered: Mapping[str, Any], errors: Errors
) -> dict[str, Any]:
    """Return the data of the form after `entered`: what is not entered stays as it is, or gets its default.

    What cannot be data of this form at all (text where rows should be) is told in `errors`.
    """
    data = dict(deepcopy(variables))
    _fill(components, data, entered, (), errors)
    return data


def _fill(components: tuple[Component, ...], base: dict[str, Any], entered: Any, path: Path, errors: Errors) -> None:
    for component in components:
        if component.type in KEYED and component.key:
            put(base, component.steps, _value(component, base, entered))
        elif component.type == "group":
            _fill_group(component, base, entered, path, errors)
        elif component.repeats and component.steps:
            _fill_rows(component, base, entered, path, errors)


def _value(component: Component, base: Mapping[str, Any], entered: Any) -> Any:
    # An expression is computed here, whatever the browser computed.
    value = MISSING if component.type == "expression" else find(entered, component.steps)
    if value is MISSING:
        value = find(base, component.steps)
    return _initial(component) if value is MISSING else value


def _initial(component: Component) -> Any:
    return deepcopy(component.properties.get("defaultValue", empty(component)))


def _fill_group(component: Component, base: dict[str, Any], entered: Any, path: Path, errors: Errors) -> None:
    if not component.steps:
        return _fill(component.components, base, entered, path, errors)
    here = (*path, *component.steps)
    inner = find(base, component.steps)
    if not isinstance(inner, dict):
        inner = {}
        put(base, component.steps, inner)
    given = find(entered, component.steps)
    if given is not MISSING and given is not None and not isinstance(given, Mapping):
        errors.setdefault(written(here), []).append(Sentence(NOT_A_GROUP))
        given = MISSING
    return _fill(component.components, inner, given, here, errors)


def _fill_rows(component: Component, base: dict[str, Any], entered: Any, path: Path, errors: Errors) -> None:
    here = (*path, *component.steps)
    before = find(base, component.steps)
    if not isinstance(before, list):
        count = component.properties.get("defaultRepetitions", 1)
        before = [{} for _ in range(min(count, MOST_ROWS) if isinstance(count, int) else 1)]
    before = [row if isinstance(row, dict) else {} for row in before]
    given = find(entered, component.steps)
    if given is MISSING or given is None:
        given = [MISSING] * len(before)
    elif (refusal := _row_refusal(component, given, before)) is not None:
        errors.setdefault(written(here), []).append(Sentence(refusal))
        given = [MISSING] * len(before)
    else:
        # Rows may have moved, so what a row does not say is not taken from the row that stood there.
        before = before if fixed_rows(component) else [{} for _ in given]
    put(base, component.steps, before)
    for index, (row, values) in enumerate(zip(before, given, strict=True)):
        _fill(component.components, row, values, (*here, index), errors)


def _row_refusal(component: Component, given: Any, before: list[Any]) -> str | None:
    if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
        return NOT_A_LIST
    if len(given) > MOST_ROWS:
        return TOO_MANY_ROWS
    if fixed_rows(component) and len(given) != len(before):
        return ROWS_ARE_FIXED
    return None


def fixed_rows(component: Component) -> bool:
    """Return whether people can neither add nor remove rows of this list."""
    return component.properties.get("allowAddRemove") is False


def settle(
    components: tuple[Component, ...], data: dict[str, Any], original: Mapping[str, Any], environment: Environment
) -> list[Visit]:
    """Compute the expression fields in `data`, take back changes of read-only ones, and return what is shown then.

    Fields depend on one another through FEEL, so this repeats until nothing changes, at most once for each field.
    """
    rounds = 2 + sum(component.type == "expression" for component in every(components))
    for _ in range(rounds):
        # As in the browser: conditions see the data without what is hidden itself.
        hidden = frozenset(visit.path for visit in visits(components, data, environment) if visit.hidden)
        shown = list(visits(components, without(data, hidden), environment))
        changed = [visit for visit in shown if not visit.hidden and _settled(visit, data, original)]
        if not changed:
            break
    return [visit for visit in shown if not visit.hidden]


def _settled(visit: Visit, data: dict[str, Any], original: Mapping[str, Any]) -> bool:
    component = visit.component
    if component.type == "expression":
        text = component.properties.get("expression")
        value = visit.place.scope.evaluate(text) if isinstance(text, str) else None
    elif component.repeats or not visit.read_only:
        return False
    else:
        value = _kept(visit, find(data, visit.path), original)
    if options.same(value, find(data, visit.path)):
        return False
    put(data, visit.path, value)
    return True


def _kept(visit: Visit, value: Any, original: Mapping[str, Any]) -> Any:
    if not visit.place.movable:
        return find(original, visit.path)
    # The row may stand elsewhere now; what it shows must have been in one of the rows.
    known = _column(original, visit.path)
    if options.contains(known, value):
        return value
    return _initial(visit.component)


def _column(data: Any, path: Path) -> list[Any]:
    for position, step in enumerate(path):
        if isinstance(step, int):
            rows = data if isinstance(data, list) else []
            return [value for row in rows for value in _column(row, path[position + 1 :])]
        data = find(data, (step,))
    return [] if data is MISSING else [data]
