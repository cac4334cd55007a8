"""What a decision is made of, for those who read the record of its evaluation: its kind, and its table's columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.dmn.xml import Element, child, children, name_of, text_of


@dataclass(frozen=True, slots=True)
class Description:
    """A decision: `DECISION_TABLE`, `LITERAL_EXPRESSION` or `UNKNOWN`; ids of a table's columns by their labels."""

    kind: str = "UNKNOWN"
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


def describe(root: Element) -> dict[str, Description]:
    """Return the description of each decision in a DMN file, by id."""
    return {decision.get("id") or name_of(decision): _describe(decision) for decision in children(root, "decision")}


def _describe(decision: Element) -> Description:
    table = child(decision, "decisionTable")
    if table is None:
        literal = child(decision, "literalExpression") is not None
        return Description("LITERAL_EXPRESSION" if literal else "UNKNOWN")
    return Description("DECISION_TABLE", dict(_inputs(table)), dict(_outputs(table)))


# The labels are those of `engine.dmn.tables`.
def _inputs(table: Element) -> Iterator[tuple[str, str]]:
    for column in children(table, "input"):
        label = column.get("label") or text_of(child(column, "inputExpression")) or ""
        yield label, column.get("id") or label


def _outputs(table: Element) -> Iterator[tuple[str, str]]:
    for column in children(table, "output"):
        label = column.get("label") or name_of(column) or table.get("outputLabel") or "output"
        yield label, column.get("id") or label
