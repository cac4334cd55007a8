"""Events that throw: intermediate throw and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine import canceling, compensation, expressions, throwing
from engine.elements.base import Element
from engine.elements.definitions import (
    CancelDefinition,
    CompensateDefinition,
    Details,
    ErrorDefinition,
    EscalationDefinition,
    EventDefinition,
    LinkDefinition,
    MessageDefinition,
    SignalDefinition,
    TerminateDefinition,
)
from engine.errors import ElementFailure
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.elements.definitions import SequenceFlow
    from engine.process import Process
    from engine.tokens import Token


class ThrowEvent(Element):
    """Common to events that make something happen and go on."""

    def __init__(self, process: Process, details: Details, definitions: tuple[EventDefinition, ...]) -> None:
        super().__init__(process, details)
        self.definitions = definitions

    def enter(self, task: Token) -> bool:
        """Make it happen: each definition of an event that has several."""
        done = True
        for definition in self.definitions:
            match definition:
                case MessageDefinition() as message:
                    throwing.throw_message(task, message)
                case SignalDefinition() as signal:
                    throwing.throw_signal(task, signal)
                case EscalationDefinition(code):
                    throwing.throw_escalation(task, static_code(task, code))
                case CompensateDefinition(activity_id):
                    done = not compensation.start(task, compensation.scope_of(task), activity_id) and done
        return done


class IntermediateThrowEvent(ThrowEvent):
    """Publishes a message, a signal or an escalation, jumps by a link, or only marks a point."""

    kind: ClassVar[str] = "intermediateThrowEvent"

    def select_flows(self, task: Token) -> list[SequenceFlow]:
        """Return the outgoing flows; a link continues at the flows of the link's target event."""
        if not isinstance(self.definition, LinkDefinition):
            return super().select_flows(task)
        target = next(
            element
            for element in self.process.elements
            if element.kind == "intermediateCatchEvent"
            and element.definition == self.definition
            and element.details.scope_id == self.details.scope_id
        )
        return target.outgoing


class EndEvent(ThrowEvent):
    """Where a path ends; an error or terminate end event ends more than its own path."""

    kind: ClassVar[str] = "endEvent"

    def enter(self, task: Token) -> bool:
        """Make it happen; what a terminate end event ends is ended when the token leaves."""
        if isinstance(self.definition, ErrorDefinition):
            code = static_code(task, self.definition.code)
            throwing.throw_error(task, code, f"The end event “{self.details.name or self.id}” throws it.", {})
            return False
        if isinstance(self.definition, CancelDefinition):
            return self._give_up(task)
        return super().enter(task)

    def _give_up(self, task: Token) -> bool:
        """Cancel the transaction around: end everything else in it, then undo what was completed."""
        others = []
        path = {task.key}
        transaction = task.scope
        while transaction.element.kind != "transaction":
            path.add(transaction.key)
            transaction = transaction.scope
        scope = task
        while scope is not transaction:
            scope = scope.scope
            others += [child for child in scope.children if child.key not in path]
        task.remember(transaction=transaction.key)
        if canceling.terminate_all(others, task):
            return False
        return not compensation.start(task, transaction, None)

    def others_gone(self, task: Token) -> None:
        """Go on: everything else in the scope, or in the transaction, has ended."""
        execution = task.execution
        transaction = execution.find(task.internal_data.get("transaction"))
        if transaction is None:
            execution.agenda.append(task)
        elif not compensation.start(task, transaction, None):
            execution.finish(task)

    def _on_complete(self, my_task: Token) -> None:
        """Let the token out; that of a cancel end event leaves at the border of its transaction."""
        if isinstance(self.definition, TerminateDefinition) and canceling.terminate_children(
            my_task.scope, but=my_task, then=my_task
        ):
            my_task.remember(phase="completing")
            my_task._set_state(STARTED)
            return
        if not isinstance(self.definition, CancelDefinition):
            super()._on_complete(my_task)
            return
        execution = my_task.execution
        transaction = execution.find(my_task.internal_data["transaction"])
        assert transaction is not None, "the token is inside of it"
        event = next(event for event in transaction.element.boundary_events if CancelDefinition() in event.definitions)
        execution.trigger(transaction, event, {})


def static_code(task: Token, code: str | None) -> str:
    """Return the error or escalation code that an event throws; raises ElementFailure when it has none."""
    value = expressions.evaluate(task, code, "code") if code else None
    if not isinstance(value, str) or not value:
        raise ElementFailure("EXTRACT_VALUE_ERROR", "The event throws no code: its reference has none.")
    return value
