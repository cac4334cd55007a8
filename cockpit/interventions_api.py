"""JSON endpoints with which managers change the course of process instances."""

from __future__ import annotations

from flask import Blueprint

from cockpit import batches, interventions, search
from cockpit.intervention_shapes import AdHocActivation, Migration, Modification, Restart
from cockpit.shapes import Intervention, ProcessInstanceShape
from database import transaction
from database.extension import db
from database.rest import endpoint
from engine.migration import MigrationPlan
from people.login import signed_in_user
from tasks.shapes import BatchShape

blueprint = Blueprint("interventions_api", __name__)

#: What the history of a case says of a program's intervention: Camunda 8's API has no place for a reason.
REASON = "API"


@blueprint.post("/v2/process-instances/<int:key>/modification")
@endpoint
def modify_process_instance(key: int, modification: Modification) -> None:
    """Activate, move and terminate elements of a process instance."""
    with transaction(db.session()) as session:
        interventions.modify(session, signed_in_user(), key, modification, REASON)


@blueprint.post("/v2/process-instances/<int:key>/migration")
@endpoint
def migrate_process_instance(key: int, migration: Migration) -> None:
    """Fit a process instance to another version of its process."""
    plan = MigrationPlan(migration.target_process_definition_key, migration.mapping())
    with transaction(db.session()) as session:
        interventions.migrate(session, signed_in_user(), key, plan, REASON)


@blueprint.post("/v2/process-instances/<int:key>/suspension")
@endpoint
def suspend_process_instance(key: int, intervention: Intervention) -> None:
    """Let a process instance stand still until it is resumed."""
    with transaction(db.session()) as session:
        interventions.suspend(session, signed_in_user(), key, REASON)


@blueprint.post("/v2/process-instances/<int:key>/resumption")
@endpoint
def resume_process_instance(key: int, intervention: Intervention) -> None:
    """Let a suspended process instance go on."""
    with transaction(db.session()) as session:
        interventions.resume(session, signed_in_user(), key, REASON)


@blueprint.post("/v2/process-instances/<int:key>/deletion")
@endpoint
def delete_process_instance(key: int, intervention: Intervention) -> None:
    """Let the next clean-up archive and remove a process instance that has ended."""
    with transaction(db.session()) as session:
        interventions.delete(session, signed_in_user(), key, REASON)


@blueprint.post("/v2/process-instances/<int:key>/incident-resolution")
@endpoint
def resolve_process_instance_incidents(key: int) -> BatchShape:
    """Let the engine try again everything that has failed in a process instance."""
    user = signed_in_user()
    with transaction(db.session()) as session:
        return BatchShape.of(batches.resolve_incidents(session, user, key, REASON))


@blueprint.post("/v2/element-instances/ad-hoc-activities/<int:key>/activation")
@endpoint
def activate_ad_hoc_activities(key: int, activation: AdHocActivation) -> None:
    """Start activities in an ad-hoc sub-process."""
    elements = [(element.element_id, element.variables) for element in activation.elements]
    cancel_remaining = activation.cancel_remaining_instances
    with transaction(db.session()) as session:
        interventions.activate_ad_hoc(session, signed_in_user(), key, elements, cancel_remaining=cancel_remaining)


@blueprint.post("/api/process-instances/<int:key>/restart")
@endpoint
def restart_process_instance(key: int, restart: Restart) -> ProcessInstanceShape:
    """Start a new process instance with the variables of one that has ended, before the elements that are named."""
    user = signed_in_user()
    with transaction(db.session()) as session:
        new = interventions.restart(session, user, key, restart, REASON)
    return search.process_instance(db.session(), user, new)
