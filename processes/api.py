"""JSON endpoints of definitions: deployment, process definitions and decisions."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint

from database import transaction
from database.extension import db
from database.rest import Files, Results, Xml, endpoint
from engine.problems import Problem
from people import service as people
from people.errors import Forbidden
from people.login import signed_in_user
from people.permissions import may_deploy
from processes import deciding, search, service
from processes.decision_shapes import (
    DecisionRequest,
    DecisionRequirementsQuery,
    DecisionRequirementsShape,
    DecisionResult,
)
from processes.service import Deployed, Resource
from processes.shapes import (
    DecisionDefinitionQuery,
    DecisionDefinitionShape,
    DeployedDecision,
    DeployedForm,
    DeployedProcess,
    DeployedRequirements,
    DeployedResource,
    DeploymentShape,
    Finding,
    ProcessDefinitionQuery,
    ProcessDefinitionShape,
)
from tasks.shapes import FormShape

blueprint = Blueprint("processes_api", __name__, url_prefix="/v2")

#: Most bytes of a deployment: more than of any other request, so that the gate can say which file is too large.
LARGEST_DEPLOYMENT = 64 * 1024 * 1024


@blueprint.post("/deployments")
@endpoint
def create_deployment(files: Files) -> DeploymentShape:
    """Deploy the files of a multipart request (parts named `resources`) as one unit: all of them, or none."""
    user = signed_in_user()
    if not may_deploy(user):
        raise Forbidden("Only process owners deploy.")
    resources = [Resource(file.name, file.content) for file in files.read(LARGEST_DEPLOYMENT)]
    with transaction(db.session()) as session:
        groups = {group.id for group in people.list_groups(session)}
        return _shape(service.deploy(session, resources, user.username, groups))


@blueprint.post("/process-definitions/search")
@endpoint
def search_process_definitions(query: ProcessDefinitionQuery) -> Results[ProcessDefinitionShape]:
    """Search the versions of all processes."""
    return search.process_definitions(db.session(), query)


@blueprint.get("/process-definitions/<int:key>")
@endpoint
def get_process_definition(key: int) -> ProcessDefinitionShape:
    """Get one version of a process."""
    return search.render_process(search.process_definition(db.session(), key))


@blueprint.get("/process-definitions/<int:key>/xml")
@endpoint
def get_process_definition_xml(key: int) -> Xml:
    """Get the BPMN file of one version of a process."""
    return Xml(search.process_definition(db.session(), key).xml)


@blueprint.get("/process-definitions/<int:key>/form")
@endpoint
def get_start_form(key: int) -> FormShape | None:
    """Get the form that starts a process; no content when it starts without one."""
    form = search.start_form(db.session(), key)
    return FormShape.of(form) if form is not None else None


@blueprint.post("/decision-definitions/search")
@endpoint
def search_decision_definitions(query: DecisionDefinitionQuery) -> Results[DecisionDefinitionShape]:
    """Search the versions of all decisions."""
    return search.decision_definitions(db.session(), query)


@blueprint.get("/decision-definitions/<int:key>")
@endpoint
def get_decision_definition(key: int) -> DecisionDefinitionShape:
    """Get one version of a decision."""
    return search.decision_definition(db.session(), key)


@blueprint.get("/decision-definitions/<int:key>/xml")
@endpoint
def get_decision_definition_xml(key: int) -> Xml:
    """Get the DMN file of a decision."""
    return Xml(search.decision_xml(db.session(), key))


@blueprint.post("/decision-definitions/evaluation")
@endpoint
def evaluate_decision(wanted: DecisionRequest) -> DecisionResult:
    """Make a decision with the variables given; what comes out is kept as decision instances."""
    user = signed_in_user()
    with transaction(db.session()) as session:
        return deciding.decide(session, wanted, user.username)


@blueprint.post("/decision-requirements/search")
@endpoint
def search_decision_requirements(query: DecisionRequirementsQuery) -> Results[DecisionRequirementsShape]:
    """Search the versions of all DMN files."""
    return search.decision_requirements(db.session(), query)


@blueprint.get("/decision-requirements/<int:key>")
@endpoint
def get_decision_requirements(key: int) -> DecisionRequirementsShape:
    """Get one version of a DMN file."""
    return search.render_requirements(search.requirements(db.session(), key))


@blueprint.get("/decision-requirements/<int:key>/xml")
@endpoint
def get_decision_requirements_xml(key: int) -> Xml:
    """Get the text of a DMN file."""
    return Xml(search.requirements(db.session(), key).xml)


def _shape(deployed: Deployed) -> DeploymentShape:
    requirements = {row.key: row for row in deployed.requirements}
    return DeploymentShape(
        deployment_key=deployed.key,
        deployments=[
            *(
                DeployedResource(
                    process_definition=DeployedProcess(
                        process_definition_id=row.process_id,
                        process_definition_key=row.key,
                        process_definition_version=row.version,
                        resource_name=row.resource_name,
                    )
                )
                for row in deployed.processes
            ),
            *(
                DeployedResource(
                    decision_definition=DeployedDecision(
                        decision_definition_id=row.decision_id,
                        decision_definition_key=row.key,
                        version=row.version,
                        name=row.name,
                        decision_requirements_id=requirements[row.requirements_key].requirements_id,
                        decision_requirements_key=row.requirements_key,
                    )
                )
                for row in deployed.decisions
            ),
            *(
                DeployedResource(
                    decision_requirements=DeployedRequirements(
                        decision_requirements_id=row.requirements_id,
                        decision_requirements_key=row.key,
                        decision_requirements_name=row.name,
                        version=row.version,
                        resource_name=row.resource_name,
                    )
                )
                for row in deployed.requirements
            ),
            *(
                DeployedResource(
                    form=DeployedForm(
                        form_id=row.form_id, form_key=row.key, version=row.version, resource_name=row.resource_name
                    )
                )
                for row in deployed.forms
            ),
        ],
        warnings=_findings(deployed.warnings),
    )


def _findings(problems: Sequence[Problem]) -> list[Finding]:
    return [
        Finding(
            resource=problem.resource,
            element_id=problem.element_id,
            line=problem.line,
            severity=problem.severity,
            message=problem.message,
        )
        for problem in problems
    ]
