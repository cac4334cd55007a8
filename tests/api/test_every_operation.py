"""Every operation of Camunda's published client: what is there works, and what is not there is said in the manual."""

from __future__ import annotations

import io
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import pytest
from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.models import CreateDeploymentData, ExpressionEvaluationRequest
from camunda_orchestration_sdk.types import File
from flask import Flask
from werkzeug.exceptions import HTTPException

from database.rest.endpoint import OPERATIONS
from processes.service import Resource
from tests.api.conftest import Connect, repair_files
from tests.api.sdk import Driver, filter_of, members, operations, sorted_by
from tests.api.test_decisions import DISCOUNT
from tests.diagrams import boundary, catches, chain, diagram, end, error, message, node, service, signal, start, user
from tests.play import Player
from tests.tasks.conftest import RECEPTION

_MANUAL = Path(__file__).parents[2] / "docs/api.md"

_SHUT = (
    "<bpmn:conditionalEventDefinition><bpmn:condition>=stock &lt; 10</bpmn:condition></bpmn:conditionalEventDefinition>"
)


@pytest.fixture
def there(app: Flask) -> set[str]:
    """The operations that the server has."""
    routes = app.url_map.bind("localhost")
    found = set()
    for name, operation in operations().items():
        try:
            routes.match(re.sub(r"\{\w+\}", "1", operation.path), method=operation.method)
        except HTTPException:
            continue
        found.add(name)
    return found


def test_the_manual_says_what_is_not_there(there: set[str]) -> None:
    section = _MANUAL.read_text("utf-8").partition("## What there is not")[2].partition("\n## ")[0]
    patterns = [
        path
        for row in section.splitlines()
        if row.startswith("| `")
        for path in re.findall("`([^`]+)`", row.split("|")[1])
    ]
    missing = {
        f"{operation.method} {operation.path}": operation.path
        for name, operation in operations().items()
        if name not in there
    }
    unsaid = [text for text, path in missing.items() if not any(fnmatchcase(path, pattern) for pattern in patterns)]
    assert unsaid == []
    idle = [pattern for pattern in patterns if not any(fnmatchcase(path, pattern) for path in missing.values())]
    assert idle == []


def _annotated(model: Any, name: str) -> Any:
    """Return the model that a property of ours has, which may be null or a list."""
    kinds = [model.model_fields[name].annotation]
    while kinds and not hasattr(kinds[0], "model_fields"):
        kinds = [inner for kind in kinds for inner in get_args(kind) if inner is not type(None)]
    return kinds[0]


def _names(model: Any) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_the_manual_says_what_requests_cannot_name(app: Flask, there: set[str]) -> None:
    routes = app.url_map.bind("localhost")
    gaps: set[str] = set()
    for name in there:
        operation = operations()[name]
        endpoint, _ = routes.match(re.sub(r"\{\w+\}", "1", operation.path), method=operation.method)
        body = OPERATIONS[app.view_functions[endpoint]].body
        if body is None or not operation.bodies:
            continue
        asked = operation.bodies[0]
        gaps |= members(asked) - _names(body)
        if (wanted := filter_of(asked)) is not None:
            gaps |= members(wanted) - _names(_annotated(body, "filter"))
        if by := sorted_by(asked):
            gaps |= by - set(get_args(_annotated(body, "sort").model_fields["field"].annotation))
    said = _MANUAL.read_text("utf-8").partition("- Requests do not know")[2].partition("\n- ")[0]
    assert gaps == set(re.findall("`([^`]+)`", said))


def _files() -> list[Resource]:
    called = '<zeebe:calledDecision decisionId="discount" resultVariable="discount"/>'
    work = diagram(
        start(),
        service("print", "print"),
        boundary("jam", "print", catches("error", "JAM")),
        node("businessRuleTask", "rule", extensions=called),
        node("intermediateCatchEvent", "paid", catches("message", "paid")),
        node("intermediateCatchEvent", "open", catches("signal", "open")),
        node("adHocSubProcess", "any", user("x") + user("y")),
        end(),
        end("jammed"),
        chain("start", "print", "rule", "paid", "open", "any", "end"),
        chain("jam", "jammed"),
        process_id="work",
        extra=error("JAM") + message("paid", "=order") + signal("open"),
    )
    order = diagram(start(inside=_SHUT), user("buy"), end(), chain("start", "buy", "end"), process_id="order")
    return [*repair_files(), work, order, Resource("prices.dmn", DISCOUNT.encode())]


def test_every_operation_that_is_there_works(connect: Connect, play: Player, there: set[str]) -> None:
    called: set[str] = set()

    def signed_in(name: str) -> Driver:
        client: CamundaClient = connect(name)
        return Driver(client, called)

    boss, robot, root, wang = (signed_in(name) for name in ("boss", "robot", "root", "wang"))
    _definitions(signed_in("owner"), wang)
    _server(root, wang)
    _user_tasks(boss, wang)
    _jobs_and_events(boss, robot)
    _repair(boss, robot, play)
    _course(boss, play)
    _many(boss, play)
    assert there - called == set()


def _definitions(owner: Driver, wang: Driver) -> None:
    files = [File(payload=io.BytesIO(file.content), file_name=file.name) for file in _files()]
    deployed = owner.create_deployment(data=CreateDeploymentData(resources=files))
    assert len(deployed.deployments) == 9
    processes = wang.search_process_definitions({"filter": {"processDefinitionId": "car-repair"}}).items
    key = processes[0].process_definition_key
    assert wang.get_process_definition(process_definition_key=key) == processes[0]
    assert "<bpmn:process" in wang.get_process_definition_xml(process_definition_key=key)
    form = wang.get_start_process_form(process_definition_key=key)
    assert wang.get_form_by_key(form_key=form.form_key).form_id == form.form_id
    (decision,) = wang.search_decision_definitions({"filter": {"decisionDefinitionId": "discount"}}).items
    key = decision.decision_definition_key
    assert wang.get_decision_definition(decision_definition_key=key) == decision
    assert "decisionTable" in wang.get_decision_definition_xml(decision_definition_key=key)
    (requirements,) = wang.search_decision_requirements().items
    key = requirements.decision_requirements_key
    assert wang.get_decision_requirements(decision_requirements_key=key) == requirements
    assert wang.get_decision_requirements_xml(decision_requirements_key=key) == DISCOUNT
    made = wang.evaluate_decision({"decisionDefinitionId": "discount", "variables": {"hours": 2}})
    kept = wang.search_decision_instances({"filter": {"decisionEvaluationKey": made.decision_evaluation_key}}).items
    assert len(kept) == 2
    instance = kept[0].decision_evaluation_instance_key
    assert wang.get_decision_instance(decision_evaluation_instance_key=instance).result == "120"
    assert wang.evaluate_expression(data=ExpressionEvaluationRequest(expression="=1 + 2")).result == 3


def _server(root: Driver, wang: Driver) -> None:
    assert wang.get_topology().cluster_size == 1
    wang.get_status()
    assert wang.get_license().valid_license
    assert wang.get_authentication().username == "wang"
    assert [user.username for user in root.search_users({"filter": {"username": "boss"}}).items] == ["boss"]
    assert root.get_user(username="wang").name == "王芳"
    assert RECEPTION in [group.group_id for group in root.search_groups().items]
    assert root.get_group(group_id=RECEPTION).group_id == RECEPTION
    assert "wang" in [user.username for user in root.search_users_for_group(group_id=RECEPTION).items]
    root.reset_clock()
    root.pin_clock({"timestamp": 1_741_000_000_000})


def _user_tasks(boss: Driver, wang: Driver) -> None:
    wang.create_process_instance({"processDefinitionId": "car-repair", "variables": {"plate": "粤B12345"}})
    (task,) = wang.search_user_tasks({"filter": {"state": "CREATED"}}).items
    key = task.user_task_key
    assert wang.get_user_task_form(user_task_key=key).form_id == "estimate-form"
    boss.update_user_task({"changeset": {"priority": 80}}, user_task_key=key)
    boss.assign_user_task({"assignee": "wang"}, user_task_key=key)
    boss.unassign_user_task(user_task_key=key)
    assert wang.get_user_task(user_task_key=key).priority == 80
    for search in (wang.search_user_task_effective_variables, wang.search_user_task_variables):
        assert "plate" in [row.name for row in search(user_task_key=key).items]
    wang.complete_user_task({"variables": {"price": 5}}, user_task_key=key)
    assert wang.get_user_task(user_task_key=key).state.value == "COMPLETED"


def _jobs_and_events(boss: Driver, robot: Driver) -> None:
    wanted = {"type": "print", "timeout": 60_000, "maxJobsToActivate": 1, "requestTimeout": -1}
    body = {"processDefinitionId": "work", "variables": {"order": "A-1", "hours": 1}}
    first, second = (boss.create_process_instance(body).process_instance_key for _ in range(2))
    (job,) = robot.activate_jobs(wanted).jobs
    robot.update_job({"changeset": {"retries": 5}}, job_key=job.job_key)
    robot.fail_job({"retries": 4, "errorMessage": "no paper"}, job_key=job.job_key)
    (job,) = robot.activate_jobs(wanted).jobs
    assert (job.retries, job.process_instance_key) == (4, first)
    robot.complete_job({"variables": {"printed": True}}, job_key=job.job_key)
    (job,) = robot.activate_jobs(wanted).jobs
    robot.throw_job_error({"errorCode": "JAM"}, job_key=job.job_key)
    assert boss.get_process_instance(process_instance_key=second).state.value == "COMPLETED"
    assert {found.state.value for found in robot.search_jobs().items} == {"COMPLETED", "ERROR_THROWN"}
    reached = robot.correlate_message({"name": "paid", "correlationKey": "A-1"})
    assert reached.process_instance_key == first
    assert robot.publish_message({"name": "paid", "correlationKey": "B-1", "timeToLive": 1000}).message_key
    robot.broadcast_signal({"signalName": "open"})
    visits = {"processInstanceKey": first, "elementId": "any", "state": "ACTIVE"}
    (scope,) = boss.search_element_instances({"filter": visits}).items
    key = scope.element_instance_key
    assert boss.get_element_instance(element_instance_key=key) == scope
    activation = {"elements": [{"elementId": "x"}]}
    boss.activate_ad_hoc_sub_process_activities(activation, ad_hoc_sub_process_instance_key=key)
    assert "x" in [task.element_id for task in boss.search_user_tasks({"filter": {"state": "CREATED"}}).items]
    (started,) = robot.evaluate_conditionals({"variables": {"stock": 3}}).process_instances
    assert boss.get_process_instance(process_instance_key=started.process_instance_key).process_definition_id == "order"
    assert robot.evaluate_conditionals({"variables": {"stock": 30}}).process_instances == []


def _repair(boss: Driver, robot: Driver, play: Player) -> None:
    key = boss.create_process_instance({"processDefinitionId": "work"}).process_instance_key
    (job,) = robot.search_jobs({"filter": {"processInstanceKey": key}}).items
    robot.fail_job({"retries": 0, "errorMessage": "on fire"}, job_key=job.job_key)
    (incident,) = boss.search_incidents({"filter": {"processInstanceKey": key}}).items
    assert boss.get_incident(incident_key=incident.incident_key) == incident
    assert boss.search_process_instance_incidents({}, process_instance_key=key).items == [incident]
    at = incident.element_instance_key
    assert boss.search_element_instance_incidents({}, element_instance_key=at).items == [incident]
    boss.create_element_instance_variables({"variables": {"paper": "A4"}}, element_instance_key=key)
    (variable,) = boss.search_variables({"filter": {"name": "paper"}}).items
    assert boss.get_variable(variable_key=variable.variable_key).value == '"A4"'
    boss.resolve_incident({}, incident_key=incident.incident_key)
    robot.fail_job({"retries": 0}, job_key=job.job_key)
    done = boss.resolve_process_instance_incidents(process_instance_key=key)
    play.run_due()
    assert boss.get_batch_operation(batch_operation_key=done.batch_operation_key).operations_completed_count == 1


def _course(boss: Driver, play: Player) -> None:
    key = boss.create_process_instance({"processDefinitionId": "order", "startInstructions": [{"elementId": "buy"}]})
    instance = {"process_instance_key": key.process_instance_key}
    boss.suspend_process_instance({}, **instance)
    boss.resume_process_instance({}, **instance)
    boss.modify_process_instance({"activateInstructions": [{"elementId": "buy"}]}, **instance)
    plan = {
        "targetProcessDefinitionKey": key.process_definition_key,
        "mappingInstructions": [{"sourceElementId": "buy", "targetElementId": "buy"}],
    }
    boss.migrate_process_instance(plan, **instance)
    (counted,) = boss.get_process_instance_statistics(**instance).items
    assert (counted.element_id, counted.active) == ("buy", 2)
    assert boss.get_process_instance_sequence_flows(**instance).items == []
    assert len(boss.get_process_instance_call_hierarchy(**instance)) == 1
    boss.cancel_process_instance({}, **instance)
    assert boss.get_process_instance(**instance).state.value == "TERMINATED"
    boss.delete_process_instance({}, **instance)


def _many(boss: Driver, play: Player) -> None:
    orders = {"filter": {"processDefinitionId": "order", "state": "ACTIVE"}}
    (order,) = boss.search_process_instances(orders).items
    plan = {"targetProcessDefinitionKey": order.process_definition_key, "mappingInstructions": []}
    plan["mappingInstructions"] = [{"sourceElementId": "buy", "targetElementId": "buy"}]
    moves = [{"sourceElementId": "buy", "targetElementId": "buy"}]
    suspended = {"filter": {"processDefinitionId": "order", "state": "SUSPENDED"}}
    begun = []
    for begin in (
        lambda: boss.suspend_process_instances_batch_operation(orders),
        lambda: boss.resume_process_instances_batch_operation(suspended),
        lambda: boss.migrate_process_instances_batch_operation({**orders, "migrationPlan": plan}),
        lambda: boss.modify_process_instances_batch_operation({**orders, "moveInstructions": moves}),
        lambda: boss.cancel_process_instances_batch_operation(orders),
        lambda: boss.resolve_incidents_batch_operation({"filter": {"hasIncident": True}}),
        lambda: boss.update_jobs_batch_operation({"filter": {"type": "print"}, "changeset": {"retries": 2}}),
    ):
        begun.append(begin().batch_operation_key)
        play.run_due()
    for key in begun[:5]:
        assert [
            item.state.value for item in boss.search_batch_operation_items({"filter": {"batchOperationKey": key}}).items
        ] == ["COMPLETED"]
    gone = boss.delete_process_instances_batch_operation({"filter": {"processDefinitionId": "order"}})
    play.run_due()
    operation = boss.get_batch_operation(batch_operation_key=gone.batch_operation_key)
    assert (operation.operations_completed_count, operation.operations_failed_count) == (2, 0)
    held = boss.cancel_process_instances_batch_operation(
        {"filter": {"processDefinitionId": "work"}}
    ).batch_operation_key
    boss.suspend_batch_operation(batch_operation_key=held)
    boss.resume_batch_operation(batch_operation_key=held)
    boss.cancel_batch_operation(batch_operation_key=held)
    assert [
        found.batch_operation_key for found in boss.search_batch_operations({"filter": {"state": "CANCELED"}}).items
    ] == [held]
