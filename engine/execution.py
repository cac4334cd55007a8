"""The one function that moves tokens: `execute` applies a command to an instance and runs it to rest."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from SpiffWorkflow.workflow import Workflow
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

import feel
from database import Base
from engine import clock, definitions, expressions, messages, signals, state, throwing, timers
from engine.changes import Changes
from engine.configuration import configuration
from engine.elements.base import Element
from engine.elements.definitions import MessageDefinition, SequenceFlow, SignalDefinition, TimerDefinition
from engine.elements.gateways import InclusiveGateway, JoiningGateway
from engine.elements.multi_instance import MultiInstanceBody
from engine.elements.scopes import CallActivity
from engine.errors import ElementFailure, EngineError, NotActive, NotFound
from engine.keys import new_key
from engine.models import (
    Audit,
    DecisionEvaluation,
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    InstanceState,
    Job,
    MessageSubscription,
    ProcessDefinition,
    ProcessInstance,
    ProcessState,
    SignalSubscription,
    Timer,
    UserTask,
)
from engine.process import Process
from engine.tokens import ERROR, READY, STARTED, Token
from engine.variables import ScopeView, Variables, checked

#: What a token can wait for, by the letter under which its state remembers it.
_WAITS: dict[str, type[Base]] = {
    "t": Timer,
    "m": MessageSubscription,
    "s": SignalSubscription,
    "u": UserTask,
    "j": Job,
    "i": Incident,
}
_LETTERS = {model: letter for letter, model in _WAITS.items()}
#: Waits of events attached to an activity or scope, as far as they are not its own.
_EVENT_WAITS = "tms"


# Built once: building a statement costs as much as running it.
_ROOT = select(ProcessInstance.root_key).where(ProcessInstance.key == bindparam("key"))
_LOCK = select(ProcessInstance.key).where(ProcessInstance.key == bindparam("key")).with_for_update()
_LOAD = (
    select(
        ProcessInstance.definition_key,
        ProcessInstance.state,
        ProcessInstance.parent_key,
        ProcessInstance.parent_element_instance_key,
        ProcessInstance.title,
        ProcessInstance.revision,
        InstanceState.tokens,
    )
    .outerjoin(InstanceState, InstanceState.instance_key == ProcessInstance.key)
    .where(ProcessInstance.key == bindparam("key"))
)
_VERSION = select(ProcessDefinition.version).where(ProcessDefinition.key == bindparam("key"))


class Command(Protocol):
    """Something that a person, a worker, a timer or a message wants of an instance."""

    @property
    def action(self) -> str: ...

    def apply(self, execution: Execution) -> None:
        """Change the execution; raises an EngineError to refuse, and then nothing has changed."""


@dataclass(slots=True)
class Outcome:
    """What a command has led to."""

    instance_key: int
    state: str = ProcessState.ACTIVE
    #: User tasks that were created, in this instance and its children.
    user_task_keys: list[int] = field(default_factory=list)
    incident_keys: list[int] = field(default_factory=list)


def execute(session: Session, instance_key: int, command: Command, *, actor: str = "") -> Outcome:
    """Apply a command to an instance and run it to rest, inside of the caller's transaction.

    Raises NotFound, NotActive when the instance has ended, and what the command refuses with; then the caller's
    transaction must be rolled back.
    """
    root_key = session.scalar(_ROOT, {"key": instance_key})
    if root_key is None:
        raise NotFound("process instance", instance_key)
    hierarchy = Hierarchy(session, root_key, actor)
    hierarchy.lock()
    execution = hierarchy.load(instance_key)
    hierarchy.outcome.instance_key = instance_key
    command.apply(execution)
    return hierarchy.finish(instance_key)


def create_instance(
    session: Session, definition: ProcessDefinition, variables: dict[str, Any] | None = None, *, actor: str = ""
) -> Outcome:
    """Start an instance at the none start event and run it to rest.

    Raises InvalidVariables, and NotActive when only an event can start the process.
    """
    if definitions.process(session, definition.key).none_start is None:
        raise NotActive("process", definition.process_id, "started by an event only")
    return _start(session, definition, None, variables or {}, actor)


def start_at(
    session: Session, definition_key: int, element_id: str, variables: dict[str, Any], *, actor: str = ""
) -> Outcome:
    """Start an instance at the start event whose timer, message or signal has come, and run it to rest."""
    definition = session.get(ProcessDefinition, definition_key)
    if definition is None:
        raise NotFound("process definition", definition_key)
    return _start(session, definition, element_id, variables, actor)


def _start(
    session: Session, definition: ProcessDefinition, element_id: str | None, variables: dict[str, Any], actor: str
) -> Outcome:
    checked(variables)
    key = new_key()
    hierarchy = Hierarchy(session, key, actor)
    execution = hierarchy.open(definition.key, key, root_key=key)
    execution.audit("create process instance", details={"variables": variables})
    if element_id is None:
        execution.variables.merge(execution.root, variables)
    else:
        execution.root.remember(start=element_id, payload=variables)
    return hierarchy.finish(key)


class Hierarchy:
    """An instance with its callers and children during one command: one lock, one set of changes, one flush."""

    def __init__(self, session: Session, root_key: int, actor: str) -> None:
        self.session = session
        self.root_key = root_key
        self.actor = actor
        self.now = clock.now(session)
        self.changes = Changes()
        self.outcome = Outcome(root_key)
        self.thrown: list[throwing.Thrown] = []
        self.settings = configuration(session)
        self.environment = feel.Environment(now=self.now, zone=self.settings.zone, calendar=self.settings.calendar)
        self._executions: dict[int, Execution] = {}

    def lock(self) -> None:
        """Keep every other command of the hierarchy out until the transaction ends."""
        # On SQLite the transaction itself holds the one write lock.
        if self.session.get_bind().dialect.name != "sqlite":
            self.session.execute(_LOCK, {"key": self.root_key})

    def load(self, instance_key: int) -> Execution:
        """Return the execution of a stored, active instance; raises NotFound, NotActive."""
        execution = self._executions.get(instance_key)
        if execution is not None:
            return execution
        row = self.session.execute(_LOAD, {"key": instance_key}).one_or_none()
        if row is None:
            raise NotFound("process instance", instance_key)
        if row.state != ProcessState.ACTIVE:
            raise NotActive("process instance", instance_key, row.state.lower())
        execution = Execution(self, definitions.process(self.session, row.definition_key), row.definition_key)
        execution.instance_key = instance_key
        execution.parent_key, execution.parent_element_instance_key = row.parent_key, row.parent_element_instance_key
        execution.title, execution.revision = row.title, row.revision
        state.load(execution, row.tokens)
        self._executions[instance_key] = execution
        return execution

    def open(
        self,
        definition_key: int,
        instance_key: int,
        *,
        root_key: int,
        parent: Token | None = None,
    ) -> Execution:
        """Make a new instance whose root token is ready to enter."""
        process = definitions.process(self.session, definition_key)
        version = self.session.scalar(_VERSION, {"key": definition_key})
        execution = Execution(self, process, definition_key)
        execution.instance_key = instance_key
        execution.fresh = True
        if parent is not None:
            execution.parent_key = parent.execution.instance_key
            execution.parent_element_instance_key = parent.key
        self.changes.insert(
            ProcessInstance,
            key=instance_key,
            definition_key=definition_key,
            process_id=process.process_id,
            version=version,
            state=ProcessState.ACTIVE,
            title="",
            parent_key=execution.parent_key,
            parent_element_instance_key=execution.parent_element_instance_key,
            root_key=root_key,
            started_at=self.now,
            started_by=self.actor,
            ended_at=None,
            revision=0,
        )
        execution.variables.opened(instance_key)
        execution.root = Token(execution, process.root, None, instance_key)
        execution.agenda.append(execution.root)
        self._executions[instance_key] = execution
        return execution

    def finish(self, instance_key: int) -> Outcome:
        """Run every execution to rest, write what changed, then send what was thrown to other instances."""
        while any(execution.agenda for execution in self._executions.values()):
            for execution in list(self._executions.values()):
                execution.run()
        for execution in self._executions.values():
            execution.store()
        self.changes.flush(self.session)
        self._store_states()
        # Rows that the caller has read before the command may have changed.
        self.session.expire_all()
        self.outcome.state = self._executions[instance_key].instance_state
        opened = [key for execution in self._executions.values() for key in execution.new_subscriptions]
        if opened:
            messages.deliver_buffered(self.session, opened, self.actor)
        for thrown in self.thrown:
            throwing.send(self.session, thrown, self.actor)
        if opened or self.thrown:
            current = select(ProcessInstance.state).where(ProcessInstance.key == instance_key)
            self.outcome.state = self.session.scalar(current) or self.outcome.state
        return self.outcome

    def _store_states(self) -> None:
        live = [
            {"instance_key": execution.instance_key, "tokens": state.dump(execution)}
            for execution in self._executions.values()
            if not execution.ended
        ]
        ended = [execution.instance_key for execution in self._executions.values() if execution.ended]
        connection = self.session.connection()
        if live:
            connection.execute(_store_state(connection.dialect.name), live)
        if ended:
            connection.execute(delete(InstanceState).where(InstanceState.instance_key.in_(ended)))


@cache
def _store_state(dialect: str) -> Any:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(InstanceState.__table__)
    return statement.on_conflict_do_update(
        index_elements=[InstanceState.instance_key], set_={"tokens": statement.excluded.tokens}
    )


class Execution(Workflow):
    """One instance during one command: SpiffWorkflow's workflow with our agenda, variables and changes."""

    def __init__(self, hierarchy: Hierarchy, process: Process, definition_key: int) -> None:
        super().__init__(process, deserializing=True)
        self.hierarchy = hierarchy
        self.process = process
        self.definition_key = definition_key
        self.instance_key = 0
        self.parent_key: int | None = None
        self.parent_element_instance_key: int | None = None
        self.root: Token
        self.title = ""
        self.revision = -1
        self.fresh = False
        self.instance_state: str = ProcessState.ACTIVE
        self.agenda: deque[Token] = deque()
        self.variables = Variables(self)
        self.new_subscriptions: list[int] = []
        #: Call activities between this instance and the one that the command is for.
        self.depth = 0
        self._visits: Counter[tuple[int, str]] = Counter()

    # --- what elements and commands read

    @property
    def session(self) -> Session:
        """The caller's session, in whose transaction everything happens."""
        return self.hierarchy.session

    @property
    def changes(self) -> Changes:
        """What the command has changed so far."""
        return self.hierarchy.changes

    @property
    def now(self) -> datetime:
        """The instant (UTC) at which the command happens."""
        return self.hierarchy.now

    @property
    def actor(self) -> str:
        """Who gave the command; empty: the engine itself."""
        return self.hierarchy.actor

    @property
    def root_key(self) -> int:
        """The topmost instance of the hierarchy."""
        return self.hierarchy.root_key

    @property
    def outcome(self) -> Outcome:
        """What the command has led to so far."""
        return self.hierarchy.outcome

    @property
    def environment(self) -> feel.Environment:
        """What FEEL may know of the world."""
        return self.hierarchy.environment

    @property
    def ended(self) -> bool:
        """No token is left."""
        return self.instance_state != ProcessState.ACTIVE

    def find(self, key: int | None) -> Token | None:
        """Return the live token with this key, or None."""
        token: Token | None = self.tasks.get(key)
        return token

    # --- expressions

    def evaluate_feel(self, token: Token, text: str, what: str, extra: Mapping[str, Any] | None = None) -> feel.Value:
        """Return the FEEL value of a text as written in the diagram: FEEL after a leading `=`, else the text itself."""
        if not text.startswith("="):
            return text
        return expressions.evaluate(text[1:], self.variables.view(token, extra), self.environment, what).value

    def evaluate(self, token: Token, text: str, what: str, extra: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value of a text as written in the diagram; raises ElementFailure."""
        if not text.startswith("="):
            return text
        value = self.evaluate_feel(token, text, what, extra)
        try:
            return feel.to_json(value)
        except (TypeError, ValueError) as error:
            raise ElementFailure(
                "EXTRACT_VALUE_ERROR", f"The {what} gives a value that cannot be stored: {error}", expression=text
            ) from None

    def holds(
        self, token: Token, condition: str, flow: SequenceFlow | None, extra: Mapping[str, Any] | None = None
    ) -> bool:
        """Return whether a condition is true; anything but true or false is a failure."""
        text = condition.removeprefix("=")
        view: ScopeView = self.variables.view(token, extra)
        where = f"condition of the flow “{flow.name or flow.id}”" if flow else "completion condition"
        result = expressions.evaluate(text, view, self.environment, where)
        if not isinstance(result.value, bool):
            sentence = f"The {where} is {feel.kind(result.value)}, not true or false."
            raise expressions.failure("EXTRACT_VALUE_ERROR", sentence, text, result, view)
        return result.value

    def correlation_key(self, token: Token, message: MessageDefinition) -> str:
        """Return the correlation key of a message at a token; raises ElementFailure when it is no text or number."""
        text = message.correlation_key or ""
        value = self.evaluate(token, text, "correlation key")
        if isinstance(value, bool) or value is None or isinstance(value, list | dict) or value == "":
            raise ElementFailure(
                "EXTRACT_VALUE_ERROR",
                f"The correlation key of the message “{message.name}” must be a text or a number.",
                expression=text,
                variables=self.variables.visible(token),
            )
        return str(value)

    def decide(self, token: Token, decision_id: str) -> Any:
        """Make a decision with the variables visible at the token, keep a record of it, and return its result."""
        try:
            definition, model = definitions.decision(self.session, decision_id)
        except NotFound:
            raise ElementFailure("CALLED_DECISION_ERROR", f"The decision “{decision_id}” is not deployed.") from None
        outcome = expressions.decide(model, decision_id, self.variables.view(token), self.environment)
        output = feel.to_json(outcome.value)
        self.changes.insert(
            DecisionEvaluation,
            key=new_key(),
            at=self.now,
            instance_key=self.instance_key,
            element_instance_key=token.key,
            element_id=token.element.id,
            decision_key=definition.key,
            decision_id=decision_id,
            output=output,
            matched=expressions.matched_rules(outcome),
        )
        return output

    # --- running to rest

    def run(self) -> None:
        """Enter or leave with every token on the agenda, and what follows, until all of them wait or are gone."""
        while self.agenda:
            while self.agenda:
                token = self.agenda.popleft()
                if token.key in self.tasks:
                    self._advance(token)
            self._look_at_joins()

    def _advance(self, token: Token) -> None:
        try:
            match token.internal_data.get("phase"):
                case "completing":
                    token.complete()
                case "continuing":
                    token.element.resume(token)
                case _:
                    token.run()
        except ElementFailure as failure:
            self.raise_incident(token, failure)

    def _look_at_joins(self) -> None:
        if self.ended:
            return
        waiting = [
            token
            for token in self.tasks.values()
            if token._state == STARTED and isinstance(token.task_spec, JoiningGateway)
        ]
        for token in waiting:
            if token.key in self.tasks and isinstance(token.task_spec, InclusiveGateway):
                token.task_spec.recheck(token)
        if self.agenda:
            return
        # BPMN has no word for it, but a token that can never go on must not stay silent.
        for scope in dict.fromkeys(token.scope for token in waiting if token.key in self.tasks):
            inside = scope.children
            if all(child._state == STARTED and isinstance(child.task_spec, JoiningGateway) for child in inside):
                self.raise_incident(
                    inside[0],
                    ElementFailure(
                        "JOIN_DEADLOCK",
                        f"The join “{inside[0].element.bpmn_name or inside[0].element.id}” waits for a token that can "
                        "no longer come.",
                    ),
                )

    def store(self) -> None:
        """Note what the instance row has become."""
        values: dict[str, Any] = {"revision": self.revision + 1}
        if self.process.title_expression and (self.variables.changed or self.fresh) and not self.ended:
            values["title"] = self._evaluate_title(self.process.title_expression)
        self.changes.update(ProcessInstance, self.instance_key, **values)

    def _evaluate_title(self, expression: str) -> str:
        try:
            value = self.evaluate(self.root, expression, "title")
        except ElementFailure:
            return self.title
        return str(value)[:200] if value is not None else self.title

    # --- what moves tokens

    def spawn(self, element: Element, scope: Token, flow_id: str | None = None, *, enter: bool = True) -> Token:
        """Put a new token at an element; with `enter` it goes on the agenda, else the caller moves it on."""
        token = Token(self, element, scope, new_key())
        token.flow_id = flow_id
        self.variables.opened(token.key)
        self.changes.insert(
            ElementInstance,
            key=token.key,
            instance_key=self.instance_key,
            definition_key=self.definition_key,
            element_id=element.id,
            element_type=element.type_name,
            scope_key=scope.key,
            flow_id=flow_id,
            state=ElementState.ACTIVE,
            started_at=self.now,
            ended_at=None,
        )
        if flow_id is not None and self._loops(element, scope):
            sentence = (
                f"The element was entered {self.hierarchy.settings.loop_limit} times at one go: a loop without a wait."
            )
            self.raise_incident(token, ElementFailure("LOOP_LIMIT", sentence))
        elif enter:
            self.agenda.append(token)
        return token

    def _loops(self, element: Element, scope: Token) -> bool:
        self._visits[scope.key, element.name] += 1
        return self._visits[scope.key, element.name] > self.hierarchy.settings.loop_limit

    def finish(self, token: Token, variables: dict[str, Any] | None = None) -> None:
        """Let a waiting token go on, with what it waited for."""
        if variables:
            if token.element.details.outputs:
                for name, value in variables.items():
                    self.variables.set_local(token, name, value)
            else:
                self.variables.merge(token, variables)
        token.remember(phase="completing")
        self.agenda.append(token)

    def leave(self, token: Token, flows: list[SequenceFlow]) -> None:
        """Take a token out of its element and send tokens along the flows; without flows its scope may be done."""
        self._end_history(token, ElementState.COMPLETED)
        self._close_waits(token, "".join(_WAITS))
        if token is self.root:
            self._complete_instance()
            return
        scope = token.scope
        self._remove_task(token.key)
        for flow in flows:
            self.spawn(self.process.element(flow.target_id), scope, flow.id)
        if isinstance(scope.element, MultiInstanceBody):
            scope.element.inner_done(scope, token)
        elif not scope._children:
            self.finish(scope)

    def absorb(self, token: Token) -> None:
        """Take a token out that goes on in another one: a join."""
        self._end_history(token, ElementState.COMPLETED)
        self._remove_task(token.key)

    def trigger(self, host: Token, event: Element, variables: dict[str, Any]) -> None:
        """Tell a waiting token that the event it waited for has happened."""
        # An activity that is stuck cannot go on, but what is attached to it does: a deadline fires all the same.
        if host.in_error and event is host.element:
            raise NotActive("element instance", host.key, "waiting for an incident")
        host.trigger(event, variables)

    def terminate(self, token: Token) -> None:
        """Take a token away with everything inside it."""
        stack = [(token, False)]
        while stack:
            current, seen = stack.pop()
            if not seen:
                stack.append((current, True))
                stack.extend((child, False) for child in current.children)
                continue
            current.element.terminated(current)
            self._end_history(current, ElementState.TERMINATED)
            self._close_waits(current, "".join(_WAITS))
            if current is not self.root:
                self._remove_task(current.key)

    def terminate_children(self, scope: Token, but: Token | None = None) -> None:
        """Take away every token inside a scope, except `but`."""
        for child in scope.children:
            if child is not but:
                self.terminate(child)

    def cancel(self) -> None:
        """Terminate the instance; a caller is told that its child is gone."""
        self.terminate(self.root)
        self._end_instance(ProcessState.TERMINATED)

    def _complete_instance(self) -> None:
        handed_up = self.variables.local(self.root)
        self._end_instance(ProcessState.COMPLETED)
        if self.parent_key is None:
            return
        parent = self.hierarchy.load(self.parent_key)
        caller = parent.find(self.parent_element_instance_key)
        if caller is not None and isinstance(caller.element, CallActivity):
            caller.element.child_completed(caller, handed_up)

    def _end_instance(self, ended_as: ProcessState) -> None:
        self.instance_state = ended_as
        self.agenda.clear()
        self.changes.update(ProcessInstance, self.instance_key, state=ended_as, ended_at=self.now)

    def _end_history(self, token: Token, ended_as: ElementState) -> None:
        if token is not self.root:
            self.changes.update(ElementInstance, token.key, state=ended_as, ended_at=self.now)

    # --- waits

    def add_wait(self, token: Token, model: type[Base], **row: Any) -> dict[str, Any]:
        """Add a row for something that the token waits for."""
        held = token.internal_data.get("waits", "")
        letter = _LETTERS[model]
        if letter not in held:
            token.remember(waits=held + letter)
        return self.changes.wait(model, element_instance_key=token.key, **row)

    def open_wait(self, host: Token, event: Element) -> None:
        """Open what an event waits for, on behalf of the token `host`."""
        match event.definition:
            case TimerDefinition() as timer:
                timers.open_timer(host, event, timer)
            case MessageDefinition() as message:
                messages.open_subscription(host, event, message)
            case SignalDefinition() as signal:
                signals.open_subscription(host, event, signal)

    def open_attached_events(self, token: Token) -> None:
        """Open what the boundary events and event sub-processes of a token's element wait for."""
        for event in (*token.element.boundary_events, *token.element.event_starts):
            self.open_wait(token, event)

    def close_attached_events(self, token: Token) -> None:
        """Close what attached events wait for."""
        self._close_waits(token, _EVENT_WAITS)

    def done_waiting(self, token: Token, model: type[Base]) -> None:
        """Note that a token's wait has ended by itself, so that it need not be ended when the token leaves."""
        held = token.internal_data.get("waits", "")
        token.remember(waits=held.replace(_LETTERS[model], ""))

    def _close_waits(self, token: Token, letters: str) -> None:
        held = token.internal_data.get("waits", "")
        closing = [_WAITS[letter] for letter in held if letter in letters]
        if closing:
            self.changes.end_waits(token.key, closing, self.now)
            token.remember(waits="".join(letter for letter in held if letter not in letters))

    # --- child instances

    def start_child(
        self, token: Token, process_id: str, binding: str, version_tag: str | None, variables: dict[str, Any]
    ) -> int:
        """Start a called process as a child instance and return its key; raises ElementFailure when there is none."""
        try:
            if binding == "deployment":
                definition = definitions.deployed_with(self.session, process_id, self.definition_key)
            else:
                definition = definitions.latest(
                    self.session, process_id, version_tag if binding == "versionTag" else None
                )
        except NotFound:
            raise ElementFailure("CALLED_ELEMENT_ERROR", f"The process “{process_id}” is not deployed.") from None
        if definitions.process(self.session, definition.key).none_start is None:
            sentence = f"The process “{process_id}” has no start event without a trigger."
            raise ElementFailure("CALLED_ELEMENT_ERROR", sentence)
        if self.depth >= self.hierarchy.settings.call_depth_limit:
            raise ElementFailure("LOOP_LIMIT", "Processes call each other without end.")
        child = self.hierarchy.open(definition.key, new_key(), root_key=self.root_key, parent=token)
        child.depth = self.depth + 1
        child.variables.merge(child.root, variables)
        return child.instance_key

    def terminate_child(self, child_key: int) -> None:
        """End a child instance if it is still alive."""
        try:
            child = self.hierarchy.load(child_key)
        except NotActive:
            return
        if not child.ended:
            child.cancel()

    # --- errors, escalations, messages, signals

    def throw_error(self, token: Token, code: str, message: str, variables: dict[str, Any]) -> None:
        """Send a BPMN error outward to whoever catches it; raises ElementFailure when nobody does."""
        caught = throwing.catcher_of_error(token, code)
        if caught is None:
            sentence = f"Nobody catches the error “{code}”." + (f" {message}" if message else "")
            raise ElementFailure("UNHANDLED_ERROR_EVENT", sentence)
        host, event = caught
        host.execution.trigger(host, event, variables)

    def throw_escalation(self, token: Token, code: str) -> None:
        """Send an escalation outward; when nobody catches it, nothing happens (BPMN 2.0, 10.5.7)."""
        caught = throwing.catcher_of_escalation(token, code)
        if caught is not None:
            host, event = caught
            host.execution.trigger(host, event, {})

    def throw_message(self, token: Token, name: str, correlation_key: str, variables: dict[str, Any]) -> None:
        """Publish a message when the command is done."""
        self.hierarchy.thrown.append(throwing.Thrown("message", name, correlation_key, variables))

    def throw_signal(self, token: Token, name: str) -> None:
        """Broadcast a signal when the command is done."""
        self.hierarchy.thrown.append(throwing.Thrown("signal", name, "", self.variables.local(token)))

    # --- incidents and audit

    def raise_incident(self, token: Token, failure: ElementFailure, *, job_key: int | None = None) -> None:
        """Stop a token where something cannot be done, until a person has it tried again."""
        if job_key is None and "phase" not in token.internal_data:
            # Whatever the failed attempt has opened, the next attempt opens again.
            self.terminate_children(token)
            self._close_waits(token, "".join(_WAITS))
        token._set_state(ERROR)
        row = self.add_wait(
            token,
            Incident,
            key=new_key(),
            type=failure.kind,
            message=failure.message,
            details={"expression": failure.expression, "variables": failure.variables},
            state=IncidentState.ACTIVE,
            instance_key=self.instance_key,
            definition_key=self.definition_key,
            process_id=self.process.process_id,
            element_id=token.element.id,
            job_key=job_key,
            created_at=self.now,
            resolved_at=None,
            resolved_by=None,
        )
        self.outcome.incident_keys.append(row["key"])

    def close_incidents(self, token: Token) -> None:
        """Close the incidents of a token that goes on for another reason than a retry."""
        self._close_waits(token, "i")
        token._set_state(STARTED)

    def waiting_again(self, token: Token) -> None:
        """A token in error waits again, for a machine that tries once more."""
        token.remember(waits=token.internal_data.get("waits", "").replace("i", ""))
        token._set_state(STARTED)

    def retry(self, token: Token) -> None:
        """Try again what failed."""
        token.remember(waits=token.internal_data.get("waits", "").replace("i", ""))
        token._set_state(READY)
        self.agenda.append(token)

    def audit(
        self,
        action: str,
        *,
        element_id: str | None = None,
        subject_key: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Note who did what."""
        self.changes.insert(
            Audit,
            key=new_key(),
            at=self.now,
            actor=self.actor,
            action=action,
            instance_key=self.instance_key,
            element_id=element_id,
            subject_key=subject_key,
            details=details or {},
        )


__all__ = ["Command", "EngineError", "Execution", "Hierarchy", "Outcome", "create_instance", "execute", "start_at"]
