"""Use cases of a manager who changes the course of a case: modify, migrate, suspend, restart, repair it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cockpit.intervention_shapes import Modification, Restart
from cockpit.service import require_manager
from engine import deletion
from engine.errors import InvalidElements, NotFound
from engine.execution import Command, execute
from engine.instances import ActivateAdHoc
from engine.migration import MigrateInstance, MigrationPlan
from engine.models import ElementInstance, ElementState, Incident
from engine.modification import ModifyInstance
from engine.repair import RepairIncident
from engine.restarting import restart as start_again
from engine.suspension import ResumeInstance, SuspendInstance
from people.models import User


def modify(session: Session, user: User, instance_key: int, wanted: Modification, reason: str) -> None:
    """Activate, move and terminate elements of a live case.

    Raises Forbidden, NotFound, NotActive, InvalidElements, InvalidVariables, CalledByAnother.
    """
    require_manager(user)
    terminated: list[int] = []
    for instruction in wanted.terminate_instructions:
        if instruction.element_id is not None:
            terminated += _live(session, instance_key, instruction.element_id)
        elif instruction.element_instance_key is not None:
            terminated.append(instruction.element_instance_key)
    command = ModifyInstance(
        activate=[instruction.instruction() for instruction in wanted.activate_instructions],
        terminate=list(dict.fromkeys(terminated)),
        move=[instruction.instruction() for instruction in wanted.move_instructions],
        reason=reason,
    )
    execute(session, instance_key, command, actor=user.username)


def migrate(session: Session, user: User, instance_key: int, plan: MigrationPlan, reason: str) -> None:
    """Fit a live case to another version; raises Forbidden, NotFound, NotActive, MigrationRefused."""
    _command(session, user, instance_key, MigrateInstance(plan, reason))


def suspend(session: Session, user: User, instance_key: int, reason: str) -> None:
    """Let a case stand still; raises Forbidden, NotFound, NotActive, Suspended."""
    _command(session, user, instance_key, SuspendInstance(reason))


def resume(session: Session, user: User, instance_key: int, reason: str) -> None:
    """Let a case go on that stands still; raises Forbidden, NotFound, NotActive, NotSuspended, Suspended."""
    _command(session, user, instance_key, ResumeInstance(reason))


def restart(session: Session, user: User, instance_key: int, wanted: Restart, reason: str) -> int:
    """Start a new case with the variables of an ended one, and return its key.

    Raises Forbidden, NotFound, NotEnded, InvalidElements, InvalidVariables.
    """
    require_manager(user)
    outcome = start_again(
        session,
        instance_key,
        [instruction.element_id for instruction in wanted.start_instructions],
        wanted.variables,
        actor=user.username,
        definition_key=wanted.process_definition_key,
        reason=wanted.reason or reason,
    )
    return outcome.instance_key


def activate_ad_hoc(
    session: Session,
    user: User,
    element_instance_key: int,
    elements: Sequence[tuple[str, dict[str, Any]]],
    *,
    cancel_remaining: bool,
) -> None:
    """Start activities, each with variables of its own, in an ad-hoc sub-process.

    Raises Forbidden, NotFound, NotActive, InvalidElements, InvalidVariables.
    """
    require_manager(user)
    instance_key = session.scalar(
        select(ElementInstance.instance_key).where(ElementInstance.key == element_instance_key)
    )
    if instance_key is None:
        raise NotFound("live ad-hoc sub-process", element_instance_key)
    command = ActivateAdHoc(
        element_instance_key,
        [element_id for element_id, _ in elements],
        cancel_remaining=cancel_remaining,
        variables=[variables for _, variables in elements],
    )
    execute(session, instance_key, command, actor=user.username)


def repair(
    session: Session,
    user: User,
    instance_key: int,
    incident_key: int,
    variables: dict[str, Any],
    retries: int | None = None,
) -> Incident | None:
    """Change variables that an incident is about and let the engine try again; return the incident this led to, if any.

    `retries`: how often the job of the incident may be tried. Raises Forbidden, NotFound, NotActive, InvalidVariables.
    """
    require_manager(user)
    command = RepairIncident(incident_key, variables, retries=retries)
    outcome = execute(session, instance_key, command, actor=user.username)
    return session.get(Incident, outcome.incident_keys[0]) if outcome.incident_keys else None


def delete(session: Session, user: User, instance_key: int, reason: str) -> None:
    """Let the next clean-up remove an ended case; raises Forbidden, NotFound, NotActive, CalledByAnother."""
    require_manager(user)
    deletion.delete(session, instance_key, actor=user.username, reason=reason)


def _command(session: Session, user: User, instance_key: int, command: Command) -> None:
    require_manager(user)
    execute(session, instance_key, command, actor=user.username)


def _live(session: Session, instance_key: int, element_id: str) -> list[int]:
    """Return the keys of the live instances of an element; raises InvalidElements without any."""
    found = session.scalars(
        select(ElementInstance.key)
        .where(
            ElementInstance.instance_key == instance_key,
            ElementInstance.element_id == element_id,
            ElementInstance.state == ElementState.ACTIVE,
        )
        .order_by(ElementInstance.key)
    ).all()
    if not found:
        raise InvalidElements(f"“{element_id}” has no live instance to terminate.")
    return list(found)
