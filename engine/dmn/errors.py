"""What is wrong with a decision model."""

from __future__ import annotations

from engine.problems import Problem


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
