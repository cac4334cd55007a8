"""One instance on its way to another version: its tokens, what they remember, and the rows that refer to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from database import Base
from engine import canceling, compensation, messages, subscriptions
from engine.elements.base import Element
from engine.elements.definitions import ConditionalDefinition, MessageDefinition, SignalDefinition, TimerDefinition
from engine.elements.events import StartEvent
from engine.elements.gateways import JoiningGateway
from engine.elements.multi_instance import INNER
from engine.models import (
    ElementInstance,
    Incident,
    IncidentState,
    Job,
    JobKind,
    JobState,
    MessageSubscription,
    ProcessInstance,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskState,
)
from engine.tokens import Token

if TYPE_CHECKING:
    from engine.process import Process
    from engine.workflow import Execution

#: Waits of events: kept, ended or opened by the plan.
_OF_EVENTS: tuple[type[Base], ...] = (Timer, MessageSubscription, SignalSubscription)
_AWAITED = TimerDefinition | MessageDefinition | SignalDefinition | ConditionalDefinition
#: Waits that go with their element, and the states in which they are open.
_OF_ELEMENTS: dict[type[Base], tuple[str, ...]] = {
    UserTask: (UserTaskState.CREATED,),
    Job: (JobState.CREATED, JobState.FAILED),
    Incident: (IncidentState.ACTIVE,),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One active element, or an event that it waits for, becomes another."""

    element_instance_key: int
    source_id: str
    target_id: str


@dataclass(slots=True)
class Report:
    """What a migration does with an instance."""

    elements: list[Step] = field(default_factory=list)
    #: Events that go on waiting for what they waited for.
    kept: list[Step] = field(default_factory=list)
    #: Ids of events of the old version that wait no longer, and of the new version that begin to wait.
    closed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def details(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


class Migrating:
    """Migrates one instance: first `problems`, then, when there are none, `run`."""

    def __init__(
        self, execution: Execution, target: Process, target_key: int, version: int, mapping: dict[str, str]
    ) -> None:
        self.execution = execution
        self.source = execution.process
        self.target = target
        self.target_key = target_key
        self.version = version
        self.mapping = mapping
        self.report = Report()
        self._identity = {"definition_key": target_key, "process_id": target.process_id}

    # --- what would go wrong

    def problems(self) -> list[str]:
        """Return why this instance cannot be migrated."""
        found: list[str] = []
        for element_id in self.execution.session.scalars(
            select(Job.element_id).where(
                Job.instance_key == self.execution.instance_key,
                Job.kind != JobKind.BPMN_ELEMENT,
                Job.state.in_(_OF_ELEMENTS[Job]),
            )
        ):
            found.append(f"A listener of “{element_id}” is at work; migrate when it is done.")
        for token in self._tokens():
            found += self._problems_of(token)
        return list(dict.fromkeys(found))

    def _problems_of(self, token: Token) -> Iterator[str]:
        element = token.element
        after = self._after(element)
        if after is None:
            yield f"“{element.id}” is active and has no mapping."
            return
        if token.internal_data.keys() & {"undoes_for", "handlers"}:
            yield f"“{element.id}” takes part in a compensation; migrate when that is done."
            return
        if canceling.is_canceling(token):
            yield f"“{element.id}” is being terminated; migrate when that is done."
            return
        if token is not self.execution.root:
            around = self._after(token.scope.element)
            if around is not None and after.details.scope_id != around.details.id:
                yield f"“{element.id}” would change its scope: “{after.id}” is not directly inside of “{around.id}”."
        if isinstance(element, JoiningGateway) and "flow" in token.internal_data:
            yield from self._problems_of_join(token, after)
        attached = _attached(after)
        for event in _attached(element):
            wanted = self.mapping.get(event.id)
            if wanted is not None and self.target.element(wanted) not in attached:
                yield f"The event “{event.id}” of “{element.id}” cannot be mapped to “{wanted}” elsewhere."

    def _problems_of_join(self, token: Token, after: Element) -> Iterator[str]:
        if len(after.incoming) < len(token.element.incoming):
            yield f"“{after.id}” must have at least as many incoming flows as “{token.element.id}”."
        taken = token.internal_data["flow"]
        if taken is not None and self._flow(taken) not in [flow.id for flow in after.incoming]:
            yield f"The flow “{taken}” was taken and must be mapped to one into “{after.id}”."

    # --- the other version

    def _after(self, element: Element) -> Element | None:
        """Return what an element becomes, or None without a mapping."""
        if element is self.source.root:
            return self.target.root
        wanted = self.mapping.get(element.id)
        if wanted is None:
            return None
        name = wanted if element.name == element.id else INNER.format(wanted)
        found: Element | None = self.target.task_specs.get(name)
        return found

    def _flow(self, flow_id: str | None) -> str | None:
        """Return what a flow becomes; one of the same id needs no mapping."""
        return None if flow_id is None else self.mapping.get(flow_id, flow_id)

    # --- doing it

    def run(self) -> Report:
        """Migrate; raises ElementFailure when an event of the target cannot be opened."""
        execution = self.execution
        tokens = self._tokens()
        before = {token.key: token.element for token in tokens}
        for token in tokens:
            after = self._after(token.element)
            assert after is not None, "it was checked"
            token.task_spec = after
        execution.process, execution.spec, execution.definition_key = self.target, self.target, self.target_key
        self._instance()
        for token in tokens:
            if token is not execution.root:
                self._element(token, before[token.key])
        self._element_waits()
        self._event_waits(before)
        for token in tokens:
            self._remembered(token)
        for token in tokens:
            self._open_new(token, before[token.key])
        # Kept ones may be other conditions now.
        execution.conditions_due = True
        return self.report

    def _tokens(self) -> list[Token]:
        """Return every live token, those around before those inside."""
        found, stack = [], [self.execution.root]
        while stack:
            token = stack.pop()
            found.append(token)
            stack.extend(reversed(token.children))
        return found

    def _instance(self) -> None:
        execution = self.execution
        execution.changes.update(ProcessInstance, execution.instance_key, version=self.version, **self._identity)
        # The title may be told in other words there.
        execution.variables.changed = True

    def _element(self, token: Token, before: Element) -> None:
        self.report.elements.append(Step(token.key, before.id, token.element.id))
        self.execution.changes.update(
            ElementInstance, token.key, definition_key=self.target_key, element_id=token.element.id
        )

    def _element_waits(self) -> None:
        """Let user tasks, jobs and incidents belong to the new version."""
        for model, states in _OF_ELEMENTS.items():
            table = model.__table__
            rows = self.execution.session.execute(
                select(table.c.key, table.c.element_instance_key).where(
                    table.c.instance_key == self.execution.instance_key, table.c.state.in_(states)
                )
            )
            for row in rows:
                token = self.execution.find(row.element_instance_key)
                if token is None:
                    continue
                values: dict[str, Any] = self._identity | {"element_id": token.element.id}
                if model is UserTask:
                    values["name"] = token.element.details.name or token.element.id
                self.execution.changes.update(model, row.key, **values)

    def _event_waits(self, before: dict[int, Element]) -> None:
        """Keep or end what events wait for."""
        for model in _OF_EVENTS:
            table = model.__table__
            columns = [table.c.key, table.c.element_instance_key, table.c.element_id]
            if model is MessageSubscription:
                columns.append(table.c.message_name)
            rows = self.execution.session.execute(
                select(*columns).where(table.c.instance_key == self.execution.instance_key)
            )
            for row in rows:
                token = self.execution.find(row.element_instance_key)
                if token is None:
                    continue
                if model is MessageSubscription and row.message_name == messages.start_lock(self.source.process_id):
                    name = messages.start_lock(self.target.process_id)
                    self.execution.changes.update(model, row.key, message_name=name, **self._identity)
                    continue
                own = row.element_id == before[token.key].id
                wanted = token.element.id if own else self.mapping.get(row.element_id)
                if wanted is None:
                    self.execution.changes.delete_wait(model, row.key)
                    self.report.closed.append(row.element_id)
                else:
                    self.execution.changes.update(model, row.key, element_id=wanted, **self._identity)
                    self.report.kept.append(Step(token.key, row.element_id, wanted))

    def _remembered(self, token: Token) -> None:
        """Translate the ids that a token remembers."""
        data = token.internal_data
        if "flow" in data:
            data["flow"] = self._flow(data["flow"])
        if "start" in data:
            data["start"] = self.mapping.get(data["start"], data["start"])
        if "fired" in data:
            data["fired"] = [self.mapping.get(gateway_id, gateway_id) for gateway_id in data["fired"]]
        if "completed" in data:
            data["completed"] = self._completed(data["completed"])
        if "arrived" in data:
            data["arrived"] = {self._event_name(name, token): parts for name, parts in data["arrived"].items()}
        if "conditions" in data:
            data["conditions"] = self._watched(token)

    def _watched(self, token: Token) -> list[list[Any]]:
        """Return the conditions that the token goes on to watch."""
        watched = []
        for name, part, true in token.internal_data["conditions"]:
            after = self._event_name(name, token)
            if after is not None:
                watched.append([after, part, true])
                event = self.target.element(after)
                self.report.kept.append(Step(token.key, self.source.element(name).id, event.id))
            else:
                self.report.closed.append(self.source.element(name).id)
        return watched

    def _event_name(self, name: str, token: Token) -> str | None:
        """Return the name in the target of an event that a token waits for."""
        after = self._after(self.source.element(name))
        return after.name if after is not None else None

    def _completed(self, entries: list[Any]) -> list[Any]:
        """Translate completed activities that can be undone; what has no handler any more cannot."""
        translated = []
        for activity_id, _, _, inside in entries:
            wanted = self.mapping.get(activity_id, activity_id)
            after = self.target.task_specs.get(wanted)
            handler_id = after.compensation_handler_id if after is not None else None
            start_id = compensation.own_start(after) if after is not None else None
            still = self._completed(inside)
            if after is not None and (handler_id is not None or start_id is not None or still):
                translated.append([wanted, handler_id, start_id, still])
        return translated

    def _open_new(self, token: Token, before: Element) -> None:
        """Open what events of the new version wait for that nothing was mapped to.

        One to which something was mapped goes on where that was: if it has come already, it does not come again.
        """
        data = token.internal_data
        if token.in_error and "phase" not in data and "j" not in data.get("waits", ""):
            return  # it failed when it was entered, and opens everything when it is tried again
        if data.get("phase") == "completing":
            return
        interrupted = self._interrupted(token)
        mapped = {self.mapping.get(event.id) for event in _attached(before)}
        for event in _attached(token.element):
            waits = any(isinstance(definition, _AWAITED) for definition in event.definitions)
            if not waits or event.id in mapped or (interrupted and isinstance(event, StartEvent)):
                continue
            subscriptions.open_event(token, event)
            self.report.opened.append(event.id)

    def _interrupted(self, token: Token) -> bool:
        """Whether an interrupting event sub-process has ended what the scope waited for."""
        for child in token.children:
            start = self.target.task_specs.get(child.internal_data.get("start"))
            if child.element.kind == "eventSubProcess" and isinstance(start, StartEvent) and start.interrupting:
                return True
        return False


def _attached(element: Element) -> list[Element]:
    """Return the events that wait with an element: at its border, in its scope, or after an event-based gateway."""
    events: list[Element] = [*element.boundary_events, *element.event_starts]
    if element.kind == "eventBasedGateway":
        events += [element.process.element(flow.target_id) for flow in element.outgoing]
    return events
