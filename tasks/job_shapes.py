"""Jobs as the API shows them (Camunda 8.9's shapes)."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

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
from database.rest.shapes import PlainText
from tasks.instance_shapes import AtElement, AtElementFilter

#: Most jobs of one activation.
MOST_JOBS = 1000
#: Milliseconds that an activation waits for jobs when it does not say, and at most: less than a server that is told to
#: stop leaves to its requests.
USUAL_WAIT = 10_000
LONGEST_WAIT = 25_000

#: The longest lease: a day, in milliseconds.
LONGEST_LEASE = 24 * 3600 * 1000


class Activation(Request):
    """Which jobs a worker wants; times in milliseconds."""

    type: PlainText = Field(min_length=1)
    timeout: int = Field(gt=0, le=LONGEST_LEASE)
    max_jobs_to_activate: int = Field(gt=0, le=MOST_JOBS)
    worker: PlainText = ""
    fetch_variable: list[str] | None = None
    #: How long to wait when there is no job; 0: as long as the server likes, negative: not at all.
    request_timeout: int = 0
    tenant_ids: list[Tenant] = Field(default_factory=list)
    tenant_filter: Literal["PROVIDED", "ASSIGNED"] = "PROVIDED"
    with_lease: bool = False

    @property
    def patience(self) -> float:
        """How many seconds to wait when there is no job."""
        asked = self.request_timeout or USUAL_WAIT
        return max(0, min(asked, LONGEST_WAIT)) / 1000

    @field_validator("with_lease", mode="after")
    @classmethod
    def _not_done(cls, value: bool) -> bool:
        if value:
            raise Unsupported("Lease tokens are not supported.")
        return value


class HeldUserTask(Shape):
    """A user task with the change that a task listener looks at: the values that it will have."""

    user_task_key: KeyText
    action: str
    assignee: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    changed_attributes: list[str]
    due_date: NullableInstantText
    follow_up_date: NullableInstantText
    form_key: NullableKeyText
    priority: int


class ActivatedJob(AtElement):
    """A job in the hands of a worker; the deadline in milliseconds since 1970 (UTC)."""

    job_key: KeyText
    type: str
    worker: str
    retries: int
    deadline: int
    variables: Variables
    custom_headers: dict[str, str]
    process_definition_version: int
    kind: str
    listener_event_type: str
    priority: int = 0
    #: Of a task listener's job: the task as it will be after the change.
    user_task: HeldUserTask | None
    job_lease_token: None = None
    tags: list[str] = Field(default_factory=list)
    business_id: str | None = None
    physical_tenant_id: str = DEFAULT_TENANT


class ActivatedJobs(Shape):
    """What an activation gave."""

    jobs: list[ActivatedJob]


class JobReport(Request):
    """What a worker says of a job."""

    variables: Variables | None = None
    job_lease_token: None = None


class Corrections(Request):
    """What a task listener changes of a change; null leaves what is, an empty text takes a date or assignee away."""

    assignee: PlainText | None = None
    due_date: NullableInstantText | Literal[""] = None
    follow_up_date: NullableInstantText | Literal[""] = None
    candidate_users: list[PlainText] | None = None
    candidate_groups: list[PlainText] | None = None
    priority: int | None = Field(None, ge=0, le=100)

    def given(self) -> dict[str, Any]:
        """Return what is not null, by Camunda 8's names and in plain JSON."""
        return {name: value for name, value in self.model_dump(by_alias=True).items() if value is not None}


class ListenerVerdict(Request):
    """What a task listener says of the change that it looked at."""

    type: Literal["userTask"] = "userTask"
    denied: bool | None = None
    denied_reason: PlainText | None = None
    corrections: Corrections | None = None

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if self.denied and self.corrections is not None and self.corrections.given():
            raise ValueError("a change is either denied or corrected")
        return self


class JobCompletion(JobReport):
    """The work is done; a task listener's job may have a result."""

    result: ListenerVerdict | None = None
    business_id: None = None

    @field_validator("result", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("type") == "adHocSubProcess":
            raise Unsupported("Ad-hoc sub-processes that a job worker controls are not supported.")
        return value


class JobFailure(JobReport):
    """The work failed; the back-off in milliseconds."""

    retries: WholeNumber = Field(0, ge=0)
    error_message: PlainText | None = None
    retry_back_off: int = Field(0, ge=0, le=LONGEST_LEASE * 366)


class JobError(JobReport):
    """The work ended with a BPMN error."""

    error_code: PlainText = Field(min_length=1)
    error_message: PlainText | None = None


class JobChangeset(Request):
    """What is changed of a job; the lease in milliseconds from now."""

    retries: WholeNumber | None = Field(None, ge=1)
    timeout: int | None = Field(None, gt=0, le=LONGEST_LEASE)


class JobUpdate(Request):
    """A change of a job."""

    changeset: JobChangeset
    operation_reference: int | None = None
    job_lease_token: None = None


class JobShape(AtElement):
    """A job in a list."""

    job_key: KeyText
    type: str
    worker: str
    state: str
    retries: int
    deadline: NullableInstantText
    has_failed_with_retries_left: bool
    error_code: str | None
    error_message: str | None
    custom_headers: dict[str, str]
    creation_time: InstantText
    end_time: NullableInstantText
    last_update_time: InstantText
    kind: str
    listener_event_type: str
    #: Of a task listener's job that is completed.
    is_denied: bool | None
    denied_reason: str | None
    priority: int = 0
    business_id: str | None = None


class JobFilter(AtElementFilter):
    """What jobs are searched by; all that is given must hold."""

    job_key: KeyCondition | None = None
    type: TextCondition | None = None
    worker: TextCondition | None = None
    state: TextCondition | None = None
    retries: NumberCondition | None = None
    deadline: InstantCondition | None = None
    error_code: TextCondition | None = None
    error_message: TextCondition | None = None
    creation_time: InstantCondition | None = None
    end_time: InstantCondition | None = None
    has_failed_with_retries_left: bool | None = None
    is_denied: bool | None = None
    denied_reason: TextCondition | None = None
    last_update_time: InstantCondition | None = None
    kind: TextCondition | None = None
    listener_event_type: TextCondition | None = None


class JobBatchChangeset(JobChangeset):
    """What is changed of many jobs; something must be."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.retries is None and self.timeout is None:
            raise ValueError("change the retries or the timeout")
        return self


class JobBatchUpdate(Request):
    """A change of many jobs; without a criterion it would be all of them: that is refused."""

    filter: JobFilter
    changeset: JobBatchChangeset
    operation_reference: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _some_criterion(self) -> Self:
        if not self.filter.model_fields_set:
            raise ValueError("the filter needs at least one criterion")
        return self


class JobQuery(
    SearchQuery[
        JobFilter,
        Literal[
            "jobKey",
            "type",
            "worker",
            "state",
            "retries",
            "deadline",
            "errorCode",
            "errorMessage",
            "elementId",
            "elementInstanceKey",
            "processDefinitionId",
            "processDefinitionKey",
            "processInstanceKey",
            "creationTime",
            "endTime",
            "lastUpdateTime",
            "isDenied",
            "deniedReason",
            "hasFailedWithRetriesLeft",
            "kind",
            "listenerEventType",
            "tenantId",
        ],
    ]
):
    """A search of jobs."""
