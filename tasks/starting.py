"""Starting a process by hand: which ones a person may start, with which form, and the start itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import definitions
from engine.errors import NotFound
from engine.execution import Outcome, create_instance
from engine.models import FormDefinition, ProcessDefinition
from engine.restarting import create_instance_at
from people.errors import Forbidden
from people.models import User
from people.permissions import may_manage, may_start
from processes import catalogue
from tasks import forms, submission
from tasks.errors import InvalidForm, NotStartable
from tasks.service import form_environment
from tasks.shapes import LATEST, Creation
from tasks.worklist import next_of_case


@dataclass(frozen=True, slots=True)
class Startable:
    """A process that a person may start."""

    process_id: str
    name: str
    #: The folder of its file in the library, e.g. `auto-repair`; empty for a file without one.
    folder: str
    documentation: str
    #: The schema of the start form; None: it starts without questions.
    form: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A new process instance; `first_task_key` is its first step, if it falls to the person who started it."""

    instance_key: int
    first_task_key: int | None


def startable(session: Session, user: User) -> list[Startable]:
    """Return the latest versions that `user` may start, by folder and name."""
    newest = (
        select(ProcessDefinition.process_id, func.max(ProcessDefinition.version).label("version"))
        .group_by(ProcessDefinition.process_id)
        .subquery()
    )
    rows = session.scalars(
        select(ProcessDefinition)
        .join(
            newest,
            (newest.c.process_id == ProcessDefinition.process_id) & (newest.c.version == ProcessDefinition.version),
        )
        .where(ProcessDefinition.startable)
    )
    found = [_startable(session, definition) for definition in rows if may_start(user, definition)]
    return sorted(found, key=lambda process: (process.folder, process.name))


def start_form(session: Session, user: User, process_id: str) -> Startable:
    """Return the process with the form that starts it; raises NotFound, NotStartable, Forbidden."""
    definition = _definition(session, user, process_id)
    return _startable(session, definition, form=_form(session, definition))


def start(session: Session, user: User, process_id: str, entered: dict[str, Any]) -> Started:
    """Start the latest version with what was entered in its start form.

    Raises NotFound, NotStartable, Forbidden, InvalidForm.
    """
    definition = _definition(session, user, process_id)
    values: dict[str, Any] = {}
    schema = _form(session, definition)
    if schema is not None:
        validation = forms.validate(schema, entered, {}, form_environment(session))
        if not validation.valid:
            raise InvalidForm(validation, entered)
        values = validation.variables
    outcome = create_instance(session, definition, values, actor=user.username)
    first = next_of_case(session, user, outcome.instance_key)
    return Started(outcome.instance_key, first.key if first else None)


def create(
    session: Session,
    user: User,
    definition: ProcessDefinition,
    sent: dict[str, Any],
    begin_at: Sequence[str] = (),
) -> Outcome:
    """Start any version with variables that a program sends (see `tasks.submission`).

    `begin_at`: the elements before which a manager lets it begin instead of at its start event, and so without its
    start form. Raises NotStartable, Forbidden, InvalidForm, InvalidVariables, InvalidElements.
    """
    if begin_at:
        if not may_manage(user):
            raise Forbidden("Only managers start a process in the middle.")
        return create_instance_at(session, definition, begin_at, sent, actor=user.username)
    _require_start(user, definition)
    values = submission.accepted(user, _form(session, definition), sent, {}, form_environment(session))
    return create_instance(session, definition, values, actor=user.username)


def definition_of(session: Session, wanted: Creation) -> ProcessDefinition:
    """Return the process definition that a program wants to start; raises NotFound."""
    if wanted.process_definition_key is not None:
        definition = session.get(ProcessDefinition, wanted.process_definition_key)
        if definition is None:
            raise NotFound("process definition", wanted.process_definition_key)
        return definition
    assert wanted.process_definition_id is not None, "checked by the shape"
    if wanted.process_definition_version == LATEST:
        return definitions.latest(session, wanted.process_definition_id, wanted.process_definition_version_tag)
    return catalogue.definition(session, wanted.process_definition_id, wanted.process_definition_version)


def _definition(session: Session, user: User, process_id: str) -> ProcessDefinition:
    definition = definitions.latest(session, process_id)
    _require_start(user, definition)
    return definition


def _require_start(user: User, definition: ProcessDefinition) -> None:
    if not definition.startable:
        raise NotStartable(definition.process_id)
    if not may_start(user, definition):
        raise Forbidden("Your groups do not start this process.")


def _startable(session: Session, definition: ProcessDefinition, form: dict[str, Any] | None = None) -> Startable:
    return Startable(
        process_id=definition.process_id,
        name=definition.name,
        folder=definition.resource_name.rpartition("/")[0],
        documentation=definitions.process(session, definition.key).documentation,
        form=form,
    )


def _form(session: Session, definition: ProcessDefinition) -> dict[str, Any] | None:
    if definition.start_form_id is None:
        return None
    return session.scalar(
        select(FormDefinition.schema)
        .where(FormDefinition.form_id == definition.start_form_id)
        .order_by(FormDefinition.version.desc())
        .limit(1)
    )
