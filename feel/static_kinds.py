"""What kind of value an expression gives, as far as its text tells."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from feel import nodes
from feel.types import Type
from feel.values import kind

UNKNOWN = None

_RESULTS = {
    "string": (
        "string", "substring", "upper case", "lower case", "substring before", "substring after", "replace",
        "string join", "trim", "uuid", "to base64", "day of week", "month of year",
    ),
    "number": (
        "number", "string length", "count", "decimal", "floor", "ceiling", "round up", "round down", "round half up",
        "round half down", "modulo", "sqrt", "log", "exp", "product", "median", "stddev", "day of year", "week of year",
        "random number",
    ),
    "boolean": (
        "not", "contains", "starts with", "ends with", "matches", "list contains", "all", "any", "odd", "even", "is",
        "is defined", "is empty", "is blank", "before", "after", "meets", "met by", "overlaps", "overlaps before",
        "overlaps after", "finishes", "finished by", "includes", "during", "starts", "started by", "coincides",
        "is working day",
    ),
    "list": (
        "sublist", "append", "concatenate", "insert before", "remove", "reverse", "index of", "union",
        "distinct values", "duplicate values", "flatten", "partition", "sort", "split", "extract", "mode",
        "list replace", "get entries",
    ),
    "context": ("context", "context put", "context merge"),
    "date": ("date", "today", "last day of month"),
    "time": ("time",),
    "date and time": ("date and time", "now", "add working time", "end of working day"),
    "years and months duration": ("years and months duration",),
    "range": ("range",),
}  # fmt: skip
_RESULT_OF = {name: result for result, names in _RESULTS.items() for name in names}
_BOOLEANS = (nodes.Logic, nodes.Comparison, nodes.Between, nodes.In, nodes.Quantified, nodes.InstanceOf)


def static_kind(node: nodes.Node, types: Mapping[str, object]) -> str | None:
    """The kind of the value (as `feel.kind` names it, if it is not null); None where the text does not tell."""
    if isinstance(node, nodes.Literal):
        return kind(node.value)
    if isinstance(node, _BOOLEANS):
        return "boolean"
    if isinstance(node, (nodes.ListLiteral, nodes.For)):
        return "list"
    if isinstance(node, nodes.ContextLiteral):
        return "context"
    if isinstance(node, nodes.RangeLiteral):
        return "range"
    if isinstance(node, nodes.FunctionLiteral):
        return "function"
    if isinstance(node, nodes.Name):
        known = types.get(node.name)
        return known.name if isinstance(known, Type) and known.name != "Any" else UNKNOWN
    if isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Name):
        return _RESULT_OF.get(node.callee.name)
    if isinstance(node, nodes.Negation):
        return static_kind(node.operand, types)
    if isinstance(node, nodes.If):
        yes, no = static_kind(node.yes, types), static_kind(node.no, types)
        return yes if yes == no else UNKNOWN
    if isinstance(node, nodes.Arithmetic):
        return _arithmetic_kind(node, types)
    return UNKNOWN


def _arithmetic_kind(node: nodes.Arithmetic, types: Mapping[str, object]) -> str | None:
    kinds = {static_kind(operand, types) for operand in (node.first, *node.operands)}
    if kinds == {"number"} or set(node.operators) == {"**"}:
        return "number"
    return "string" if kinds == {"string"} else UNKNOWN


def constant_number(node: nodes.Node) -> Decimal | None:
    """The number that is written there, with its sign; None for anything else."""
    if isinstance(node, nodes.Literal) and isinstance(node.value, Decimal):
        return node.value
    if isinstance(node, nodes.Negation):
        number = constant_number(node.operand)
        return None if number is None else -number
    return None
