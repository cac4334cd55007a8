"""Use cases of a manager who does the same to many cases: write it down, hold it up, look what it would do."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cockpit import search
from cockpit.batch_shapes import PreviewedStep, PreviewList, PreviewRequest, PreviewShape
from cockpit.service import require_manager
from cockpit.shapes import ProcessInstanceFilter
from engine import batches, definitions
from engine.batch_kinds import Kind, MigrateInstances, ResolveIncidents
from engine.errors import MigrationRefused, NotActive, NotFound
from engine.migration import MigrationPlan, suggest
from engine.models import BatchOperation, ProcessInstance, ProcessState
from people.models import User


def begin(session: Session, user: User, kind: Kind, where: ColumnElement[bool], reason: str) -> BatchOperation:
    """Write down what workers do to all cases for which `where` holds; raises Forbidden.

    For chosen cases `where` is `ProcessInstance.key.in_(keys)`; what does not fit the operation is left out.
    """
    require_manager(user)
    return batches.create(session, kind, where, actor=user.username, reason=reason)


def begin_for(session: Session, user: User, kind: Kind, wanted: ProcessInstanceFilter, reason: str) -> BatchOperation:
    """Write down what workers do to all cases that the filter finds; raises Forbidden, MigrationRefused."""
    require_manager(user)
    if isinstance(kind, MigrateInstances):
        try:
            definitions.process(session, kind.target_definition_key)
        except NotFound as error:
            # Rather than let each of them fail for it.
            raise MigrationRefused([str(error)]) from None
    return begin(session, user, kind, search.among(wanted), reason)


def resolve_incidents(session: Session, user: User, instance_key: int, reason: str) -> BatchOperation:
    """Write down that the engine tries again all that has failed in one case; raises Forbidden, NotFound, NotActive."""
    require_manager(user)
    instance = session.get(ProcessInstance, instance_key)
    if instance is None:
        raise NotFound("process instance", instance_key)
    if instance.state != ProcessState.ACTIVE:
        raise NotActive("process instance", instance_key, instance.state.lower())
    return begin(session, user, ResolveIncidents(), ProcessInstance.key == instance_key, reason)


def cancel(session: Session, user: User, key: int) -> None:
    """Leave undone what is not done yet; raises Forbidden, NotFound, NotActive."""
    require_manager(user)
    batches.cancel(session, key)


def suspend(session: Session, user: User, key: int) -> None:
    """Hold up; raises Forbidden, NotFound, NotActive."""
    require_manager(user)
    batches.suspend(session, key)


def resume(session: Session, user: User, key: int) -> None:
    """Let go on; raises Forbidden, NotFound, NotActive."""
    require_manager(user)
    batches.resume(session, key)


def preview(session: Session, user: User, wanted: PreviewRequest) -> PreviewList:
    """Return what a migration would do with each case; nothing is changed. Raises Forbidden, NotFound."""
    require_manager(user)
    plan = MigrationPlan(wanted.migration_plan.target_process_definition_key, wanted.migration_plan.mapping())
    definitions.process(session, plan.target_definition_key)
    live = select(ProcessInstance.key, ProcessInstance.started_at).where(
        ProcessInstance.state == ProcessState.ACTIVE, search.among(wanted.filter)
    )
    if wanted.after is not None:
        live = live.where(ProcessInstance.key > wanted.after)
    total = session.scalar(select(func.count()).select_from(live.subquery())) or 0
    rows = session.execute(live.order_by(ProcessInstance.key).limit(wanted.limit))
    started = {row.key: row.started_at for row in rows}
    previews = plan.dry_run(session, started)
    # What the previews have thought of is not written.
    session.rollback()
    items = []
    for found in previews:
        report = found.report
        items.append(
            PreviewShape(
                process_instance_key=found.instance_key,
                start_date=started[found.instance_key],
                problems=found.problems,
                elements=[PreviewedStep.of(step) for step in report.elements],
                kept_events=[PreviewedStep.of(step) for step in report.kept],
                closed_events=report.closed,
                opened_events=report.opened,
            )
        )
    return PreviewList(items=items, total_items=total)


def suggested(session: Session, user: User, source_key: int, target_key: int) -> dict[str, str]:
    """Return the mapping from one version to another as far as ids and kinds are the same.

    Raises Forbidden, NotFound.
    """
    require_manager(user)
    return suggest(definitions.process(session, source_key), definitions.process(session, target_key))


__all__ = ["begin", "begin_for", "cancel", "preview", "resolve_incidents", "resume", "suggested", "suspend"]
