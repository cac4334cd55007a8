"""Messages and signals as the API takes them (Camunda 8.9's shapes)."""

from __future__ import annotations

from pydantic import Field

from database.rest import DEFAULT_TENANT, KeyText, NullableKeyText, Request, Shape, Tenant, Variables
from engine.variables import LONGEST_NAME


class Publication(Request):
    """A message; it is kept for `time_to_live` milliseconds for a receiver that is not there yet."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    correlation_key: str = Field("", max_length=LONGEST_NAME)
    time_to_live: int = Field(0, ge=0, le=366 * 24 * 3600 * 1000)
    message_id: str | None = Field(None, max_length=LONGEST_NAME)
    variables: Variables = Field(default_factory=dict)
    tenant_id: Tenant | None = None


class PublicationShape(Shape):
    """A message that was published."""

    message_key: KeyText
    tenant_id: str = DEFAULT_TENANT


class Correlation(Request):
    """A message that must reach somebody now."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    correlation_key: str = Field("", max_length=LONGEST_NAME)
    variables: Variables = Field(default_factory=dict)
    tenant_id: Tenant | None = None


class CorrelationShape(Shape):
    """A message that has reached a process instance."""

    message_key: KeyText
    process_instance_key: KeyText
    tenant_id: str = DEFAULT_TENANT


class Broadcast(Request):
    """A signal."""

    signal_name: str = Field(min_length=1, max_length=LONGEST_NAME)
    variables: Variables = Field(default_factory=dict)
    tenant_id: Tenant | None = None


class BroadcastShape(Shape):
    """A signal that was broadcast."""

    signal_key: KeyText
    tenant_id: str = DEFAULT_TENANT


class Circumstances(Request):
    """Variables with which conditional start events are looked at: those of all processes, or of one."""

    variables: Variables
    process_definition_key: NullableKeyText = None
    tenant_id: Tenant | None = None


class StartedInstance(Shape):
    """An instance that a condition has started."""

    process_definition_key: KeyText
    process_instance_key: KeyText


class CircumstancesShape(Shape):
    """What has begun because of the circumstances; nothing where no condition held."""

    conditional_evaluation_key: KeyText
    process_instances: list[StartedInstance]
    tenant_id: str = DEFAULT_TENANT
