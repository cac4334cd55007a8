"""What a form shows of the variables, and how what was once entered in it reads later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.forms import options
from tasks.forms.components import KEYED, MANY_OF, ONE_OF, Component, every, read


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that was entered in a form, under the form's own label."""

    label: str
    #: Text, number, truth, or what was chosen (worded as in the form).
    value: Any
    #: The component's type, which says how to write the value.
    type: str


def data_for(schema: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that the form names anywhere: as a key, in an expression, in a text.

    Only these go to the browser. A name that occurs inside a longer word goes along, which does no harm.
    """
    everything = "\n".join(_texts(schema))
    return {name: value for name, value in variables.items() if name in everything}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def facts(schema: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Fact]:
    """Return by key what the form's top-level fields hold, in the form's order; empty fields are left out."""
    found: dict[str, Fact] = {}
    for component in every(read(schema)):
        key = component.key
        value = variables.get(key)
        if component.type not in KEYED or key in found or value in (None, "", []) or isinstance(value, dict):
            continue
        found[key] = Fact(component.label, _worded(component, value), component.type)
    return found


def _worded(component: Component, value: Any) -> Any:
    if component.type in ONE_OF:
        return _option_label(component, value)
    if component.type in MANY_OF and isinstance(value, list):
        return [_option_label(component, item) for item in value]
    return value


def _option_label(component: Component, value: Any) -> Any:
    choices = component.properties.get("values")
    for option in choices if isinstance(choices, list) else ():
        if isinstance(option, Mapping) and options.same(option.get("value"), value):
            return option.get("label") or value
    return value
