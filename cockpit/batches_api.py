"""JSON endpoints with which managers do the same to many process instances, and look how far it is."""

from __future__ import annotations

from flask import Blueprint

from cockpit import batch_search, batches
from cockpit.batch_shapes import (
    BatchItemQuery,
    BatchItemShape,
    BatchOperationQuery,
    BatchOperationShape,
    BatchRequest,
    MigrationBatch,
    ModificationBatch,
    PreviewList,
    PreviewRequest,
    SuggestedMapping,
)
from cockpit.intervention_shapes import ElementMapping
from cockpit.interventions_api import REASON
from cockpit.shapes import Intervention
from database import transaction
from database.extension import db
from database.rest import KeyText, Results, endpoint
from engine.batch_kinds import (
    CancelInstances,
    DeleteInstances,
    Kind,
    MigrateInstances,
    ModifyInstances,
    ResolveIncidents,
    ResumeInstances,
    SuspendInstances,
)
from people.login import signed_in_user
from tasks.shapes import BatchShape

blueprint = Blueprint("batches_api", __name__)


def _begin(kind: Kind, wanted: BatchRequest) -> BatchShape:
    user = signed_in_user()
    with transaction(db.session()) as session:
        return BatchShape.of(batches.begin_for(session, user, kind, wanted.filter, wanted.reason or REASON))


@blueprint.post("/v2/process-instances/cancellation")
@endpoint
def cancel_process_instances(wanted: BatchRequest) -> BatchShape:
    """End process instances that no other has called, and everything in them."""
    return _begin(CancelInstances(), wanted)


@blueprint.post("/v2/process-instances/suspension")
@endpoint
def suspend_process_instances(wanted: BatchRequest) -> BatchShape:
    """Let process instances that no other has called stand still, with those that they have called."""
    return _begin(SuspendInstances(), wanted)


@blueprint.post("/v2/process-instances/resumption")
@endpoint
def resume_process_instances(wanted: BatchRequest) -> BatchShape:
    """Let suspended process instances go on."""
    return _begin(ResumeInstances(), wanted)


@blueprint.post("/v2/process-instances/incident-resolution")
@endpoint
def resolve_incidents(wanted: BatchRequest) -> BatchShape:
    """Let the engine try again everything that has failed in process instances."""
    return _begin(ResolveIncidents(), wanted)


@blueprint.post("/v2/process-instances/deletion")
@endpoint
def delete_process_instances(wanted: BatchRequest) -> BatchShape:
    """Let the next clean-up archive and remove process instances that have ended."""
    return _begin(DeleteInstances(), wanted)


@blueprint.post("/v2/process-instances/migration")
@endpoint
def migrate_process_instances(wanted: MigrationBatch) -> BatchShape:
    """Fit process instances to another version of their process."""
    plan = wanted.migration_plan
    return _begin(MigrateInstances(plan.target_process_definition_key, plan.mapping()), wanted)


@blueprint.post("/v2/process-instances/modification")
@endpoint
def modify_process_instances(wanted: ModificationBatch) -> BatchShape:
    """Move the tokens of process instances from elements to others."""
    moves = [(move.source_element_id, move.target_element_id) for move in wanted.move_instructions]
    return _begin(ModifyInstances(moves), wanted)


@blueprint.post("/api/process-instances/migration/preview")
@endpoint
def preview_migration(wanted: PreviewRequest) -> PreviewList:
    """Say what a migration would do with each process instance; nothing is changed."""
    return batches.preview(db.session(), signed_in_user(), wanted)


@blueprint.get("/api/process-definitions/<int:key>/migration-plan")
@endpoint
def suggest_migration_plan(key: int, target_process_definition_key: KeyText = 0) -> SuggestedMapping:
    """Map what has the same id in this and in another version, as far as it fits."""
    found = batches.suggested(db.session(), signed_in_user(), key, target_process_definition_key)
    return SuggestedMapping(
        mapping_instructions=[
            ElementMapping(source_element_id=source, target_element_id=target) for source, target in found.items()
        ]
    )


@blueprint.post("/v2/batch-operations/search")
@endpoint
def search_batch_operations(query: BatchOperationQuery) -> Results[BatchOperationShape]:
    """Search batch operations."""
    return batch_search.operations(db.session(), signed_in_user(), query)


@blueprint.get("/v2/batch-operations/<int:key>")
@endpoint
def get_batch_operation(key: int) -> BatchOperationShape:
    """Get a batch operation."""
    return batch_search.operation(db.session(), signed_in_user(), key)


@blueprint.post("/v2/batch-operations/<int:key>/cancellation")
@endpoint
def cancel_batch_operation(key: int, intervention: Intervention) -> None:
    """Leave undone what a batch operation has not done yet."""
    with transaction(db.session()) as session:
        batches.cancel(session, signed_in_user(), key)


@blueprint.post("/v2/batch-operations/<int:key>/suspension")
@endpoint
def suspend_batch_operation(key: int, intervention: Intervention) -> None:
    """Hold a batch operation up until it is resumed."""
    with transaction(db.session()) as session:
        batches.suspend(session, signed_in_user(), key)


@blueprint.post("/v2/batch-operations/<int:key>/resumption")
@endpoint
def resume_batch_operation(key: int, intervention: Intervention) -> None:
    """Let a suspended batch operation go on."""
    with transaction(db.session()) as session:
        batches.resume(session, signed_in_user(), key)


@blueprint.post("/v2/batch-operation-items/search")
@endpoint
def search_batch_operation_items(query: BatchItemQuery) -> Results[BatchItemShape]:
    """Search the items of batch operations: what became of each, and why one failed."""
    return batch_search.items(db.session(), signed_in_user(), query)
