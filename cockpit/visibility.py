"""Visibility: which cases a user may see, as a condition for lists and as a check for one case."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, exists, false, or_, select, true, union
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
    return or_(
        ProcessInstance.definition_key.in_(_definitions(session, user)),
        ProcessInstance.started_by == user.username,
        _took_part(user),
    )


@dataclass(frozen=True, slots=True)
class Way:
    """One of the reasons why a user may see a case."""

    condition: ColumnElement[bool]
    #: It tells few cases, so a query begins there, whatever else is asked of them.
    few: bool = False


def ways(session: Session, user: Person) -> list[Way]:
    """Return the alternatives of `visible`: an index answers each, but all together are tried on every case."""
    if may_see_all(user):
        return [Way(true())]
    if not takes_part(user):
        return [Way(false())]
    found = [
        Way(ProcessInstance.started_by == user.username, few=True),
        Way(ProcessInstance.key.in_(select(_taken_part(user).c.key)), few=True),
    ]
    if definitions := _definitions(session, user):
        found.append(Way(ProcessInstance.definition_key.in_(definitions)))
    return found


def instance_for(session: Session, user: Person, instance_key: int) -> ProcessInstance:
    """Return the case; raises NotFound, or Forbidden when `user` may not see it."""
    instance = session.get(ProcessInstance, instance_key)
    if instance is None:
        raise NotFound("process instance", instance_key)
    seen = select(ProcessInstance.key).where(ProcessInstance.key == instance_key, visible(session, user))
    if session.execute(seen).first() is None:
        raise Forbidden("You take no part in this case, so you cannot see it.")
    return instance


def _definitions(session: Session, user: Person) -> list[int]:
    """Return the process definitions in which the user's groups have a lane."""
    definitions = session.execute(select(ProcessDefinition.key, ProcessDefinition.groups))
    return [key for key, groups in definitions if not user.group_ids.isdisjoint(groups)]


def _taken_part(user: Person) -> Subquery:
    """Return the keys of the cases of which `_took_part` holds, beginning at the user's tasks."""
    key = UserTask.instance_key.label("key")
    return union(
        select(key).where(UserTask.assignee == user.username),
        select(key).where(UserTask.completed_by == user.username),
        select(key)
        .join(UserTaskUser, UserTaskUser.task_key == UserTask.key)
        .where(UserTaskUser.username == user.username),
        select(key)
        .join(UserTaskGroup, UserTaskGroup.task_key == UserTask.key)
        .where(UserTaskGroup.group_id.in_(user.group_ids)),
    ).subquery()


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
