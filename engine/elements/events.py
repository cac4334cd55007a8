"""Events that catch: start, intermediate catch, boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from engine import canceling, subscriptions, waits
from engine.elements.base import Element
from engine.elements.definitions import Details, EventDefinition, LinkDefinition

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class StartEvent(Element):
    """Where a scope begins; in an event sub-process it is what the scope around it waits for."""

    kind: ClassVar[str] = "startEvent"

    def __init__(
        self, process: Process, details: Details, definitions: tuple[EventDefinition, ...], *, interrupting: bool = True
    ) -> None:
        super().__init__(process, details)
        self.definitions = definitions
        self.interrupting = interrupting
        self.form_id: str | None = None

    def caught(self, host: Token, variables: dict[str, Any]) -> None:
        """Start the event sub-process inside `host`, which ends everything else in it when interrupting."""
        execution = host.execution
        assert self.details.scope_id is not None
        sub_process = execution.process.element(self.details.scope_id)
        token = execution.spawn(sub_process, host, enter=False, event_id=self.id)
        token.remember(start=self.id, payload=variables)
        if self.interrupting:
            # What is attached to the border of the scope stays: the scope is still alive.
            waits.close_events(host, host.element.event_starts)
            if canceling.terminate_children(host, but=token, then=token):
                return
        if not token.in_error:
            execution.agenda.append(token)


class IntermediateCatchEvent(Element):
    """Waits for a timer, a message or a signal; a link target lets the token through."""

    kind: ClassVar[str] = "intermediateCatchEvent"

    def __init__(self, process: Process, details: Details, definitions: tuple[EventDefinition, ...]) -> None:
        super().__init__(process, details)
        self.definitions = definitions

    def enter(self, task: Token) -> bool:
        """Open what the event waits for."""
        if isinstance(self.definition, LinkDefinition):
            return True
        subscriptions.open_event(task, self)
        return False

    def caught(self, host: Token, variables: dict[str, Any]) -> None:
        """Take over from the event-based gateway that waited for this event."""
        host.execution.take_over(host, self, variables)


class BoundaryEvent(Element):
    """Attached to an activity: catches while the activity is alive, and ends it when interrupting."""

    kind: ClassVar[str] = "boundaryEvent"

    def __init__(
        self,
        process: Process,
        details: Details,
        definitions: tuple[EventDefinition, ...],
        *,
        host_id: str,
        interrupting: bool,
    ) -> None:
        super().__init__(process, details)
        self.definitions = definitions
        self.host_id = host_id
        self.interrupting = interrupting

    def caught(self, host: Token, variables: dict[str, Any]) -> None:
        """Send a token out of the boundary event."""
        execution = host.execution
        scope = host.scope
        token = execution.spawn(self, scope, enter=False, event_id=self.id)
        if self.interrupting:
            if "undoes_for" in host.internal_data:
                # The handler of a compensation ends here, so what waits for it waits for this event.
                token.remember(undoes_for=host.internal_data["undoes_for"])
            if canceling.terminate(host, then=token):
                token.remember(payload=variables)
                return
        if not token.in_error:
            execution.finish(token, variables)

    def others_gone(self, task: Token) -> None:
        """Go on: the activity has ended."""
        if not task.in_error:
            task.execution.finish(task, task.internal_data.pop("payload"))
