"""The task spec that all our elements share: how a token enters an element, waits there and leaves it.

SpiffWorkflow drives a task by calling its spec: `Task.run` calls `_run`, `Task.complete` calls `_on_complete`,
`Task.trigger` calls `_on_trigger`. Its own versions predict the future of the tree, copy data from parent to child and
keep every finished task; ours do none of that (docs/architecture.md, "Tokens"), so state and step cost follow the live
tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec

from engine import expressions, listeners, subscriptions, waits
from engine.elements.definitions import Details, EventDefinition, ListenerDefinition, SequenceFlow
from engine.errors import ElementFailure
from engine.paths import put_path
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.elements.events import BoundaryEvent, StartEvent
    from engine.process import Process
    from engine.tokens import Token


class Element(BpmnTaskSpec):
    """One BPMN element of a process definition."""

    #: The element's BPMN tag, e.g. `userTask`.
    kind: ClassVar[str] = ""
    #: Tokens can live inside it.
    is_scope: ClassVar[bool] = False

    def __init__(self, process: Process, details: Details) -> None:
        super().__init__(process, details.id, lane=details.lane, documentation=details.documentation)
        self.process = process
        self.details = details
        self.bpmn_id = details.id
        self.bpmn_name = details.name
        self.id: str = details.id
        self.outgoing: list[SequenceFlow] = []
        self.incoming: list[SequenceFlow] = []
        self.default_flow_id: str | None = None
        self.boundary_events: list[BoundaryEvent] = []
        #: It undoes another activity and is entered by nothing else.
        self.for_compensation = False
        #: What undoes it once it is completed.
        self.compensation_handler_id: str | None = None
        #: A message that it waits for starts an instance.
        self.instantiates = False
        #: Jobs that hold up the element, or a change of its user task, in the order of the diagram.
        self.listeners: tuple[ListenerDefinition, ...] = ()
        #: Start events of the event sub-processes inside this scope.
        self.event_starts: list[StartEvent] = []
        #: What an event waits for or throws: of several definitions any one, or with `needs_all` all of them.
        self.definitions: tuple[EventDefinition, ...] = ()
        self.needs_all = False

    @property
    def definition(self) -> EventDefinition | None:
        """The event's first definition; None for an event without, and for what is no event."""
        return self.definitions[0] if self.definitions else None

    @property
    def type_name(self) -> str:
        """The element type in Camunda 8's API words, e.g. `USER_TASK`."""
        return "".join(f"_{letter}" if letter.isupper() else letter for letter in self.kind).upper()

    # --- what SpiffWorkflow calls

    def _run(self, my_task: Token) -> bool | None:
        """Let the token in: True when the element is done at once, None when it waits for the outside."""
        if not my_task.internal_data.get("mapped"):
            self.map_inputs(my_task)
        if self.listeners:
            my_task.remember(mapped=True)
            if listeners.wait_for(my_task, "start"):
                return None
        done = self.enter(my_task)
        if my_task.key not in my_task.execution.tasks:
            return None  # what it threw was caught by something that ended it
        if not done:
            subscriptions.open_attached(my_task)
            self.entered(my_task)
            return None
        return True

    def _on_complete(self, my_task: Token) -> None:
        """Let the token out: outputs, then the flows; a failure here is retried from here."""
        my_task.internal_data["phase"] = "completing"
        if not my_task.internal_data.get("finished"):
            self.before_leaving(my_task)
            self.map_outputs(my_task)
        if self.listeners:
            my_task.remember(finished=True)
            if listeners.wait_for(my_task, "end"):
                my_task._set_state(STARTED)
                return
        flows = self.select_flows(my_task)
        if my_task.parent is not None:
            my_task.scope.element.inner_leaving(my_task)
        my_task.execution.leave(my_task, flows)

    def _on_trigger(self, my_task: Token, event: Element, variables: dict[str, Any], part: int) -> None:
        """What the token waited for has happened at `event`: at the element itself, or at an event attached to it."""
        if event.needs_all:
            variables = my_task.arrive(event.name, part, variables)
            if not my_task.has_all(event.name, len(event.definitions)):
                return
        if event is self:
            # What it waited for has come: should its output fail, it must not take another message for it.
            waits.close_events(my_task, [self])
            my_task.execution.finish(my_task, variables)
        else:
            event.caught(my_task, variables)

    # --- what the kinds of element fill in

    def enter(self, task: Token) -> bool:
        """Do what the element does when a token comes in; return whether it is done already."""
        return True

    def entered(self, task: Token) -> None:
        """Note that the token is in, and waits: entering it has not failed."""

    def before_leaving(self, task: Token) -> None:
        """Do what the element does when it is done, before its outputs are mapped."""

    def caught(self, host: Token, variables: dict[str, Any]) -> None:
        """React to this event, for which `host` waited."""
        raise NotImplementedError(f"{self.kind} {self.id} catches nothing")

    def inner_left(self, task: Token, inner: Token) -> None:
        """Go on after a token inside this scope has left its element: the scope is done when it is empty."""
        if not task._children:
            task.execution.finish(task)

    def inner_leaving(self, inner: Token) -> None:
        """Look at a token inside this scope that is about to leave its element."""

    def resume(self, task: Token) -> None:
        """Try again what failed after the element was entered and before it was done."""
        raise NotImplementedError(f"{self.kind} {self.id} has nothing to resume")

    def others_gone(self, task: Token) -> None:
        """Go on after the last of those has gone that the token has terminated and that listeners held up."""
        raise NotImplementedError(f"{self.kind} {self.id} terminates nothing")

    def terminated(self, task: Token) -> None:
        """Take back what lives outside of the instance's own tables when the token is taken away."""

    # --- shared by most kinds

    def map_inputs(self, task: Token) -> None:
        """Evaluate `zeebe:input` mappings into the element's own scope, in order."""
        for mapping in self.details.inputs:
            task.execution.variables.set_path(
                task, mapping.target, expressions.evaluate(task, mapping.source, f"input {mapping.target}")
            )

    def map_outputs(self, task: Token) -> None:
        """Evaluate `zeebe:output` mappings against the element's scope and merge them into the scopes around it."""
        if not self.details.outputs:
            return
        execution = task.execution
        results: dict[str, Any] = {}
        for mapping in self.details.outputs:
            value = expressions.evaluate(task, mapping.source, f"output {mapping.target}", extra=results)
            put_path(results, mapping.target, value)
        execution.variables.merge(task.parent, results)

    def select_flows(self, task: Token) -> list[SequenceFlow]:
        """Return the flows to take: all without condition, and those whose condition holds, else the default."""
        if all(flow.condition is None for flow in self.outgoing):
            return self.outgoing
        taken = [
            flow
            for flow in self.outgoing
            if flow.id != self.default_flow_id
            and (flow.condition is None or expressions.holds(task, flow.condition, flow.condition_label))
        ]
        if taken:
            return taken
        return [self.default_flow("No condition of the outgoing flows is true and there is no default flow.")]

    def default_flow(self, otherwise: str) -> SequenceFlow:
        """Return the default flow; raises ElementFailure with the sentence `otherwise` when there is none."""
        for flow in self.outgoing:
            if flow.id == self.default_flow_id:
                return flow
        raise ElementFailure("CONDITION_ERROR", otherwise)
