"""JSON endpoints of work for people: starting processes, user tasks with their forms and variables."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint

from database import transaction
from database.extension import db
from database.rest import Results, endpoint
from engine.user_tasks import UNCHANGED, UpdateUserTask
from people.login import signed_in_user
from tasks import awaiting, jobs_api, service, starting, user_task_search, variable_search
from tasks.shapes import (
    Assignment,
    Completion,
    Creation,
    CreationShape,
    FormShape,
    TaskUpdate,
    UserTaskQuery,
    UserTaskShape,
)
from tasks.variable_search import SeenQuery, VariableRow

blueprint = Blueprint("tasks_api", __name__, url_prefix="/v2")
blueprint.register_blueprint(jobs_api.blueprint)


@blueprint.post("/process-instances")
@endpoint
def create_process_instance(creation: Creation) -> CreationShape:
    """Start a process, and wait for its result if that is asked for."""
    user = signed_in_user()
    with transaction(db.session()) as session:
        definition = starting.definition_of(session, creation)
        begin_at = [instruction.element_id for instruction in creation.start_instructions]
        outcome = starting.create(session, user, definition, creation.variables, begin_at)
    variables = {}
    if creation.await_completion:
        patience = timedelta(milliseconds=creation.request_timeout)
        variables = awaiting.result(db.session(), outcome.instance_key, patience, creation.fetch_variables)
    return CreationShape(
        process_definition_id=definition.process_id,
        process_definition_key=definition.key,
        process_definition_version=definition.version,
        process_instance_key=outcome.instance_key,
        variables=variables,
    )


@blueprint.post("/user-tasks/search")
@endpoint
def search_user_tasks(query: UserTaskQuery) -> Results[UserTaskShape]:
    """Search the user tasks that you may see."""
    return user_task_search.search(db.session(), signed_in_user(), query)


@blueprint.get("/user-tasks/<int:key>")
@endpoint
def get_user_task(key: int) -> UserTaskShape:
    """Get a user task."""
    return user_task_search.one(db.session(), signed_in_user(), key)


@blueprint.post("/user-tasks/<int:key>/assignment")
@endpoint
def assign_user_task(key: int, assignment: Assignment) -> None:
    """Give a user task to somebody."""
    allow_override = assignment.allow_override is not False
    with transaction(db.session()) as session:
        service.assign(session, signed_in_user(), key, assignment.assignee, allow_override=allow_override)


@blueprint.delete("/user-tasks/<int:key>/assignee")
@endpoint
def unassign_user_task(key: int) -> None:
    """Put a user task back for its candidates."""
    with transaction(db.session()) as session:
        service.return_task(session, signed_in_user(), key)


@blueprint.patch("/user-tasks/<int:key>")
@endpoint
def update_user_task(key: int, update: TaskUpdate) -> None:
    """Change dates, candidates or priority of a user task."""
    changes = update.changeset
    command = UpdateUserTask(key)
    if changes is not None:
        command = UpdateUserTask(
            key,
            due_at=UNCHANGED if changes.due_date is None else changes.changed("due_date"),
            follow_up_at=UNCHANGED if changes.follow_up_date is None else changes.changed("follow_up_date"),
            candidate_groups=UNCHANGED if changes.candidate_groups is None else changes.candidate_groups,
            candidate_users=UNCHANGED if changes.candidate_users is None else changes.candidate_users,
            priority=UNCHANGED if changes.priority is None else changes.priority,
        )
    with transaction(db.session()) as session:
        service.update(session, signed_in_user(), command)


@blueprint.post("/user-tasks/<int:key>/completion")
@endpoint
def complete_user_task(key: int, completion: Completion) -> None:
    """Complete a user task with variables, which its form checks."""
    with transaction(db.session()) as session:
        service.submit(session, signed_in_user(), key, completion.variables or {})


@blueprint.get("/user-tasks/<int:key>/form")
@endpoint
def get_user_task_form(key: int) -> FormShape | None:
    """Get the form of a user task; no content for a task without one."""
    task = service.get(db.session(), signed_in_user(), key)
    return None if task.form_key is None else FormShape.of(service.form(db.session(), task.form_key))


@blueprint.post("/user-tasks/<int:key>/variables/search")
@endpoint
def search_user_task_variables(key: int, query: SeenQuery, truncate_values: bool = True) -> Results[VariableRow]:
    """Search the variables that a user task sees."""
    task = service.get(db.session(), signed_in_user(), key)
    return variable_search.seen_by(db.session(), query, task, shorten=truncate_values)


@blueprint.post("/user-tasks/<int:key>/effective-variables/search")
@endpoint
def search_user_task_effective_variables(
    key: int, query: SeenQuery, truncate_values: bool = True
) -> Results[VariableRow]:
    """Search the variables that a user task sees, where inner scopes hide outer ones."""
    task = service.get(db.session(), signed_in_user(), key)
    return variable_search.seen_by(db.session(), query, task, shorten=truncate_values)


@blueprint.get("/forms/<int:key>")
@endpoint
def get_form(key: int) -> FormShape:
    """Get a form by its key."""
    return FormShape.of(service.form(db.session(), key))
