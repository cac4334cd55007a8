"""What evaluating a decision gives, beside its value."""

from __future__ import annotations

from dataclasses import dataclass, field

import feel


@dataclass(frozen=True, slots=True)
class DecisionWarning(feel.Warning):
    """Why a value became null, with the id of the element whose expression it was (None if it has no id)."""

    element_id: str | None = None


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """One rule of a decision table that matched: `number` counts from 1; values by the labels of their columns."""

    decision_id: str
    rule_id: str | None
    number: int
    inputs: dict[str, feel.Value]
    outputs: dict[str, feel.Value]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """The value of a decision, the rules that matched on the way (of required decisions too), and the warnings."""

    value: feel.Value
    matched: list[MatchedRule] = field(default_factory=list)
    warnings: list[feel.Warning] = field(default_factory=list)
