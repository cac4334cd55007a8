"""What is wrong with a decision model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a decision model cannot be used; `line` counts from 1 in the XML file."""

    element_id: str | None
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        element = f"{self.element_id}: " if self.element_id else ""
        return f"{place}{element}{self.message}"


class DecisionModelError(Exception):
    """A decision model is refused; `problems` says why, element by element."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class UnknownDecisionError(Exception):
    """The model has no decision or decision service of that id."""

    def __init__(self, decision_id: str) -> None:
        super().__init__(f"the decision model has no decision `{decision_id}`")
        self.decision_id = decision_id
