"""Invariants: every live instance has a reason to be alive, and its tokens, its history and its waits agree.

What is found becomes an incident of type STRANDED, so that no instance stands still in silence.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import snapshot, transaction
from engine import definitions, reasons, state, waits
from engine.errors import DeploymentRefused, EngineError, NotFound, StateUnreadable
from engine.execution import execute
from engine.incidents import STRANDED
from engine.models import (
    CLOSED_TASKS,
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    InstanceState,
    Job,
    JobState,
    MessageSubscription,
    ProcessInstance,
    ProcessState,
    SignalSubscription,
    Timer,
    UserTask,
)
from engine.process import Process
from engine.reasons import Wait, WaitKind

if TYPE_CHECKING:
    from engine.workflow import Execution

_log = structlog.get_logger("baton.invariants")

#: Instances looked at in one transaction.
BATCH = 500
#: Time between two rounds of a worker.
INTERVAL = timedelta(minutes=5)
#: How many times as long as a batch took the next one waits: a million instances take no more than a tenth of a worker.
REST = 9
#: Most seconds between two batches.
LONGEST_REST = 5.0


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be; where it is about the whole instance, the element instance is that itself."""

    instance_key: int
    process_id: str
    element_instance_key: int
    element_id: str
    message: str
    #: Entering the element once more would repair it.
    retry: bool = False

    def __str__(self) -> str:
        return f"process instance {self.instance_key} ({self.process_id}), {self.element_id}: {self.message}"


@dataclass(slots=True)
class _Live:
    """What the tables say about one live instance."""

    key: int
    definition_key: int
    process_id: str
    parent_element_instance_key: int | None
    tokens: bytes | None
    #: Element ids of open visits, by key.
    visits: dict[int, str]
    waits: dict[int, list[Wait]]


def check(session: Session, *, limit: int | None = None) -> list[Violation]:
    """Return what is wrong with live instances, at most `limit` findings; the session's transaction ends by that."""
    found: list[Violation] = []
    after = 0
    while keys := live_after(session, after):
        with snapshot(session):
            found += inspect(session, keys)
        after = keys[-1]
        if limit is not None and len(found) >= limit:
            return found[:limit]
    return found


def live_after(session: Session, after: int) -> list[int]:
    """Return the keys of the next batch of live instances."""
    return list(
        session.scalars(
            select(ProcessInstance.key)
            .where(ProcessInstance.state == ProcessState.ACTIVE, ProcessInstance.key > after)
            .order_by(ProcessInstance.key)
            .limit(BATCH)
        )
    )


def inspect(session: Session, instance_keys: Sequence[int]) -> list[Violation]:
    """Return what is wrong with these instances; those that have ended are left out."""
    instances = _load(session, instance_keys)
    called = {instance.parent_element_instance_key for instance in instances} - {None}
    callers = set(
        session.scalars(
            select(ElementInstance.key).where(
                ElementInstance.key.in_(called), ElementInstance.state == ElementState.ACTIVE
            )
        )
    )
    found: list[Violation] = []
    for instance in instances:
        found += _violations(session, instance)
        caller = instance.parent_element_instance_key
        if caller is not None and caller not in callers:
            found.append(_of_whole(instance, f"The call activity {caller} that has started it is not alive."))
    return found


def _load(session: Session, keys: Sequence[int]) -> list[_Live]:
    rows = session.execute(
        select(
            ProcessInstance.key,
            ProcessInstance.definition_key,
            ProcessInstance.process_id,
            ProcessInstance.parent_element_instance_key,
            InstanceState.tokens,
        )
        .outerjoin(InstanceState, InstanceState.instance_key == ProcessInstance.key)
        .where(ProcessInstance.key.in_(keys), ProcessInstance.state == ProcessState.ACTIVE)
        .order_by(ProcessInstance.key)
    )
    instances = {row.key: _Live(*row, visits={}, waits=defaultdict(list)) for row in rows}
    visits = session.execute(
        select(ElementInstance.instance_key, ElementInstance.key, ElementInstance.element_id).where(
            ElementInstance.instance_key.in_(keys), ElementInstance.state == ElementState.ACTIVE
        )
    )
    for visit in visits:
        if visit.instance_key in instances:
            instances[visit.instance_key].visits[visit.key] = visit.element_id
    for instance_key, element_instance_key, wait in _waits(session, keys):
        if instance_key in instances:
            instances[instance_key].waits[element_instance_key].append(wait)
    return list(instances.values())


def _waits(session: Session, keys: Sequence[int]) -> Iterator[tuple[int, int, Wait]]:
    """Yield everything that the instances wait for, with the keys of instance and element instance."""
    open_ones = {
        UserTask: UserTask.state.not_in(CLOSED_TASKS),
        Job: Job.state.in_([JobState.CREATED, JobState.FAILED]),
        Incident: (Incident.state == IncidentState.ACTIVE) & (Incident.type != STRANDED),
        Timer: Timer.key > 0,
        MessageSubscription: MessageSubscription.key > 0,
        SignalSubscription: SignalSubscription.key > 0,
    }
    for model, condition in open_ones.items():
        kind = _KINDS[model]
        columns = (model.instance_key, model.element_instance_key, model.element_id, model.key)  # type: ignore[attr-defined]
        for row in session.execute(select(*columns).where(model.instance_key.in_(keys), condition)):  # type: ignore[attr-defined]
            yield row.instance_key, row.element_instance_key, Wait(kind, row.element_id, row.key)
    children = session.execute(
        select(
            ProcessInstance.parent_key,
            ProcessInstance.parent_element_instance_key,
            ProcessInstance.key,
            ProcessInstance.state,
        ).where(ProcessInstance.parent_key.in_(keys))
    )
    for row in children:
        # Not in the query: SQLite would begin with all that are active.
        if row.state != ProcessState.ACTIVE:
            continue
        yield row.parent_key, row.parent_element_instance_key, Wait("called instance", "", row.key)


_KINDS: dict[type, WaitKind] = {
    UserTask: "user task",
    Job: "job",
    Incident: "incident",
    Timer: "timer",
    MessageSubscription: "message subscription",
    SignalSubscription: "signal subscription",
}


def _violations(session: Session, instance: _Live) -> Iterator[Violation]:
    try:
        process = definitions.process(session, instance.definition_key)
        tokens = state.read(instance.key, instance.tokens, process)
    except StateUnreadable as error:
        yield _of_whole(instance, f"Its state cannot be read: {error.reason}.")
        return
    except (NotFound, DeploymentRefused) as error:
        yield _of_whole(instance, f"Its process definition cannot be read: {error}")
        return
    yield from _history(instance, tokens, process)
    keys = {token.key for token in tokens}
    for element_instance_key, held in instance.waits.items():
        if element_instance_key not in keys:
            for wait in held:
                yield _of_whole(instance, f"The open {wait.kind} {wait.key} belongs to no live token.")
    for token, sentence in reasons.missing(process, tokens, instance.waits):
        yield Violation(
            instance.key, instance.process_id, token.key, process.element(token.name).id, sentence, retry=True
        )


def _history(instance: _Live, tokens: Sequence[state.StoredToken], process: Process) -> Iterator[Violation]:
    """Yield where the live tokens and the open visits of the history differ."""
    unmatched = dict(instance.visits)
    for token in tokens:
        if token.key == instance.key:
            continue
        element_id = process.element(token.name).id
        if unmatched.pop(token.key, None) != element_id:
            sentence = "A token is here, but the history has no open visit for it."
            yield Violation(instance.key, instance.process_id, token.key, element_id, sentence)
    for key, element_id in unmatched.items():
        sentence = f"The history has the open visit {key} of “{element_id}”, but no token is there."
        yield _of_whole(instance, sentence)


def _of_whole(instance: _Live, message: str) -> Violation:
    return Violation(instance.key, instance.process_id, instance.key, instance.process_id, message)


@dataclass(frozen=True, slots=True)
class ReportStranded:
    """Raise an incident for each violation that has none yet."""

    violations: Sequence[Violation]
    action = "report stranded instance"
    while_suspended = True
    while_unreadable = True

    def apply(self, execution: Execution) -> None:
        """Add the incidents; the tokens stay as they are."""
        known = {
            (row.element_instance_key, row.message)
            for row in execution.session.execute(
                select(Incident.element_instance_key, Incident.message).where(
                    Incident.instance_key == execution.instance_key,
                    Incident.type == STRANDED,
                    Incident.state == IncidentState.ACTIVE,
                )
            )
        }
        for violation in self.violations:
            if (violation.element_instance_key, violation.message) not in known:
                self._raise(execution, violation)

    def _raise(self, execution: Execution, violation: Violation) -> None:
        token = execution.find(violation.element_instance_key) or execution.root
        key = waits.add_incident(token, STRANDED, violation.message, {"retry": violation.retry})
        execution.audit(
            self.action,
            element_id=token.element.id,
            subject_key=key,
            details={"message": violation.message},
        )


def report(sessions: Callable[[], Session], found: Sequence[Violation]) -> list[int]:
    """Raise the incidents of what is still so when its instance is locked; return the keys of the new ones.

    An instance in which not even that can be done is logged and holds up no other.
    """
    incident_keys: list[int] = []
    for instance_key in dict.fromkeys(violation.instance_key for violation in found):
        try:
            with sessions() as session, transaction(session):
                # What was read while a command of the instance was being written may be over.
                root = select(ProcessInstance.root_key).where(ProcessInstance.key == instance_key).scalar_subquery()
                session.execute(select(ProcessInstance.key).where(ProcessInstance.key == root).with_for_update())
                still = inspect(session, [instance_key])
                if still:
                    incident_keys += execute(session, instance_key, ReportStranded(still)).incident_keys
        except (EngineError, ValueError):
            _log.exception("stranded instance could not be reported", instance=instance_key)
    return incident_keys


def inspect_all(sessions: Callable[[], Session]) -> Iterator[float]:
    """Look at all live instances and raise an incident for what is wrong; yield seconds to rest after each batch."""
    after = 0
    while True:
        begun = time.monotonic()
        with sessions() as session, snapshot(session):
            keys = live_after(session, after)
            found = inspect(session, keys) if keys else []
        incident_keys = report(sessions, found)
        if incident_keys:
            _log.error("stranded instances found", incidents=incident_keys)
        if len(keys) < BATCH:
            return
        after = keys[-1]
        yield min((time.monotonic() - begun) * REST, LONGEST_REST)
