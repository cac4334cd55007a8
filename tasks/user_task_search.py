"""User tasks as the API lists them: which ones a user may see, filtered, sorted, a page at a time."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Row, Select, and_, false, literal, or_, select, true
from sqlalchemy.orm import Session

from database.rest import TENANT, Listing, Results, TextCondition, matching
from engine.errors import NotFound
from engine.models import ProcessDefinition, UserTask, UserTaskGroup, UserTaskState, UserTaskUser
from people.models import User
from people.permissions import may_see_all, takes_part
from tasks import service
from tasks.shapes import UserTaskFilter, UserTaskQuery, UserTaskShape

_COLUMNS = {
    "user_task_key": UserTask.key,
    "name": UserTask.name,
    "state": UserTask.state,
    "assignee": UserTask.assignee,
    "element_id": UserTask.element_id,
    "element_instance_key": UserTask.element_instance_key,
    "process_definition_id": UserTask.process_id,
    "process_definition_key": UserTask.definition_key,
    "process_instance_key": UserTask.instance_key,
    "priority": UserTask.priority,
    "creation_date": UserTask.created_at,
    "completion_date": UserTask.ended_at,
    "due_date": UserTask.due_at,
    "follow_up_date": UserTask.follow_up_at,
    "tenant_id": TENANT,
}

# Written out, not bound: only then do the partial indexes on open tasks serve the query.
_OPEN = UserTask.state == literal(UserTaskState.CREATED.value, literal_execute=True)

_LISTING: Listing[UserTask] = Listing(
    UserTask.key.expression,
    {
        "creationDate": UserTask.created_at.expression,
        "completionDate": UserTask.ended_at.expression,
        "dueDate": UserTask.due_at.expression,
        "followUpDate": UserTask.follow_up_at.expression,
        "priority": UserTask.priority.expression,
        "name": UserTask.name.expression,
    },
)


def search(session: Session, user: User, query: UserTaskQuery) -> Results[UserTaskShape]:
    """Return the tasks that `user` may see and `query` asks for; raises InvalidCursor."""
    rows = _rows().where(_visible(user))
    if query.filter is not None:
        rows = rows.where(_holds(query.filter))
    return _LISTING.find(session, rows, query, _render)


def one(session: Session, user: User, key: int) -> UserTaskShape:
    """Return a task, open or ended; raises NotFound, Forbidden."""
    service.get(session, user, key)
    row = session.execute(_rows().where(UserTask.key == key)).one_or_none()
    if row is None:
        raise NotFound("user task", key)
    return _render(row)


def _rows() -> Select[UserTask, str, int]:
    # Outer, though there always is one: so the database need not look for it where only rows are counted.
    return select(UserTask, ProcessDefinition.name, ProcessDefinition.version).outerjoin(
        ProcessDefinition, ProcessDefinition.key == UserTask.definition_key
    )


def _render(row: Row[UserTask, str, int]) -> UserTaskShape:
    task, process_name, version = row
    return UserTaskShape(
        user_task_key=task.key,
        name=task.name,
        state=task.state,
        assignee=task.assignee,
        element_id=task.element_id,
        candidate_groups=task.candidate_groups,
        candidate_users=task.candidate_users,
        process_definition_id=task.process_id,
        process_definition_key=task.definition_key,
        process_definition_version=version,
        process_name=process_name,
        process_instance_key=task.instance_key,
        root_process_instance_key=task.root_key,
        element_instance_key=task.element_instance_key,
        creation_date=task.created_at,
        completion_date=task.ended_at,
        due_date=task.due_at,
        follow_up_date=task.follow_up_at,
        external_form_reference=task.external_form,
        form_key=task.form_key,
        priority=task.priority,
    )


def _holds(wanted: UserTaskFilter) -> ColumnElement[bool]:
    conditions = matching(wanted, _COLUMNS)
    open_only = wanted.state is not None and wanted.state.eq == UserTaskState.CREATED
    if open_only:
        conditions.append(_OPEN)
    if (group := wanted.candidate_group) is not None:
        if open_only and _only_equal(group):
            conditions.append(
                UserTask.key.in_(select(UserTaskGroup.task_key).where(UserTaskGroup.group_id == group.eq))
            )
        else:
            conditions.append(group.among(UserTask.candidate_groups))
    if (user := wanted.candidate_user) is not None:
        if open_only and _only_equal(user):
            conditions.append(UserTask.key.in_(select(UserTaskUser.task_key).where(UserTaskUser.username == user.eq)))
        else:
            conditions.append(user.among(UserTask.candidate_users))
    conditions += [variable.holds(UserTask.instance_key) for variable in wanted.process_instance_variables]
    conditions += [variable.holds(UserTask.element_instance_key) for variable in wanted.local_variables]
    if wanted.or_:
        conditions.append(or_(*(_holds(alternative) for alternative in wanted.or_)))
    return and_(true(), *conditions)


def _only_equal(wanted: TextCondition) -> bool:
    """Say whether one name is asked for: candidates of open tasks have rows with an index on it."""
    return wanted.eq is not None and not wanted.model_dump(exclude_none=True, exclude={"eq"})


def _visible(user: User) -> ColumnElement[bool]:
    """Return the rule of `tasks.service.get` as a condition on user tasks."""
    if may_see_all(user):
        return true()
    if not takes_part(user):
        return false()
    groups = sorted(user.group_ids)
    candidates = (
        UserTask.key.in_(select(UserTaskGroup.task_key).where(UserTaskGroup.group_id.in_(groups))),
        UserTask.key.in_(select(UserTaskUser.task_key).where(UserTaskUser.username == user.username)),
    )
    # The rows of candidates are gone when a task has ended; then its own lists tell.
    ended = and_(
        UserTask.state != UserTaskState.CREATED,
        or_(
            _names(UserTask.candidate_users, user.username),
            *(_names(UserTask.candidate_groups, group) for group in groups),
        ),
    )
    everybody = and_(UserTask.candidate_groups == [], UserTask.candidate_users == [])
    mine = (UserTask.assignee == user.username, UserTask.completed_by == user.username)
    return or_(*mine, *candidates, ended, everybody)


def _names(column: object, name: str) -> ColumnElement[bool]:
    return TextCondition.model_validate(name).among(column)
