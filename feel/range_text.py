"""Ranges written as text, for the function `range` (DMN 1.5, section 10.3.4.1)."""

from __future__ import annotations

from decimal import Decimal

from feel import nodes
from feel.builtins.conversion import (
    date_from_string,
    date_time_from_string,
    duration_from_string,
    time_from_string,
)
from feel.comparison import compare
from feel.environment import Environment
from feel.errors import FeelSyntaxError
from feel.names import NameTable
from feel.parser import Parser
from feel.runtime import Run
from feel.values import Range, Value, is_value

_CONVERSIONS = {
    "date": date_from_string,
    "time": time_from_string,
    "date and time": date_time_from_string,
    "duration": duration_from_string,
}


def parse_range(text: str) -> Range | None:
    """The range that a text spells; None if it is none, or an end is not a literal."""
    open_start = text.replace(" ", "").startswith(("[..", "(..", "].."))
    open_end = text.replace(" ", "").endswith(("..]", "..)", "..["))
    if open_start and open_end:
        return None
    filled = text
    if open_start:
        filled = text.replace("..", "null..", 1)
    elif open_end:
        filled = text.replace("..", "..null", 1)
    try:
        node = Parser(filled, NameTable()).parse_expression()
    except FeelSyntaxError:
        return None
    if not isinstance(node, nodes.RangeLiteral):
        return None
    low, high = _literal(node.low), _literal(node.high)
    if open_start:
        return (
            Range(None, high, False, node.high_included, True) if high is not None and not node.low_included else None
        )
    if open_end:
        return Range(low, None, node.low_included, False, True) if low is not None and not node.high_included else None
    if low is None or high is None:
        return None
    order = compare(low, high) if type(low) is type(high) else None
    return Range(low, high, node.low_included, node.high_included) if order is not None and order <= 0 else None


def _literal(node: nodes.Node) -> Value:
    if isinstance(node, nodes.Literal) and is_value(node.value):
        return node.value
    if isinstance(node, nodes.Negation) and isinstance(node.operand, nodes.Literal):
        value = node.operand.value
        return -value if isinstance(value, Decimal) else None
    if isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Name) and len(node.arguments) == 1:
        conversion = _CONVERSIONS.get(node.callee.name)
        argument = node.arguments[0]
        if conversion is not None and isinstance(argument, nodes.Literal) and isinstance(argument.value, str):
            return conversion(Run({}, Environment()), argument.value)
    return None
