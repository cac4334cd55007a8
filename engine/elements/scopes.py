"""Scopes: the process itself, sub-processes, event sub-processes, and call activities that start a child instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from engine import children, expressions, subscriptions
from engine.elements.base import Element
from engine.elements.definitions import Details, SequenceFlow
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class Scope(Element):
    """Common to elements that tokens live in: done when the last token inside is."""

    is_scope: ClassVar[bool] = True

    def entered(self, task: Token) -> None:
        """Forget what started the scope: it will not be entered again."""
        task.internal_data.pop("payload", None)

    def enter(self, task: Token) -> bool:
        """Put a token on the none start event."""
        starts = [event for event in self.process.start_events(self) if event.definition is None]
        if not starts:
            return True
        task.execution.spawn(starts[0], task)
        return False


def _start_at(event: Element, scope: Token) -> None:
    """Put a token on a start event that has caught something, with what it brought.

    What it brought to the scopes around is written once, so that a retry does not undo what a person has corrected
    since; what the token itself keeps goes with the token, and so the next attempt needs it again.
    """
    execution = scope.execution
    token = execution.spawn(event, scope, enter=False)
    if event.details.outputs:
        execution.finish(token, scope.internal_data.get("payload"))
    else:
        execution.finish(token, scope.internal_data.pop("payload", None))


def _wait_at(event: Element, scope: Token) -> None:
    """Put a token on a parallel multiple start event, where it waits for those triggers that have not come yet."""
    data = scope.internal_data
    token = scope.execution.spawn(event, scope, enter=False)
    _correlate(token)
    token._set_state(STARTED)
    subscriptions.open_event(token, event, but=data.get("part", 0))
    token.arrive(event.name, data.get("part", 0), data.get("payload", {}))


def _correlate(token: Token) -> None:
    """Let the token wait for messages with the correlation key of the one that has started the instance."""
    correlation = token.scope.internal_data.get("correlation")
    if correlation is not None:
        token.remember(correlation=correlation)


class ProcessScope(Scope):
    """The process as the outermost scope: its token is the process instance."""

    kind: ClassVar[str] = "process"

    def enter(self, task: Token) -> bool:
        """Put a token on the start event that was asked for, else on the none start event."""
        # Where it started is kept: what fails now is tried again from there.
        start_id = task.internal_data.get("start")
        if start_id is None:
            return super().enter(task)
        event = self.process.element(start_id)
        if event.needs_all:
            _wait_at(event, task)
        else:
            _start_at(event, task)
        for other in self.process.started_with(event):
            _correlate(task.execution.spawn(other, task))
        return False

    def select_flows(self, task: Token) -> list[SequenceFlow]:
        """Nothing follows the process."""
        return []


class SubProcess(Scope):
    """An embedded sub-process."""

    kind: ClassVar[str] = "subProcess"


class Transaction(SubProcess):
    """A sub-process that a cancel end event gives up: what was completed in it is undone, then its border is left."""

    kind: ClassVar[str] = "transaction"


class EventSubProcess(Scope):
    """A sub-process that an event starts while the scope around it is alive."""

    kind: ClassVar[str] = "eventSubProcess"

    def others_gone(self, task: Token) -> None:
        """Begin: what it has interrupted has ended."""
        if not task.in_error:
            task.execution.agenda.append(task)

    def enter(self, task: Token) -> bool:
        """Put a token on the start event that caught, with what it brought."""
        _start_at(self.process.element(task.internal_data["start"]), task)
        return False

    def select_flows(self, task: Token) -> list[SequenceFlow]:
        """Nothing follows an event sub-process."""
        return []


class CallActivity(Element):
    """Starts another process as a child instance and waits for its end."""

    kind: ClassVar[str] = "callActivity"

    def __init__(
        self,
        process: Process,
        details: Details,
        called_process: str,
        *,
        propagate_parent: bool,
        propagate_child: bool,
        binding: str,
        version_tag: str | None,
    ) -> None:
        super().__init__(process, details)
        self.called_process = called_process
        self.propagate_parent = propagate_parent
        self.propagate_child = propagate_child
        self.binding = binding
        self.version_tag = version_tag

    def enter(self, task: Token) -> bool:
        """Start the child with the variables that the diagram hands down."""
        execution = task.execution
        process_id = str(expressions.evaluate(task, self.called_process, "called process"))
        variables = execution.variables
        handed: dict[str, Any] = variables.visible(task) if self.propagate_parent else variables.local(task)
        child_key = children.start(task, process_id, self.binding, self.version_tag, handed)
        task.remember(child=child_key)
        return False

    def child_completed(self, task: Token, variables: dict[str, Any]) -> None:
        """Go on with what the child leaves behind: all of it, or only what the output mappings take."""
        handed_up = variables if self.propagate_child or self.details.outputs else {}
        task.execution.finish(task, handed_up)

    def terminated(self, task: Token) -> None:
        """End the child with its parent."""
        child_key = task.internal_data.get("child")
        if child_key is not None:
            children.terminate(task, child_key)
