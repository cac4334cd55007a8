"""What batch operations do: which things each kind chooses, and what it does to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from engine import clock, deletion
from engine.errors import InvalidElements
from engine.execution import Command, execute
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance
from engine.jobs import UpdateJob
from engine.migration import MigrateInstance, MigrationPlan
from engine.models import Incident, IncidentState, Job, JobState, ProcessInstance, ProcessState
from engine.modification import ModifyInstance, MoveInstruction
from engine.suspension import ResumeInstance, SuspendInstance

#: The key of an item, and of its instance and of the root of that.
Items = Select[int, int, int]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that something is done to."""

    key: int
    instance_key: int
    actor: str
    reason: str


class Kind(Protocol):
    """A kind of batch operation; its fields are what is kept of the request, as plain data."""

    type: ClassVar[str]

    def items(self) -> Items:
        """Return everything that the operation could be applied to; the wish narrows it."""
        ...

    def carry_out(self, session: Session, item: Item) -> None:
        """Do it to one item, inside of the caller's transaction; raises an EngineError to refuse."""
        ...


def _instances(*conditions: ColumnElement[bool]) -> Items:
    return _items(ProcessInstance.key, ProcessInstance.key).where(
        ProcessInstance.state == ProcessState.ACTIVE, *conditions
    )


def _items(key: Any, instance_key: Any) -> Items:
    return select(key.label("item_key"), instance_key.label("instance_key"), ProcessInstance.root_key)


def _command(session: Session, item: Item, command: Command) -> None:
    execute(session, item.instance_key, command, actor=item.actor)


@dataclass(frozen=True, slots=True)
class CancelInstances:
    """Cancels live instances that no other has called."""

    type: ClassVar[str] = "CANCEL_PROCESS_INSTANCE"

    def items(self) -> Items:
        """Return the live root instances."""
        return _instances(ProcessInstance.parent_key.is_(None))

    def carry_out(self, session: Session, item: Item) -> None:
        """Cancel one."""
        _command(session, item, CancelInstance(item.reason))


@dataclass(frozen=True, slots=True)
class SuspendInstances:
    """Suspends live instances that no other has called, with all that they have called."""

    type: ClassVar[str] = "SUSPEND_PROCESS_INSTANCE"

    def items(self) -> Items:
        """Return the live root instances that are not suspended."""
        return _instances(ProcessInstance.parent_key.is_(None), ProcessInstance.suspended_at.is_(None))

    def carry_out(self, session: Session, item: Item) -> None:
        """Suspend one."""
        _command(session, item, SuspendInstance(item.reason))


@dataclass(frozen=True, slots=True)
class ResumeInstances:
    """Resumes suspended instances that no other has called, with all that they have called."""

    type: ClassVar[str] = "RESUME_PROCESS_INSTANCE"

    def items(self) -> Items:
        """Return the suspended root instances."""
        return _instances(ProcessInstance.parent_key.is_(None), ProcessInstance.suspended_at.is_not(None))

    def carry_out(self, session: Session, item: Item) -> None:
        """Resume one."""
        _command(session, item, ResumeInstance(item.reason))


@dataclass(frozen=True, slots=True)
class MigrateInstances:
    """Migrates live instances by one plan; `mapping` as in `engine.migration`."""

    target_definition_key: int
    mapping: dict[str, str]
    type: ClassVar[str] = "MIGRATE_PROCESS_INSTANCE"

    def items(self) -> Items:
        """Return the live instances, called or not."""
        return _instances()

    def carry_out(self, session: Session, item: Item) -> None:
        """Migrate one."""
        plan = MigrationPlan(self.target_definition_key, self.mapping)
        _command(session, item, MigrateInstance(plan, item.reason))


@dataclass(frozen=True, slots=True)
class ModifyInstances:
    """Moves every token from one element to another, in the scope that it is in."""

    #: Ids of the element to leave and of the element to enter.
    moves: Sequence[tuple[str, str]]
    type: ClassVar[str] = "MODIFY_PROCESS_INSTANCE"

    def __post_init__(self) -> None:
        if not self.moves:
            raise InvalidElements("Say at least one element to move from, and one to move to.")

    def items(self) -> Items:
        """Return the live instances, called or not."""
        return _instances()

    def carry_out(self, session: Session, item: Item) -> None:
        """Modify one; an element without a token is a refusal."""
        moves = [MoveInstruction(source, target, in_scope_of_source=True) for source, target in self.moves]
        _command(session, item, ModifyInstance(move=moves, reason=item.reason))


@dataclass(frozen=True, slots=True)
class ResolveIncidents:
    """Lets the engine try again what has failed, incident by incident."""

    type: ClassVar[str] = "RESOLVE_INCIDENT"

    def items(self) -> Items:
        """Return the open incidents of live instances."""
        return (
            _items(Incident.key, Incident.instance_key)
            .join(ProcessInstance, ProcessInstance.key == Incident.instance_key)
            .where(Incident.state == IncidentState.ACTIVE, ProcessInstance.state == ProcessState.ACTIVE)
        )

    def carry_out(self, session: Session, item: Item) -> None:
        """Resolve one."""
        _command(session, item, ResolveIncident(item.key))


@dataclass(frozen=True, slots=True)
class UpdateJobs:
    """Changes retries, or the time that a lease lasts from the change on (milliseconds), of open jobs."""

    retries: int | None = None
    timeout: int | None = None
    type: ClassVar[str] = "UPDATE_JOB"

    def items(self) -> Items:
        """Return the jobs that somebody could still do."""
        return (
            _items(Job.key, Job.instance_key)
            .join(ProcessInstance, ProcessInstance.key == Job.instance_key)
            .where(Job.state.in_([JobState.CREATED, JobState.FAILED]))
        )

    def carry_out(self, session: Session, item: Item) -> None:
        """Change one."""
        lease = None if self.timeout is None else clock.now(session) + timedelta(milliseconds=self.timeout)
        _command(session, item, UpdateJob(item.key, self.retries, lease))


@dataclass(frozen=True, slots=True)
class DeleteInstances:
    """Lets the next clean-up remove ended instances that no other has called, with all that they have called."""

    type: ClassVar[str] = "DELETE_PROCESS_INSTANCE"

    def items(self) -> Items:
        """Return the ended root instances."""
        return _items(ProcessInstance.key, ProcessInstance.key).where(
            ProcessInstance.state != ProcessState.ACTIVE, ProcessInstance.parent_key.is_(None)
        )

    def carry_out(self, session: Session, item: Item) -> None:
        """Delete one."""
        deletion.delete(session, item.instance_key, actor=item.actor, reason=item.reason)


_KINDS: dict[str, Any] = {
    kind.type: kind
    for kind in (
        CancelInstances,
        SuspendInstances,
        ResumeInstances,
        MigrateInstances,
        ModifyInstances,
        ResolveIncidents,
        UpdateJobs,
        DeleteInstances,
    )
}


def dump(kind: Kind) -> dict[str, Any]:
    """Return what must be kept of the wish, as plain data."""
    return asdict(kind)  # type: ignore[call-overload, no-any-return]


def load(type_: str, request: dict[str, Any]) -> Kind:
    """Return the kind of operation that `dump` was given."""
    kind: Kind = _KINDS[type_](**request)
    return kind
