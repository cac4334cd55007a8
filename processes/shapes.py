"""Deployments, process definitions and decisions as the API shows them (Camunda 8.9's shapes)."""

from __future__ import annotations

from typing import Literal

from database.rest import (
    DEFAULT_TENANT,
    KeyCondition,
    KeyText,
    NumberCondition,
    Request,
    SearchQuery,
    Shape,
    TextCondition,
)


class DeployedProcess(Shape):
    """A process of a deployment."""

    process_definition_id: str
    process_definition_key: KeyText
    process_definition_version: int
    resource_name: str
    tenant_id: str = DEFAULT_TENANT


class DeployedForm(Shape):
    """A form of a deployment."""

    form_id: str
    form_key: KeyText
    version: int
    resource_name: str
    tenant_id: str = DEFAULT_TENANT


class DeployedDecision(Shape):
    """A decision of a deployment."""

    decision_definition_id: str
    decision_definition_key: KeyText
    version: int
    name: str
    decision_requirements_id: str
    decision_requirements_key: KeyText
    tenant_id: str = DEFAULT_TENANT


class DeployedRequirements(Shape):
    """A DMN file of a deployment."""

    decision_requirements_id: str
    decision_requirements_key: KeyText
    decision_requirements_name: str
    version: int
    resource_name: str
    tenant_id: str = DEFAULT_TENANT


class DeployedResource(Shape):
    """One thing that was deployed; exactly one member is there."""

    process_definition: DeployedProcess | None = None
    decision_definition: DeployedDecision | None = None
    decision_requirements: DeployedRequirements | None = None
    form: DeployedForm | None = None
    #: Files that are none of these are not deployed here.
    resource: None = None


class Finding(Shape):
    """Something about a resource that does not hinder its deployment, but should be looked at."""

    resource: str | None
    element_id: str | None
    line: int | None
    severity: str
    message: str


class DeploymentShape(Shape):
    """What a deployment has made, or found unchanged; `warnings` are ours."""

    deployment_key: KeyText
    deployments: list[DeployedResource]
    warnings: list[Finding]
    tenant_id: str = DEFAULT_TENANT


class ProcessDefinitionShape(Shape):
    """One version of a process."""

    process_definition_id: str
    process_definition_key: KeyText
    name: str | None
    version: int
    version_tag: str | None
    resource_name: str
    has_start_form: bool
    state: Literal["ACTIVE"] = "ACTIVE"
    tenant_id: str = DEFAULT_TENANT


class ProcessDefinitionFilter(Request):
    """What process definitions are searched by; all that is given must hold."""

    process_definition_id: TextCondition | None = None
    process_definition_key: KeyCondition | None = None
    name: TextCondition | None = None
    resource_name: TextCondition | None = None
    version: NumberCondition | None = None
    version_tag: TextCondition | None = None
    has_start_form: bool | None = None
    is_latest_version: bool | None = None
    state: TextCondition | None = None
    tenant_id: TextCondition | None = None


class ProcessDefinitionQuery(
    SearchQuery[
        ProcessDefinitionFilter,
        Literal[
            "name", "processDefinitionId", "processDefinitionKey", "resourceName", "tenantId", "version", "versionTag"
        ],
    ]
):
    """A search of process definitions."""


class DecisionDefinitionShape(Shape):
    """One version of a decision."""

    decision_definition_id: str
    decision_definition_key: KeyText
    decision_requirements_id: str
    decision_requirements_key: KeyText
    decision_requirements_name: str
    decision_requirements_version: int
    name: str
    version: int
    tenant_id: str = DEFAULT_TENANT


class DecisionDefinitionFilter(Request):
    """What decisions are searched by; all that is given must hold."""

    decision_definition_id: TextCondition | None = None
    decision_definition_key: KeyCondition | None = None
    decision_requirements_id: TextCondition | None = None
    decision_requirements_key: KeyCondition | None = None
    decision_requirements_name: TextCondition | None = None
    decision_requirements_version: NumberCondition | None = None
    name: TextCondition | None = None
    version: NumberCondition | None = None
    is_latest_version: bool | None = None
    tenant_id: TextCondition | None = None


class DecisionDefinitionQuery(
    SearchQuery[
        DecisionDefinitionFilter,
        Literal[
            "decisionDefinitionId",
            "decisionDefinitionKey",
            "decisionRequirementsId",
            "decisionRequirementsKey",
            "decisionRequirementsName",
            "decisionRequirementsVersion",
            "name",
            "tenantId",
            "version",
        ],
    ]
):
    """A search of decisions."""
