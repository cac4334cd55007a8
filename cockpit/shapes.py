"""Process instances, element instances and incidents as the API shows them (Camunda 8.9's shapes)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

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
    TextCondition,
    Variables,
)
from tasks.instance_shapes import AtElement, AtElementFilter, OfInstance, OfInstanceFilter
from tasks.variable_search import VariableFilter


class ProcessInstanceShape(Shape):
    """A process instance, live or ended."""

    process_instance_key: KeyText
    process_definition_id: str
    process_definition_key: KeyText
    process_definition_name: str | None
    process_definition_version: int
    process_definition_version_tag: str | None
    start_date: InstantText
    end_date: NullableInstantText
    state: str
    has_incident: bool
    parent_process_instance_key: NullableKeyText
    parent_element_instance_key: NullableKeyText
    root_process_instance_key: KeyText
    suspended_date: NullableInstantText
    tags: list[str] = Field(default_factory=list)
    business_id: str | None = None
    tenant_id: str = DEFAULT_TENANT


class ProcessInstanceFilter(OfInstanceFilter):
    """What process instances are searched by; all that is given must hold."""

    process_definition_name: TextCondition | None = None
    process_definition_version: NumberCondition | None = None
    process_definition_version_tag: TextCondition | None = None
    start_date: InstantCondition | None = None
    end_date: InstantCondition | None = None
    suspended_date: InstantCondition | None = None
    state: TextCondition | None = None
    #: Batch operations that have it among their items.
    batch_operation_key: KeyCondition | None = None
    #: Camunda 8's older name of the same.
    batch_operation_id: KeyCondition | None = None
    has_incident: bool | None = None
    parent_process_instance_key: KeyCondition | None = None
    parent_element_instance_key: KeyCondition | None = None
    variables: list[VariableFilter] = Field(default_factory=list, max_length=20)
    error_message: TextCondition | None = None
    has_retries_left: bool | None = None
    #: These three are of one and the same element instance.
    element_id: TextCondition | None = None
    element_instance_state: TextCondition | None = None
    has_element_instance_incident: bool | None = None
    #: Alternatives, of which one must hold besides the rest.
    or_: list[ProcessInstanceFilter] = Field(default_factory=list, alias="$or", max_length=20)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.batch_operation_key is not None and self.batch_operation_id is not None:
            raise ValueError("name batch operations either by batchOperationKey or by batchOperationId")
        return self


class ProcessInstanceQuery(
    SearchQuery[
        ProcessInstanceFilter,
        Literal[
            "processInstanceKey",
            "processDefinitionId",
            "processDefinitionKey",
            "processDefinitionName",
            "processDefinitionVersion",
            "processDefinitionVersionTag",
            "parentProcessInstanceKey",
            "parentElementInstanceKey",
            "startDate",
            "endDate",
            "suspendedDate",
            "state",
            "hasIncident",
            "tenantId",
        ],
    ]
):
    """A search of process instances."""


class ElementInstanceShape(AtElement):
    """One visit of an element by a token."""

    element_name: str
    type: str
    state: str
    start_date: InstantText
    end_date: NullableInstantText
    has_incident: bool
    incident_key: NullableKeyText


class ElementInstanceFilter(AtElementFilter):
    """What element instances are searched by; all that is given must hold."""

    element_instance_scope_key: KeyCondition | None = None
    type: TextCondition | None = None
    state: TextCondition | None = None
    start_date: InstantCondition | None = None
    end_date: InstantCondition | None = None
    incident_key: KeyCondition | None = None
    has_incident: bool | None = None
    #: Alternatives, of which one must hold besides the rest.
    or_: list[ElementInstanceFilter] = Field(default_factory=list, alias="$or", max_length=20)


class ElementInstanceQuery(
    SearchQuery[
        ElementInstanceFilter,
        Literal[
            "elementInstanceKey",
            "processInstanceKey",
            "processDefinitionId",
            "processDefinitionKey",
            "elementId",
            "type",
            "state",
            "startDate",
            "endDate",
            "incidentKey",
            "tenantId",
        ],
    ]
):
    """A search of element instances."""


class IncidentShape(AtElement):
    """An incident, open or resolved."""

    incident_key: KeyText
    error_type: str
    error_message: str
    state: str
    creation_time: InstantText
    job_key: NullableKeyText


class IncidentFilter(AtElementFilter):
    """What incidents are searched by; all that is given must hold."""

    incident_key: KeyCondition | None = None
    error_type: TextCondition | None = None
    error_message: TextCondition | None = None
    state: TextCondition | None = None
    creation_time: InstantCondition | None = None
    job_key: KeyCondition | None = None


class IncidentQuery(
    SearchQuery[
        IncidentFilter,
        Literal[
            "incidentKey",
            "processInstanceKey",
            "processDefinitionId",
            "processDefinitionKey",
            "elementId",
            "elementInstanceKey",
            "errorType",
            "state",
            "creationTime",
            "jobKey",
            "tenantId",
        ],
    ]
):
    """A search of incidents."""


class TakenFlow(OfInstance):
    """A sequence flow that a token has taken."""

    sequence_flow_id: str
    element_id: str


class TakenFlows(Shape):
    """The way through a process instance."""

    items: list[TakenFlow]


class HierarchyEntry(Shape):
    """A process instance on the way from the outermost caller."""

    process_instance_key: KeyText
    process_definition_key: KeyText
    process_definition_name: str


class ElementStatistics(Shape):
    """How often an element was visited, by what became of it."""

    element_id: str
    active: int
    canceled: int
    incidents: int
    completed: int


class ElementStatisticsList(Shape):
    """The statistics of each element that was visited."""

    items: list[ElementStatistics]


class Intervention(Request):
    """A request that needs nothing; the reference is for the caller's own records."""

    operation_reference: int | None = Field(None, ge=1)


class VariableChange(Request):
    """Variables to set in a scope; `local`: in exactly that one, else from there outward."""

    variables: Variables
    local: bool = False
    operation_reference: int | None = Field(None, ge=1)
