"""Complex gateways: go on when an activation condition holds, and swallow what comes late (BPMN 2.0, 13.4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine import expressions
from engine.elements.definitions import Details
from engine.elements.gateways import JoiningGateway
from engine.tokens import READY

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class ComplexGateway(JoiningGateway):
    """Joins by a condition on `activationCount`, the number of tokens that wait here; forks like an inclusive gateway.

    After it has gone on, tokens that still come are swallowed until none can come any more; then it starts anew.
    """

    kind: ClassVar[str] = "complexGateway"

    def __init__(self, process: Process, details: Details, activation_condition: str | None) -> None:
        super().__init__(process, details)
        self.activation_condition = activation_condition

    def enter(self, task: Token) -> bool:
        """Wait, go on, or be swallowed."""
        if len(self.incoming) < 2:
            return True
        fired = task.scope.internal_data.setdefault("fired", [])
        if self.id in fired:
            task.internal_data.setdefault("flow", task.flow_id)
            if not (self.others_may_come(task) or self._others_enter(task)):
                fired.remove(self.id)
            scope = task.scope
            task.execution.absorb(task)
            scope.element.inner_left(scope, task)
            return False
        if not super().enter(task):
            return False
        self._fire(task)
        return True

    def complete(self, task: Token, arrived: dict[str | None, Token]) -> bool:
        """True when the activation condition holds; without one, when no other token can come."""
        if self.activation_condition is None:
            return all(flow.id in arrived for flow in self.incoming) or not self.others_may_come(task)
        waiting = [token for token in task.scope.children if token.task_spec is self and not token.in_error]
        count = len(waiting) if task in waiting else len(waiting) + 1
        extra = {"activationCount": count}
        return expressions.holds(task, self.activation_condition, "activation condition", extra=extra)

    def recheck(self, task: Token) -> None:
        """Go on without a condition when nothing more can come; a condition is looked at on arrival only."""
        if self.activation_condition is None:
            super().recheck(task)

    def _others_enter(self, task: Token) -> bool:
        """Return whether another token has come in the same command and is the next to enter."""
        return any(
            token is not task and token.task_spec is self and token._state == READY for token in task.scope.children
        )

    def _fire(self, task: Token) -> None:
        for token in task.scope.children:
            if token is not task and token.task_spec is self and not token.in_error:
                task.execution.absorb(token)
        if self.others_may_come(task):
            task.scope.internal_data.setdefault("fired", []).append(self.id)
