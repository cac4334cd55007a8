"""A check without evaluating: unknown functions and variables, wrong arguments, tests that can never be true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from feel import nodes
from feel.builtins import FUNCTIONS, SIGNATURES
from feel.compiler.operators import invalid_literal
from feel.contradictions import impossible_conjunctions, impossible_test
from feel.expression import Expression
from feel.static_kinds import static_kind

FindingKind = Literal["unknown function", "wrong arguments", "unknown variable", "invalid literal", "never true"]
_ALWAYS_KNOWN = frozenset(("?", "item", "partial"))
_ORDERED = frozenset(
    (
        "number", "string", "date", "time", "date and time", "years and months duration", "days and time duration",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is probably wrong; `position` is the offset in the text, in code points."""

    kind: FindingKind
    message: str
    position: int

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class _Place:
    """A node with what is known around it; inside a filter any name may be a member of the items."""

    node: nodes.Node
    bound: frozenset[str]
    in_filter: bool


def check(
    expression: Expression,
    known_names: Iterable[str] | Mapping[str, object] | None = None,
    functions: Iterable[str] = (),
) -> list[Finding]:
    """What is probably wrong with an expression, in the order of its text.

    `known_names` are the variables that will be there; in a mapping, values that are types (feel.types.Type) are used.
    Without it no variable is called unknown. `functions` are those that the environment adds.
    """
    types: Mapping[str, object] = known_names if isinstance(known_names, Mapping) else {}
    known = None if known_names is None else frozenset(known_names)
    findings: list[Finding] = []
    for place in _places(expression.tree, frozenset(functions)):
        findings += _check_node(place, known, types)
    unique = {(finding.position, finding.message): finding for finding in findings}
    return sorted(unique.values(), key=lambda finding: (finding.position, finding.message))


def _places(root: nodes.Node, functions: frozenset[str]) -> Iterator[_Place]:
    pending = [_Place(root, _ALWAYS_KNOWN | functions, False)]
    while pending:
        place = pending.pop()
        yield place
        pending.extend(_below(place))


def _below(place: _Place) -> Iterator[_Place]:
    node, bound, in_filter = place.node, place.bound, place.in_filter
    if isinstance(node, nodes.TypeNode):
        return
    if isinstance(node, nodes.Filter):
        yield _Place(node.source, bound, in_filter)
        yield _Place(node.predicate, bound, True)
        return
    if isinstance(node, nodes.ContextLiteral):
        for key, value in zip(node.keys, node.values, strict=True):
            yield _Place(value, bound, in_filter)
            bound |= {key}
        return
    if isinstance(node, nodes.FunctionLiteral):
        yield _Place(node.body, bound | set(node.parameters), in_filter)
        return
    if isinstance(node, (nodes.For, nodes.Quantified)):
        for iteration in node.iterations:
            for part in iteration.children():
                yield _Place(part, bound, in_filter)
            bound |= {iteration.variable}
        yield _Place(node.body if isinstance(node, nodes.For) else node.condition, bound, in_filter)
        return
    for child in node.children():
        # A name that is called is looked at together with its arguments.
        if not (isinstance(node, nodes.Call) and child is node.callee and isinstance(child, nodes.Name)):
            yield _Place(child, bound, in_filter)


def _check_node(place: _Place, known: frozenset[str] | None, types: Mapping[str, object]) -> Iterator[Finding]:
    node = place.node
    if isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Name):
        yield from _check_call(node, node.callee, place, known)
    elif isinstance(node, nodes.Name):
        yield from _check_variable(node, place, known)
    elif isinstance(node, nodes.InvalidLiteral):
        yield Finding("invalid literal", invalid_literal(node.text), node.position)
    elif isinstance(node, nodes.Comparison):
        yield from _check_comparison(node, types)
    elif isinstance(node, nodes.Logic) and node.operator == "and":
        for position, message in impossible_conjunctions(node):
            yield Finding("never true", message, position)
    elif isinstance(node, (nodes.Between, nodes.In, nodes.UnaryTests)):
        for position, message in impossible_test(node):
            yield Finding("never true", message, position)


def _check_call(node: nodes.Call, callee: nodes.Name, place: _Place, known: frozenset[str] | None) -> Iterator[Finding]:
    name = callee.name
    if name in place.bound or (known is not None and name in known):
        return
    if name not in FUNCTIONS:
        hint = _hint(name, FUNCTIONS)
        yield Finding("unknown function", f"there is no function `{name}`{hint}", callee.position)
        return
    signatures = SIGNATURES[name]
    count = len(node.arguments)
    names = set(node.names)
    fits = [
        signature
        for signature in signatures
        if signature.required <= count
        and (signature.most is None or count <= signature.most)
        and names <= {parameter.name for parameter in signature.parameters}
    ]
    if not fits and not (name == "is" and names):
        forms = " or ".join(signature.text(name) for signature in signatures)
        yield Finding("wrong arguments", f"`{name}` is called as {forms}", callee.position)


def _check_variable(node: nodes.Name, place: _Place, known: frozenset[str] | None) -> Iterator[Finding]:
    name = node.name
    if known is None or place.in_filter or name in place.bound or name in known or name in FUNCTIONS:
        return
    yield Finding("unknown variable", f"variable `{name}` is not known{_hint(name, known)}", node.position)


def _hint(name: str, candidates: Iterable[str]) -> str:
    close = get_close_matches(name, list(candidates), n=1, cutoff=0.75)
    return f"; did you mean `{close[0]}`?" if close else ""


def _check_comparison(node: nodes.Comparison, types: Mapping[str, object]) -> Iterator[Finding]:
    left, right = static_kind(node.left, types), static_kind(node.right, types)
    if node.operator in ("=", "!="):
        if left and right and left != right and "null" not in (left, right):
            yield Finding("never true", f"a {left} is never comparable with a {right}", node.position)
        return
    for side in (left, right):
        if side is not None and side not in _ORDERED:
            yield Finding("never true", f"a {side} has no order, so `{node.operator}` is never true", node.position)
            return
    temporal = {left, right} == {"date", "date and time"}
    if left and right and left != right and not temporal:
        yield Finding("never true", f"a {left} and a {right} have no order", node.position)
