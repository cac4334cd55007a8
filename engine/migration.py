"""Migration: fit live instances to another version of their process by a mapping plan (Camunda 8's rules).

Everything that is active needs a mapping to an element of the same type in the same scope. What an element has already
got stays: user tasks keep assignee, candidates and dates, jobs their type, variables their values. Events that are
mapped keep what they wait for, events without a mapping end, events of the target that nothing is mapped to are opened.
Called instances are not migrated with their caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from engine import definitions
from engine.elements.base import Element
from engine.elements.gateways import JoiningGateway
from engine.elements.multi_instance import INNER, MultiInstanceBody
from engine.errors import ElementFailure, EngineError, MigrationRefused, NotFound
from engine.execution import Hierarchy, execute
from engine.migrating import Migrating, Report
from engine.models import ProcessDefinition, ProcessInstance, ProcessState
from engine.process import Process

if TYPE_CHECKING:
    from engine.workflow import Execution

_log = structlog.get_logger("baton.migration")


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """Which element, event or (at a waiting join) sequence flow of the old version becomes which of the new one."""

    target_definition_key: int
    mapping: dict[str, str] = field(default_factory=dict)

    def problems(self, source: Process, target: Process) -> list[str]:
        """Return what is wrong with the plan whichever instance it is for."""
        found: list[str] = []
        used: dict[str, str] = {}
        for source_id, target_id in self.mapping.items():
            if source_id in source.flows:
                if target_id not in target.flows:
                    found.append(f"The target has no sequence flow “{target_id}”.")
                continue
            before = source.task_specs.get(source_id)
            after = target.task_specs.get(target_id)
            if before is None or before.id != before.details.id:
                found.append(f"The source has no element “{source_id}”.")
            elif after is None or after.id != after.details.id:
                found.append(f"The target has no element “{target_id}”.")
            else:
                sentence = _mismatch(before, after)
                if sentence is not None:
                    found.append(sentence)
                if before.definitions and used.setdefault(target_id, source_id) != source_id:
                    found.append(f"Both “{used[target_id]}” and “{source_id}” are mapped to the event “{target_id}”.")
        return found

    def dry_run(self, session: Session, instance_keys: Iterable[int]) -> list[Preview]:
        """Return for each instance what the migration would do, or why it would be refused; nothing is changed."""
        return [self._preview(session, key) for key in instance_keys]

    def _preview(self, session: Session, instance_key: int) -> Preview:
        preview = Preview(instance_key)
        try:
            root_key = session.scalar(select(ProcessInstance.root_key).where(ProcessInstance.key == instance_key))
            if root_key is None:
                raise NotFound("process instance", instance_key)
            # What it changes is collected and never written.
            execution = Hierarchy(session, root_key, "").load(instance_key)
            if execution.unreadable is not None:
                raise execution.unreadable
            preview.report = migrate(execution, self)
        except MigrationRefused as error:
            preview.problems = list(error.problems)
        except EngineError as error:
            preview.problems = [str(error)]
        return preview


@dataclass(slots=True)
class Preview:
    """What a migration would do with one instance; with problems it would do nothing."""

    instance_key: int
    report: Report = field(default_factory=Report)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MigrateInstance:
    """Fit the instance to another version by a plan."""

    plan: MigrationPlan
    reason: str = ""
    action = "migrate process instance"
    while_suspended = True

    def apply(self, execution: Execution) -> None:
        """Migrate; raises MigrationRefused with every problem, NotFound without the target version."""
        before = execution.definition_key
        report = migrate(execution, self.plan)
        execution.audit(
            self.action,
            details={
                "reason": self.reason,
                "from": before,
                "to": self.plan.target_definition_key,
                "mapping": self.plan.mapping,
                "report": report.details(),
            },
        )


def migrate(execution: Execution, plan: MigrationPlan) -> Report:
    """Change the execution to the plan's target; raises MigrationRefused with every problem, NotFound."""
    target = definitions.process(execution.session, plan.target_definition_key)
    problems = plan.problems(execution.process, target)
    if problems:
        raise MigrationRefused(problems)
    version = execution.session.scalar(
        select(ProcessDefinition.version).where(ProcessDefinition.key == plan.target_definition_key)
    )
    assert version is not None, "its process was found"
    migrating = Migrating(execution, target, plan.target_definition_key, version, plan.mapping)
    problems = migrating.problems()
    if problems:
        raise MigrationRefused(problems)
    try:
        return migrating.run()
    except ElementFailure as failure:
        raise MigrationRefused([failure.message]) from None


def suggest(source: Process, target: Process) -> dict[str, str]:
    """Return the mapping of every element and flow to that of the same id, as far as the two fit each other."""
    mapping: dict[str, str] = {}
    for element in source.elements:
        after = target.task_specs.get(element.id)
        if _is_plain(element, source) and after is not None and _mismatch(element, after) is None:
            mapping[element.id] = element.id
    return mapping | {flow_id: flow_id for flow_id in source.flows if flow_id in target.flows}


def candidates(source: Process, target: Process) -> dict[str, list[str]]:
    """Return for every element, and every flow into a join, what of the other version it could become."""
    after = [element for element in target.elements if _is_plain(element, target)]
    found = {
        before.id: [element.id for element in after if _mismatch(before, element) is None]
        for before in source.elements
        if _is_plain(before, source)
    }
    into_joins = _flows_into_joins(target)
    return found | dict.fromkeys(_flows_into_joins(source), into_joins)


def _is_plain(element: Element, process: Process) -> bool:
    """Whether plans name the element: neither the process itself nor the inside of a repeated activity."""
    return element is not process.root and element.id == element.details.id


def _flows_into_joins(process: Process) -> list[str]:
    flows = process.flows.values()
    return [flow.id for flow in flows if isinstance(process.element(flow.target_id), JoiningGateway)]


def running(session: Session, definition_key: int) -> list[int]:
    """Return the keys of the live instances of a version, oldest first."""
    return list(
        session.scalars(
            select(ProcessInstance.key)
            .where(ProcessInstance.definition_key == definition_key, ProcessInstance.state == ProcessState.ACTIVE)
            .order_by(ProcessInstance.key)
        )
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What has become of one instance of many: without problems it is migrated."""

    instance_key: int
    problems: Sequence[str] = ()


def migrate_all(
    sessions: Callable[[], Session],
    plan: MigrationPlan,
    instance_keys: Iterable[int],
    *,
    actor: str = "",
    reason: str = "",
) -> list[Result]:
    """Migrate each instance in a transaction of its own; one that fails stays as it was and stops no other."""
    return [_migrate_one(sessions, MigrateInstance(plan, reason), key, actor) for key in instance_keys]


def _migrate_one(sessions: Callable[[], Session], command: MigrateInstance, key: int, actor: str) -> Result:
    try:
        with sessions() as session, transaction(session):
            execute(session, key, command, actor=actor)
    except MigrationRefused as error:
        return Result(key, error.problems)
    except EngineError as error:
        return Result(key, [str(error)])
    except Exception as error:
        _log.exception("instance could not be migrated", instance=key)
        return Result(key, [f"{type(error).__name__}: {error}"])
    return Result(key)


def _mismatch(before: Element, after: Element) -> str | None:
    """Return why an element cannot become another one, or None when it can."""
    if before.kind != after.kind or type(before) is not type(after):
        return f"“{before.id}” is a {before.kind}; it cannot become “{after.id}”, a {after.kind}."
    loops = [body.loop.sequential for body in (before, after) if isinstance(body, MultiInstanceBody)]
    if len(set(loops)) > 1:
        return f"“{before.id}” and “{after.id}” must both be sequential, or both be parallel."
    inner, new_inner = _inner(before), _inner(after)
    if inner is not None and new_inner is not None:
        return _mismatch(inner, new_inner)
    if [type(definition) for definition in before.definitions] != [type(found) for found in after.definitions]:
        return f"“{before.id}” and “{after.id}” do not wait for the same kind of event."
    return None


def _inner(body: Element) -> Element | None:
    found: Element | None = body.process.task_specs.get(INNER.format(body.id)) if body.id == body.details.id else None
    return found
