"""Visibility: which cases a user may see, as a condition for lists and as a check for one case."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, false, or_, select, true
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.models import ProcessDefinition, ProcessInstance, UserTask, UserTaskGroup, UserTaskUser
from people.errors import Forbidden
from people.permissions import Person, may_see_all, takes_part


def visible(session: Session, user: Person) -> ColumnElement[bool]:
    """Return `people.permissions.may_see_instance` as a condition on process instances."""
    if may_see_all(user):
        return true()
    if not takes_part(user):
        return false()
    definitions = session.execute(select(ProcessDefinition.key, ProcessDefinition.groups))
    mine = [key for key, groups in definitions if not user.group_ids.isdisjoint(groups)]
    return or_(
        ProcessInstance.definition_key.in_(mine),
        ProcessInstance.started_by == user.username,
        _took_part(user),
    )


def instance_for(session: Session, user: Person, instance_key: int) -> ProcessInstance:
    """Return the case; raises NotFound, or Forbidden when `user` may not see it."""
    instance = session.get(ProcessInstance, instance_key)
    if instance is None:
        raise NotFound("process instance", instance_key)
    seen = select(ProcessInstance.key).where(ProcessInstance.key == instance_key, visible(session, user))
    if session.execute(seen).first() is None:
        raise Forbidden("You take no part in this case, so you cannot see it.")
    return instance


def _took_part(user: Person) -> ColumnElement[bool]:
    """The user has or had a task in the case, or could take one of its open tasks."""
    return or_(
        exists().where(
            UserTask.instance_key == ProcessInstance.key,
            or_(UserTask.assignee == user.username, UserTask.completed_by == user.username),
        ),
        exists().where(
            UserTask.instance_key == ProcessInstance.key,
            UserTaskUser.task_key == UserTask.key,
            UserTaskUser.username == user.username,
        ),
        exists().where(
            UserTask.instance_key == ProcessInstance.key,
            UserTaskGroup.task_key == UserTask.key,
            UserTaskGroup.group_id.in_(user.group_ids),
        ),
    )
