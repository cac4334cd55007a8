"""Decision tables: every hit policy and aggregation (DMN 1.5, section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import feel
from engine.dmn.columns import Column
from engine.dmn.item_definitions import find_type
from engine.dmn.loading import Loading, nearest_id, tagged
from engine.dmn.outcome import DecisionWarning, MatchedRule
from engine.dmn.xml import Element, child, children, name_of, text_of, type_ref
from feel.builtins import FUNCTIONS
from feel.comparison import equal
from feel.compiler.functions import call_function
from feel.runtime import Code, Run, Scope
from feel.static_kinds import static_kind
from feel.types import SIMPLE_TYPES, Type, convert

_POLICIES = {
    "UNIQUE": "UNIQUE", "U": "UNIQUE", "FIRST": "FIRST", "F": "FIRST", "PRIORITY": "PRIORITY", "P": "PRIORITY",
    "ANY": "ANY", "A": "ANY", "COLLECT": "COLLECT", "C": "COLLECT", "RULE ORDER": "RULE ORDER", "R": "RULE ORDER",
    "OUTPUT ORDER": "OUTPUT ORDER", "O": "OUTPUT ORDER",
}  # fmt: skip
_AGGREGATIONS = {"SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "count"}


@dataclass(frozen=True, slots=True)
class Output:
    """One output column; `order` is the list of its allowed values, first has the highest priority."""

    name: str
    label: str
    type: Type | None
    order: Code | None
    default: Code | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: its number from 1, the code of its outputs, its annotations."""

    id: str | None
    number: int
    outputs: tuple[Code, ...]
    annotations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table ready to be evaluated."""

    id: str | None
    decision_id: str
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    policy: str
    aggregation: str | None

    def evaluate(self, scope: Scope) -> feel.Value:
        """The result by the hit policy; notes the rules that it is made of."""
        values = [column.value(scope) for column in self.columns]
        allowed = [column.allows(scope, value) for column, value in zip(self.columns, values, strict=True)]
        matching = self._matching(scope, values) if all(allowed) else []
        if not matching:
            return self._default(scope)
        if self.policy == "FIRST":
            matching = matching[:1]
        hits = [(rule, [output(scope) for output in rule.outputs]) for rule in matching]
        chosen = self._chosen(scope, hits)
        self._note(scope, values, chosen)
        if not chosen:
            return None
        results = [self._result(scope, outputs) for _rule, outputs in chosen]
        if self.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER"):
            scope.run.budget.make_list(len(results))
            return self._aggregate(scope.run, results) if self.aggregation else results
        return results[0]

    def _matching(self, scope: Scope, values: list[feel.Value]) -> list[Rule]:
        candidates = (1 << len(self.rules)) - 1
        for column, value in zip(self.columns, values, strict=True):
            candidates = column.matching(scope, value, candidates)
            if not candidates:
                return []
        result: list[Rule] = []
        while candidates:
            lowest = candidates & -candidates
            result.append(self.rules[lowest.bit_length() - 1])
            candidates ^= lowest
        return result

    def _chosen(self, scope: Scope, hits: list[tuple[Rule, list[feel.Value]]]) -> list[tuple[Rule, list[feel.Value]]]:
        if self.policy == "UNIQUE" and len(hits) > 1:
            self._warn(scope, f"{self._numbers(hits)} match, but the hit policy UNIQUE allows one", violation=True)
            return []
        if self.policy == "ANY" and any(equal(outputs, hits[0][1]) is not True for _rule, outputs in hits[1:]):
            self._warn(
                scope,
                f"{self._numbers(hits)} match with different outputs, which the hit policy ANY forbids",
                violation=True,
            )
            return []
        if self.policy in ("PRIORITY", "OUTPUT ORDER"):
            hits = self._by_priority(scope, hits)
        return hits[:1] if self.policy in ("PRIORITY", "ANY") else hits

    def _by_priority(
        self, scope: Scope, hits: list[tuple[Rule, list[feel.Value]]]
    ) -> list[tuple[Rule, list[feel.Value]]]:
        orders = [output.order(scope) if output.order is not None else [] for output in self.outputs]

        def rank(hit: tuple[Rule, list[feel.Value]]) -> list[int]:
            return [_place(value, order) for value, order in zip(hit[1], orders, strict=True)]

        return sorted(hits, key=rank)

    def _result(self, scope: Scope, outputs: list[feel.Value]) -> feel.Value:
        converted: list[feel.Value] = []
        for output, value in zip(self.outputs, outputs, strict=True):
            value, fits = convert(value, output.type)
            if not fits:
                self._warn(scope, f"the output {output.label} is not of its type {output.type}")
            converted.append(value)
        if len(self.outputs) == 1:
            return converted[0]
        return {output.name: value for output, value in zip(self.outputs, converted, strict=True)}

    def _aggregate(self, run: Run, results: list[feel.Value]) -> feel.Value:
        assert self.aggregation is not None
        return call_function(run, FUNCTIONS[_AGGREGATIONS[self.aggregation]], [results])

    def _default(self, scope: Scope) -> feel.Value:
        if all(output.default is None for output in self.outputs):
            if self.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER"):
                if self.aggregation == "COUNT":
                    return Decimal(0)
                if self.aggregation is None:
                    return []
            self._warn(scope, "no rule matches")
            return None
        outputs = [output.default(scope) if output.default is not None else None for output in self.outputs]
        result = self._result(scope, outputs)
        if self.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER") and self.aggregation is None:
            return result if isinstance(result, list) else [result]
        return result

    def _note(self, scope: Scope, values: list[feel.Value], chosen: list[tuple[Rule, list[feel.Value]]]) -> None:
        matched = scope.run.notes
        inputs = {column.label: value for column, value in zip(self.columns, values, strict=True)}
        for rule, outputs in chosen:
            named = {output.label: value for output, value in zip(self.outputs, outputs, strict=True)}
            matched.append(MatchedRule(self.decision_id, rule.id, rule.number, inputs, named, rule.annotations))

    def _numbers(self, hits: list[tuple[Rule, list[feel.Value]]]) -> str:
        numbers = [str(rule.number) for rule, _outputs in hits[:10]]
        return f"rules {', '.join(numbers[:-1])} and {numbers[-1]}"

    def _warn(self, scope: Scope, message: str, violation: bool = False) -> None:
        scope.run.warnings.append(DecisionWarning(message, 0, self.id, violation))


def _place(value: feel.Value, order: feel.Value) -> int:
    if isinstance(order, list):
        for place, candidate in enumerate(order):
            if equal(value, candidate) is True:
                return place
        return len(order)
    return 0


def load_table(loading: Loading, element: Element, decision_id: str) -> Code | None:
    """The code of a decision table; None, with problems noted, if it is wrong as a whole."""
    written = element.get("hitPolicy", "UNIQUE")
    policy = _POLICIES.get(written)
    aggregation = element.get("aggregation")
    if policy is None or (aggregation is not None and aggregation not in _AGGREGATIONS):
        loading.problem(element, f"the hit policy {written} {aggregation or ''} is unknown")
        return None
    rows = list(children(element, "rule"))
    inputs, outputs = list(children(element, "input")), list(children(element, "output"))
    if not outputs:
        loading.problem(element, "the decision table has no output")
        return None
    for row in rows:
        if len(list(children(row, "inputEntry"))) != len(inputs) or len(list(children(row, "outputEntry"))) != len(
            outputs
        ):
            loading.problem(row, "the rule has not one entry for each column")
            return None
    cells = [list(children(row, "inputEntry")) for row in rows]
    columns = tuple(_load_column(loading, column, [row[place] for row in cells]) for place, column in enumerate(inputs))
    result_columns = tuple(_load_output(loading, output, element, len(outputs)) for output in outputs)
    table = Table(
        element.get("id"),
        decision_id,
        columns,
        result_columns,
        tuple(_load_rule(loading, row, number, result_columns) for number, row in enumerate(rows, 1)),
        policy,
        aggregation if policy == "COLLECT" else None,
    )
    return tagged(table.evaluate, nearest_id(element))


def _null(_scope: Scope) -> feel.Value:
    return None


def _load_column(loading: Loading, element: Element, cells: list[Element]) -> Column:
    expression = child(element, "inputExpression")
    text = text_of(expression)
    code = loading.expression(expression, text) if expression is not None and text is not None else None
    if expression is None or text is None:
        loading.problem(element, "the input column has no expression")
    allowed_values = child(element, "inputValues")
    allowed = loading.tests(allowed_values, text_of(allowed_values)) if allowed_values is not None else None
    column_type = find_type(loading, element, type_ref(expression))
    label = element.get("label") or text or ""
    column = Column(label, code or _null, column_type, allowed, nearest_id(element))
    for number, cell in enumerate(cells):
        column.add(number, loading.tests(cell, text_of(cell) or "-"))
    return column


def _load_output(loading: Loading, element: Element, table: Element, count: int) -> Output:
    name = name_of(element)
    values = child(element, "outputValues")
    text = text_of(values)
    order = loading.expression(values, f"[{text}]") if values is not None and text is not None else None
    default_entry = child(element, "defaultOutputEntry")
    default = loading.expression(default_entry, text_of(default_entry)) if default_entry is not None else None
    if count > 1 and not name:
        loading.problem(element, "each of several outputs needs a name")
    output_type = find_type(loading, element, type_ref(element))
    label = element.get("label") or name or table.get("outputLabel") or "output"
    return Output(name, label, output_type, order, default)


def _load_rule(loading: Loading, element: Element, number: int, columns: tuple[Output, ...]) -> Rule:
    entries = list(children(element, "outputEntry"))
    outputs = tuple(loading.expression(entry, text_of(entry)) or _null for entry in entries)
    for entry, column in zip(entries, columns, strict=True):
        _check_kind(loading, entry, column)
    annotations = tuple(text_of(entry) or "" for entry in children(element, "annotationEntry"))
    return Rule(element.get("id"), number, outputs, annotations)


def _check_kind(loading: Loading, entry: Element, column: Output) -> None:
    """Warns of an output entry that can be seen not to be of its column's type, and so would be null."""
    text = text_of(entry)
    if text is None or column.type is None or column.type.name not in SIMPLE_TYPES:
        return
    try:
        kind = static_kind(feel.parse(text, loading.names).tree, {})
    except feel.FeelSyntaxError:
        return
    implicit = kind == "date" and column.type.name == "date and time"
    if kind not in (None, "null", "list", column.type.name) and not implicit:
        loading.warn(entry, f"the entry is a {kind}, but `{column.label}` is a {column.type.name}: it will be null")
