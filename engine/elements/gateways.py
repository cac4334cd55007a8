"""Gateways: exclusive, parallel, inclusive, event-based; the complex one has a module of its own.

Joins are ours: each arriving token waits at the gateway as a token of its own, which remembers its flow, so that a join
is counted per incoming flow, tokens in excess stay for the next turn, and a person sees on the diagram what a join
waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine import expressions, subscriptions
from engine.elements.base import Element
from engine.elements.definitions import SequenceFlow

if TYPE_CHECKING:
    from engine.tokens import Token


class ExclusiveGateway(Element):
    """Takes the first flow whose condition holds; every token that comes passes."""

    kind: ClassVar[str] = "exclusiveGateway"

    def select_flows(self, task: Token) -> list[SequenceFlow]:
        """Return the one flow to take."""
        if not self.outgoing or (len(self.outgoing) == 1 and self.outgoing[0].condition is None):
            return self.outgoing
        for flow in self.outgoing:
            if flow.id == self.default_flow_id:
                continue
            if flow.condition is None or expressions.holds(task, flow.condition, flow.condition_label):
                return [flow]
        return [self.default_flow("No condition of the exclusive gateway is true and it has no default flow.")]


class JoiningGateway(Element):
    """Common to gateways at which tokens wait for each other."""

    def enter(self, task: Token) -> bool:
        """Wait; go on at once when this was the last arrival."""
        # Kept from the first arrival: a token that is tried again comes by no flow.
        task.internal_data.setdefault("flow", task.flow_id)
        if len(self.incoming) < 2:
            return True
        arrived = self.arrivals(task)
        if not self.complete(task, arrived):
            return False
        for other in arrived.values():
            if other is not task:
                task.execution.absorb(other)
        return True

    def arrivals(self, task: Token) -> dict[str | None, Token]:
        """Return the first token that waits for each incoming flow, `task` for its own."""
        first: dict[str | None, Token] = {task.internal_data["flow"]: task}
        for token in task.scope.children:
            if token.task_spec is self and not token.in_error:
                first.setdefault(token.internal_data.get("flow"), token)
        return first

    def complete(self, task: Token, arrived: dict[str | None, Token]) -> bool:
        """Return whether the gateway may go on with these arrivals."""
        raise NotImplementedError

    def recheck(self, task: Token) -> None:
        """Go on after all, if the last token that could have come has gone another way."""
        arrived = self.arrivals(task)
        if not self.complete(task, arrived):
            return
        for other in arrived.values():
            if other is not task:
                task.execution.absorb(other)
        task.execution.finish(task)

    def others_may_come(self, task: Token) -> bool:
        """Return whether another token of the scope can still reach the gateway."""
        return any(
            token.task_spec is not self and self.process.reaches(token.element, self) for token in task.scope.children
        )


class ParallelGateway(JoiningGateway):
    """Joins one token of every incoming flow, then forks into every outgoing flow."""

    kind: ClassVar[str] = "parallelGateway"

    def complete(self, task: Token, arrived: dict[str | None, Token]) -> bool:
        """True when every incoming flow has brought a token."""
        return all(flow.id in arrived for flow in self.incoming)

    def select_flows(self, task: Token) -> list[SequenceFlow]:
        """Return all outgoing flows: conditions mean nothing here."""
        return self.outgoing


class InclusiveGateway(JoiningGateway):
    """Joins all tokens that can still come, then takes every flow whose condition holds."""

    kind: ClassVar[str] = "inclusiveGateway"

    def complete(self, task: Token, arrived: dict[str | None, Token]) -> bool:
        """True when no flow that has brought no token can still bring one (BPMN 2.0, 13.4.3).

        A token that could also come by a flow that has brought one already, e.g. round a loop, is not waited for.
        """
        missing = [flow for flow in self.incoming if flow.id not in arrived]
        return not any(
            token.task_spec is not self
            and any(self.process.leads_to(token.element, flow) for flow in missing)
            and not any(self.process.leads_to(token.element, flow) for flow in self.incoming if flow.id in arrived)
            for token in (task.scope.children if missing else ())
        )


class EventBasedGateway(Element):
    """Waits for the first of the events that follow it."""

    kind: ClassVar[str] = "eventBasedGateway"

    def enter(self, task: Token) -> bool:
        """Open what each following event waits for."""
        for flow in self.outgoing:
            subscriptions.open_event(task, self.process.element(flow.target_id))
        return False
