"""One case from deployment to its end, all of it through Camunda's published client."""

from __future__ import annotations

from camunda_orchestration_sdk.models import (
    ProcessCreationById,
    ProcessInstanceCreationInstructionBaseVariables,
    UserTaskCompletionRequest,
    UserTaskCompletionRequestVariables,
    UserTaskSearchQuery,
    UserTaskSearchQueryFilter,
    UserTaskStateExactMatch,
)

from tests.api.conftest import Connect, deploy, repair_files


def test_a_case_goes_from_deployment_to_its_end_through_the_client(connect: Connect) -> None:
    deployed = deploy(connect("owner"), *repair_files())
    assert {item.process_definition.process_definition_id for item in deployed.deployments if item.process_definition}

    wang, zhang = connect("wang"), connect("zhang")
    variables = ProcessInstanceCreationInstructionBaseVariables.from_dict({"plate": "粤B12345", "kind": "small"})
    created = wang.create_process_instance(
        data=ProcessCreationById(process_definition_id="car-repair", variables=variables)
    )

    for person, element, entered in ((wang, "estimate", {"price": 120.5}), (zhang, "repair", {}), (wang, "settle", {})):
        mine = UserTaskSearchQueryFilter(
            process_instance_key=created.process_instance_key, state=UserTaskStateExactMatch.CREATED
        )
        found = person.search_user_tasks(data=UserTaskSearchQuery(filter_=mine))
        assert [task.element_id for task in found.items] == [element]
        completion = UserTaskCompletionRequestVariables.from_dict(entered)
        person.complete_user_task(
            user_task_key=found.items[0].user_task_key, data=UserTaskCompletionRequest(variables=completion)
        )
