"""What shapes and filters of things in a process instance have in common (Camunda 8.9's names)."""

from __future__ import annotations

from database.rest import DEFAULT_TENANT, KeyCondition, KeyText, Request, Shape, TextCondition


class OfInstance(Shape):
    """Something of a process instance."""

    process_instance_key: KeyText
    root_process_instance_key: KeyText
    process_definition_id: str
    process_definition_key: KeyText
    tenant_id: str = DEFAULT_TENANT


class AtElement(OfInstance):
    """Something at an element of a process instance."""

    element_id: str
    element_instance_key: KeyText


class OfInstanceFilter(Request):
    """What things of process instances are searched by."""

    process_instance_key: KeyCondition | None = None
    process_definition_id: TextCondition | None = None
    process_definition_key: KeyCondition | None = None
    tenant_id: TextCondition | None = None


class AtElementFilter(OfInstanceFilter):
    """What things at elements are searched by."""

    element_id: TextCondition | None = None
    element_instance_key: KeyCondition | None = None
