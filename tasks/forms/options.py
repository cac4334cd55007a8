"""What may be chosen in a radio, select, checklist or tag list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tasks.forms.components import Component
from tasks.forms.expressions import Scope, is_expression


def values(component: Component, data: Mapping[str, Any], scope: Scope) -> list[Any]:
    """Return the values that may be chosen: of the schema, of the variable `valuesKey`, or of a FEEL expression.

    `data` is the data of the form, `scope` what FEEL sees where the component stands.
    """
    properties = component.properties
    expression: Any = properties.get("valuesExpression")
    key = properties.get("valuesKey")
    source: Any
    if is_expression(expression):
        source = scope.evaluate(expression)
    elif isinstance(key, str) and key:
        source = data.get(key)
    else:
        source = properties.get("values")
    return list(_option_values(source)) if isinstance(source, list) else []


def _option_values(source: Iterable[Any]) -> Iterable[Any]:
    for option in source:
        if not isinstance(option, Mapping):
            if _can_be_chosen(option):
                yield option
        elif _can_be_chosen(value := option.get("value")) or (value and option.get("label")):
            yield value


def _can_be_chosen(value: Any) -> bool:
    return isinstance(value, bool | int | Decimal) or (isinstance(value, str) and value != "")


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal; true is not 1, and "1" is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return bool(left == right)


def contains(choices: Iterable[Any], value: Any) -> bool:
    """Return whether `value` is one of `choices`."""
    return any(same(choice, value) for choice in choices)
