"""What evaluating a decision gives, beside its value."""

from __future__ import annotations

from dataclasses import dataclass, field

import feel


@dataclass(frozen=True, slots=True)
class DecisionWarning(feel.Warning):
    """Why a value became null, with the id of the element whose expression it was (None if it has no id).

    `violation` marks a table whose rules contradict its hit policy: the model is wrong, not the input.
    """

    element_id: str | None = None
    violation: bool = False


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

    @property
    def violations(self) -> list[DecisionWarning]:
        """The warnings that tell of rules contradicting their hit policy."""
        return [warning for warning in self.warnings if isinstance(warning, DecisionWarning) and warning.violation]
