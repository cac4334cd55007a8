"""The one function that moves tokens: `execute` applies a command to an instance and runs it to rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

import feel
from database.prepared import Prepared, together
from engine import clock, definitions, locks, messages, state, throwing
from engine.changes import Changes
from engine.configuration import configuration
from engine.errors import NotActive, NotFound, StateUnreadable, Suspended
from engine.keys import new_key
from engine.models import (
    InstanceState,
    ProcessDefinition,
    ProcessInstance,
    ProcessState,
)
from engine.process import Process
from engine.tokens import Token
from engine.variables import checked, of_scopes
from engine.workflow import Execution
from engine.working_days import CurrentCalendar

# Built once: building a statement costs as much as running it.
_ROOT = Prepared(select(ProcessInstance.root_key).where(ProcessInstance.key == bindparam("key")))
_LOAD = Prepared(
    select(
        ProcessInstance.definition_key,
        ProcessInstance.state,
        ProcessInstance.parent_key,
        ProcessInstance.parent_element_instance_key,
        ProcessInstance.title,
        ProcessInstance.suspended_at,
        InstanceState.tokens,
        InstanceState.revision,
    )
    .outerjoin(InstanceState, InstanceState.instance_key == ProcessInstance.key)
    .where(ProcessInstance.key == bindparam("key"))
)
_VERSION = Prepared(select(ProcessDefinition.version).where(ProcessDefinition.key == bindparam("key")))


class StoredInstance(NamedTuple):
    """What a command needs of the row of an instance, in the order of the query's columns."""

    definition_key: int
    state: str
    parent_key: int | None
    parent_element_instance_key: int | None
    title: str
    suspended_at: datetime | None
    tokens: bytes | None
    revision: int | None


class Command(Protocol):
    """Something that a person, a worker, a timer or a message wants of an instance."""

    @property
    def action(self) -> str: ...

    def apply(self, execution: Execution) -> None:
        """Change the execution; raises an EngineError to refuse, and then nothing has changed."""


#: A command that moves nothing may have this attribute, set to True: it is taken by a suspended instance too.
_WHILE_SUSPENDED = "while_suspended"
#: A command that needs no more than the instance's rows may have this one: the stored tokens need not be readable.
_WHILE_UNREADABLE = "while_unreadable"


@dataclass(slots=True)
class Outcome:
    """What a command has led to."""

    instance_key: int
    state: str = ProcessState.ACTIVE
    #: User tasks that were created, in this instance and its children.
    user_task_keys: list[int] = field(default_factory=list)
    incident_keys: list[int] = field(default_factory=list)


def execute(
    session: Session,
    instance_key: int,
    command: Command,
    *,
    actor: str = "",
    root_key: int | None = None,
    element_instance_key: int | None = None,
) -> Outcome:
    """Apply a command to an instance and run it to rest, inside of the caller's transaction.

    `root_key` is the topmost instance of its hierarchy, and `element_instance_key` the element instance whose variables
    the command looks at, where the caller knows them: both spare a question. Raises NotFound, NotActive when the
    instance has ended, Suspended, StateUnreadable, and what the command refuses with; then the caller's transaction
    must be rolled back.
    """
    if root_key is None:
        root_key = _ROOT.scalar(session.connection(), key=instance_key)
        if root_key is None:
            raise NotFound("process instance", instance_key)
    hierarchy = Hierarchy(session, root_key, actor)
    hierarchy.lock()
    scopes = [] if element_instance_key is None else [element_instance_key, instance_key]
    execution = hierarchy.load(instance_key, scopes)
    hierarchy.outcome.instance_key = instance_key
    if execution.suspended and not getattr(command, _WHILE_SUSPENDED, False):
        raise Suspended(instance_key)
    if execution.unreadable is not None and not getattr(command, _WHILE_UNREADABLE, False):
        raise execution.unreadable
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
    session: Session,
    definition_key: int,
    element_id: str,
    variables: dict[str, Any],
    *,
    part: int = 0,
    actor: str = "",
    only_for: str | None = None,
) -> Outcome:
    """Start an instance at the start event whose timer, message, signal or condition has come, and run it to rest.

    `part` says which of an event's definitions it was; `only_for` is a correlation key for which no second instance may
    be started while this one is alive.
    """
    definition = session.get(ProcessDefinition, definition_key)
    if definition is None:
        raise NotFound("process definition", definition_key)
    return _start(session, definition, element_id, variables, actor, only_for, part)


def _start(
    session: Session,
    definition: ProcessDefinition,
    element_id: str | None,
    variables: dict[str, Any],
    actor: str,
    only_for: str | None = None,
    part: int = 0,
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
        if part:
            execution.root.remember(part=part)
        if only_for is not None:
            execution.root.remember(correlation=only_for)
            messages.hold_key(execution.root, execution.process.element(element_id), only_for)
    return hierarchy.finish(key)


class Hierarchy:
    """An instance with its callers and children during one command: one lock, one set of changes, one flush."""

    def __init__(self, session: Session, root_key: int, actor: str) -> None:
        # Commands ask the connection, which does not know what the session has not written yet.
        session.flush()
        self.session = session
        self.root_key = root_key
        self.actor = actor
        self.now = clock.now(session)
        self.changes = Changes()
        self.outcome = Outcome(root_key)
        self.thrown: list[throwing.Thrown] = []
        #: Keys of called instances that are being ended; the first one is in hand.
        self.ending: list[int] = []
        self.settings = configuration(session)
        self.environment = feel.Environment(
            now=self.now, zone=self.settings.zone, calendar=CurrentCalendar(self.session)
        )
        self._executions: dict[int, Execution] = {}

    def lock(self) -> None:
        """Keep every other command of the hierarchy out until the transaction ends."""
        locks.lock(self.session, self.root_key)

    def load(self, instance_key: int, scopes: Sequence[int] = ()) -> Execution:
        """Return the execution of a stored, active instance, with the variables of some scopes.

        Raises NotFound, NotActive.
        """
        execution = self._executions.get(instance_key)
        if execution is not None:
            return execution
        asked = [(_LOAD, {"key": instance_key}), *([of_scopes(scopes)] if scopes else [])]
        found, *of_scope = together(self.session.connection(), *asked)
        if not found:
            raise NotFound("process instance", instance_key)
        row = StoredInstance(*found[0])
        if row.state != ProcessState.ACTIVE:
            raise NotActive("process instance", instance_key, row.state.lower())
        execution = Execution(self, self.process(row.definition_key), row.definition_key)
        execution.instance_key = instance_key
        execution.parent_key, execution.parent_element_instance_key = row.parent_key, row.parent_element_instance_key
        execution.title, execution.revision = row.title, row.revision or 0
        execution.suspended = row.suspended_at is not None
        execution.variables.loaded(scopes, *of_scope)
        try:
            state.load(execution, row.tokens)
        except StateUnreadable as error:
            execution.unreadable = error
            state.rebuild(execution)
        self._executions[instance_key] = execution
        return execution

    def process(self, definition_key: int) -> Process:
        """Return the graph of a deployed process; raises NotFound."""
        return definitions.process(self.session, definition_key)

    def open(
        self,
        definition_key: int,
        instance_key: int,
        *,
        root_key: int,
        parent: Token | None = None,
    ) -> Execution:
        """Make a new instance whose root token is ready to enter."""
        process = self.process(definition_key)
        version = _VERSION.scalar(self.session.connection(), key=definition_key)
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
            removal_at=None,
            suspended_at=None,
        )
        execution.variables.opened(instance_key)
        execution.root = Token(execution, process.root, None, instance_key)
        execution.agenda.append(execution.root)
        self._executions[instance_key] = execution
        return execution

    def finish(self, instance_key: int) -> Outcome:
        """Run every execution to rest, write what changed, then send what was thrown to other instances."""
        while not all(execution.settled for execution in self._executions.values()):
            for execution in list(self._executions.values()):
                execution.run()
        for execution in self._executions.values():
            execution.store()
        self.changes.flush(self.session)
        self._store_states()
        self._expire()
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

    def _expire(self) -> None:
        """Let rows that the caller has read before the command be read anew; definitions never change."""
        changed = self.changes.models
        for row in self.session.identity_map.values():
            if type(row) in changed:
                self.session.expire(row)

    def _store_states(self) -> None:
        live = [
            {
                "instance_key": execution.instance_key,
                "tokens": state.dump(execution),
                "revision": execution.revision + 1,
            }
            for execution in self._executions.values()
            if not execution.ended and execution.unreadable is None
        ]
        ended = [execution.instance_key for execution in self._executions.values() if execution.ended]
        connection = self.session.connection()
        if live:
            _store_state(connection.dialect.name).execute(connection, live)
        if ended:
            _DROP_STATE.execute(connection, [{"_key": key} for key in ended])


_DROP_STATE = Prepared(delete(InstanceState).where(InstanceState.instance_key == bindparam("_key")))


@cache
def _store_state(dialect: str) -> Prepared:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(InstanceState.__table__)
    changed = {"tokens": statement.excluded.tokens, "revision": statement.excluded.revision}
    return Prepared(statement.on_conflict_do_update(index_elements=[InstanceState.instance_key], set_=changed))


__all__ = ["Command", "Execution", "Hierarchy", "Outcome", "create_instance", "execute", "start_at"]
