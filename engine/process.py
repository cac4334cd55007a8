"""A process definition in memory: the graph of elements that tokens move in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

from engine.elements.definitions import LinkDefinition
from feel.durations import Duration

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.elements.definitions import SequenceFlow
    from engine.elements.events import StartEvent


class Process(WorkflowSpec):
    """All elements of one executable process, nested ones included; `root` is the process itself as a scope."""

    def __init__(self, process_id: str, name: str) -> None:
        super().__init__(name=process_id)
        self.process_id = process_id
        self.title = name
        self.version_tag: str | None = None
        #: FEEL text that names a case for people, e.g. plate and customer.
        self.title_expression: str | None = None
        #: False where the property `startable` says that only a call or an event starts it.
        self.listed = True
        #: How long the history of an ended instance is kept; None: as the settings say.
        self.time_to_live: Duration | None = None
        self.documentation = ""
        self.flows: dict[str, SequenceFlow] = {}
        self.root: Element
        #: Group names of the lanes of the process, in the order drawn.
        self.lanes: list[str] = []

    def element(self, element_id: str) -> Element:
        """Return the element with this id; a multi-instance activity's id names its body. Raises KeyError."""
        element: Element = self.task_specs[element_id]
        return element

    @property
    def elements(self) -> Iterator[Element]:
        """All elements, the process itself included."""
        yield from self.task_specs.values()

    def start_events(self, scope: Element) -> list[StartEvent]:
        """Return the start events directly inside `scope`."""
        return [
            element
            for element in self.elements
            if element.kind == "startEvent" and element.details.scope_id == scope.details.id
        ]

    def triggers(self) -> list[Element]:
        """Return what starts an instance without a person: events of the process that wait before there is one."""
        found: list[Element] = [event for event in self.start_events(self.root) if event.definition is not None]
        for element in self.elements:
            if element.instantiates and element.details.scope_id == self.root.id:
                if element.kind == "eventBasedGateway":
                    found += [self.element(flow.target_id) for flow in element.outgoing]
                else:
                    found.append(element)
        return found

    def started_with(self, event: Element) -> list[Element]:
        """Return what an instance that `event` starts waits for besides: the rest after a parallel event gateway."""
        for flow in event.incoming:
            gateway = self.element(flow.source_id)
            if gateway.instantiates and gateway.needs_all:
                return [self.element(other.target_id) for other in gateway.outgoing if other.target_id != event.id]
        return []

    def is_awaited_inside(self, event: Element) -> bool:
        """Return whether instances that another trigger has started wait for this one, before it starts another."""
        return event.needs_all or bool(self.started_with(event))

    @cached_property
    def none_start(self) -> StartEvent | None:
        """The start event at which a person or a call activity starts the process."""
        return next((event for event in self.start_events(self.root) if event.definition is None), None)

    @cached_property
    def groups(self) -> list[str]:
        """Every group that the diagram names: lanes and constant candidate groups."""
        names = dict.fromkeys(self.lanes)
        for element in self.elements:
            task = getattr(element, "task", None)
            texts = task.candidate_groups if task is not None else None
            if texts and not texts.startswith("="):
                names.update(dict.fromkeys(part.strip() for part in texts.split(",") if part.strip()))
        return list(names)

    @cached_property
    def _upstream(self) -> dict[str, frozenset[str]]:
        return {}

    def reaches(self, source: Element, target: Element) -> bool:
        """Return whether a token at `source` could still come to `target` along sequence flows of their scope."""
        return any(self.leads_to(source, flow) for flow in target.incoming)

    def leads_to(self, source: Element, flow: SequenceFlow) -> bool:
        """Return whether a token at `source` could come along `flow` without passing the flow's target before."""
        upstream = self._upstream.get(flow.id)
        if upstream is None:
            seen: set[str] = set()
            stack = [flow.source_id]
            while stack:
                element_id = stack.pop()
                if element_id in seen or element_id == flow.target_id:
                    continue
                seen.add(element_id)
                element = self.element(element_id)
                stack += [incoming.source_id for incoming in element.incoming]
                stack += self._jumps_to(element)
            upstream = self._upstream[flow.id] = frozenset(seen)
        return source.name in upstream

    def _jumps_to(self, element: Element) -> list[str]:
        """Return from where a token comes to an element without a flow: the activity of a border event, a link."""
        if element.kind == "boundaryEvent":
            return [other.id for other in self.elements if element in other.boundary_events]
        if element.kind == "intermediateCatchEvent" and isinstance(element.definition, LinkDefinition):
            return [
                other.id
                for other in self.elements
                if other.kind == "intermediateThrowEvent"
                and other.definition == element.definition
                and other.details.scope_id == element.details.scope_id
            ]
        return []
