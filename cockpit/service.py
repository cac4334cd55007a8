"""Use cases of a manager: end a case, retry what failed, change a variable, hand a task to somebody else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cockpit.errors import InvalidValue, ReasonMissing, UnknownAssignee
from engine.errors import NotFound
from engine.execution import execute
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.models import Incident, ProcessInstance, UserTask, Variable
from engine.user_tasks import AssignUserTask, UnassignUserTask
from people.errors import Forbidden
from people.models import User
from people.permissions import may_manage


def require_manager(user: User) -> None:
    """Raise Forbidden unless `user` may intervene in cases."""
    if not may_manage(user):
        raise Forbidden("Only managers intervene in a case.")


def cancel(session: Session, user: User, instance_key: int, reason: str) -> None:
    """End a case and its child cases by hand.

    Raises Forbidden, ReasonMissing, NotFound, NotActive; CalledByAnother for a child case, which ends with its parent.
    """
    require_manager(user)
    if not reason.strip():
        raise ReasonMissing
    execute(session, instance_key, CancelInstance(reason.strip()), actor=user.username)


def retry(session: Session, user: User, instance_key: int, incident_key: int) -> Incident | None:
    """Let the engine try again what failed; return the incident that this led to, if any.

    Raises Forbidden, NotFound, and NotActive when somebody has resolved it already.
    """
    require_manager(user)
    incident = session.get(Incident, incident_key)
    if incident is None or incident.instance_key != instance_key:
        raise NotFound("incident", incident_key)
    outcome = execute(session, instance_key, ResolveIncident(incident_key), actor=user.username)
    return session.get(Incident, outcome.incident_keys[0]) if outcome.incident_keys else None


def set_variable(session: Session, user: User, instance_key: int, scope_key: int, name: str, value: object) -> None:
    """Give a variable in one scope of a live case a value; raises Forbidden, InvalidValue, NotFound, NotActive."""
    require_manager(user)
    if session.get(ProcessInstance, instance_key) is None:
        raise NotFound("process instance", instance_key)
    if not name.strip():
        raise InvalidValue("A variable needs a name.")
    if scope_key != instance_key and not _is_scope_of(session, scope_key, instance_key):
        raise NotFound("scope", scope_key)
    execute(session, instance_key, SetVariables(scope_key, {name.strip(): value}, local=True), actor=user.username)


def set_variables(
    session: Session, user: User, instance_key: int, scope_key: int, variables: dict[str, Any], *, local: bool
) -> None:
    """Set variables of a live case from a scope outward, or, when `local`, in exactly that scope.

    Raises Forbidden, NotFound when the scope is not live, NotActive, InvalidVariables.
    """
    require_manager(user)
    execute(session, instance_key, SetVariables(scope_key, variables, local=local), actor=user.username)


def reassign(session: Session, user: User, instance_key: int, task_key: int, assignee: str) -> None:
    """Hand an open user task to somebody, whoever holds it; raises Forbidden, UnknownAssignee, NotFound, NotActive."""
    require_manager(user)
    _require_task(session, instance_key, task_key)
    target = session.get(User, assignee)
    if target is None or not target.active:
        raise UnknownAssignee(assignee)
    command = AssignUserTask(task_key, assignee, allow_override=True)
    execute(session, instance_key, command, actor=user.username)


def unassign(session: Session, user: User, instance_key: int, task_key: int) -> None:
    """Give an open user task back to all who could take it; raises Forbidden, NotFound, NotActive."""
    require_manager(user)
    _require_task(session, instance_key, task_key)
    execute(session, instance_key, UnassignUserTask(task_key), actor=user.username)


def _require_task(session: Session, instance_key: int, task_key: int) -> None:
    task = session.get(UserTask, task_key)
    if task is None or task.instance_key != instance_key:
        raise NotFound("user task", task_key)


def _is_scope_of(session: Session, scope_key: int, instance_key: int) -> bool:
    declared = select(Variable.key).where(Variable.scope_key == scope_key, Variable.instance_key == instance_key)
    return session.execute(declared.limit(1)).first() is not None
