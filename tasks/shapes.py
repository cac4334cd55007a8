"""User tasks, forms and starts as the API shows them (Camunda 8.9's shapes)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from database import dumps
from database.rest import (
    DEFAULT_TENANT,
    InstantCondition,
    InstantText,
    KeyCondition,
    KeyText,
    NullableInstantText,
    NullableKeyText,
    NumberCondition,
    Request,
    SearchQuery,
    Shape,
    Tenant,
    TextCondition,
    Unsupported,
    Variables,
    WholeNumber,
)
from engine.models import BatchOperation, FormDefinition
from tasks.instance_shapes import AtElement, AtElementFilter
from tasks.variable_search import VariableFilter

#: Stands for the latest version of a process.
LATEST = -1


class UserTaskShape(AtElement):
    """A user task, open or ended."""

    user_task_key: KeyText
    name: str | None
    state: str
    assignee: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    process_definition_version: int
    process_name: str | None
    creation_date: InstantText
    completion_date: NullableInstantText
    due_date: NullableInstantText
    follow_up_date: NullableInstantText
    external_form_reference: str | None
    form_key: NullableKeyText
    priority: int
    custom_headers: dict[str, str] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    business_id: str | None = None


class UserTaskFilter(AtElementFilter):
    """What user tasks are searched by; all that is given must hold."""

    user_task_key: KeyCondition | None = None
    name: TextCondition | None = None
    state: TextCondition | None = None
    assignee: TextCondition | None = None
    candidate_group: TextCondition | None = None
    candidate_user: TextCondition | None = None
    priority: NumberCondition | None = None
    creation_date: InstantCondition | None = None
    completion_date: InstantCondition | None = None
    due_date: InstantCondition | None = None
    follow_up_date: InstantCondition | None = None
    process_instance_variables: list[VariableFilter] = Field(default_factory=list, max_length=20)
    local_variables: list[VariableFilter] = Field(default_factory=list, max_length=20)
    #: Alternatives, of which one must hold besides the rest.
    or_: list[UserTaskFilter] = Field(default_factory=list, alias="$or", max_length=20)


class UserTaskQuery(
    SearchQuery[
        UserTaskFilter, Literal["creationDate", "completionDate", "dueDate", "followUpDate", "priority", "name"]
    ]
):
    """A search of user tasks."""


class Assignment(Request):
    """To whom a task is given."""

    assignee: str = Field(min_length=1)
    allow_override: bool | None = None
    action: str | None = None


class Completion(Request):
    """What a completed task brings."""

    variables: Variables | None = None
    action: str | None = None


class Changeset(Request):
    """What is changed of a task; an empty text takes a date away, null leaves it."""

    due_date: NullableInstantText | Literal[""] = None
    follow_up_date: NullableInstantText | Literal[""] = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    priority: int | None = Field(None, ge=0, le=100)

    def changed(self, name: str) -> datetime | None:
        """Return the new date under `name`; an empty text has become none."""
        value = getattr(self, name)
        return value or None


class TaskUpdate(Request):
    """A change of a task."""

    changeset: Changeset | None = None
    action: str | None = None


class FormShape(Shape):
    """A form; its schema is JSON text."""

    form_key: KeyText
    form_id: str
    version: int
    schema_: str = Field(alias="schema")
    tenant_id: str = DEFAULT_TENANT

    @classmethod
    def of(cls, form: FormDefinition) -> Self:
        """Return the shape of a form."""
        return cls(form_key=form.key, form_id=form.form_id, version=form.version, schema=dumps(form.schema))


class StartInstruction(Request):
    """An element before which an instance begins, instead of at its start event."""

    element_id: str = Field(min_length=1)


class Creation(Request):
    """Which process is started, with which variables."""

    process_definition_id: str | None = None
    process_definition_key: NullableKeyText = None
    process_definition_version: WholeNumber = LATEST
    process_definition_version_tag: str | None = None
    variables: Variables = Field(default_factory=dict)
    await_completion: bool = False
    fetch_variables: list[str] = Field(default_factory=list)
    #: Milliseconds to wait for the result; 0: the server's own limit.
    request_timeout: int = Field(0, ge=0, le=24 * 3600 * 1000)
    operation_reference: int | None = None
    start_instructions: list[StartInstruction] = Field(default_factory=list, max_length=1000)
    runtime_instructions: list[Any] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    business_id: str | None = None
    tenant_id: Tenant | None = None

    @model_validator(mode="after")
    def _one_process(self) -> Self:
        if (self.process_definition_id is None) == (self.process_definition_key is None):
            raise ValueError("name the process either by processDefinitionId or by processDefinitionKey")
        return self

    @field_validator("runtime_instructions", "tags", "business_id", mode="after")
    @classmethod
    def _not_done(cls, value: Any) -> Any:
        if value:
            raise Unsupported("Runtime instructions, tags and business ids are not supported.")
        return value


class CreationShape(Shape):
    """A new process instance; the variables are its result when that was waited for."""

    process_definition_id: str
    process_definition_key: KeyText
    process_definition_version: int
    process_instance_key: KeyText
    variables: Variables
    tags: list[str] = Field(default_factory=list)
    business_id: str | None = None
    tenant_id: str = DEFAULT_TENANT


class BatchShape(Shape):
    """A batch operation that was written down."""

    batch_operation_key: KeyText
    batch_operation_type: str

    @classmethod
    def of(cls, operation: BatchOperation) -> Self:
        """Return the shape of an operation."""
        return cls(batch_operation_key=operation.key, batch_operation_type=operation.type)
