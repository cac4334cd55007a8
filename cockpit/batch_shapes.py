"""Batch operations as the API takes and shows them (Camunda 8.9's shapes; reasons and previews are ours)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cockpit.intervention_shapes import MOST_INSTRUCTIONS, ElementMapping, Plan
from cockpit.shapes import ProcessInstanceFilter
from database.rest import (
    InstantText,
    KeyCondition,
    KeyText,
    NullableInstantText,
    NullableKeyText,
    Request,
    SearchQuery,
    Shape,
    TextCondition,
)
from database.rest.shapes import PlainText
from engine.migrating import Step

#: Most instances of one preview.
MOST_PREVIEWED = 1000


class BatchRequest(Request):
    """For which process instances something is wished; without a criterion it would be all of them: that is refused."""

    filter: ProcessInstanceFilter
    operation_reference: int | None = Field(None, ge=1)
    #: Why, for the history of each instance.
    reason: PlainText | None = None

    @model_validator(mode="after")
    def _some_criterion(self) -> Self:
        if not self.filter.model_fields_set:
            raise ValueError("the filter needs at least one criterion")
        return self


class MigrationBatch(BatchRequest):
    """The version that the instances are migrated to, and what becomes of what is active."""

    migration_plan: Plan


class PreviewRequest(MigrationBatch):
    """A migration that is not carried out: for the first `limit` instances with keys beyond `after`."""

    limit: int = Field(100, ge=1, le=MOST_PREVIEWED)
    after: NullableKeyText = None


class MoveInBatch(Request):
    """Every token at one element goes to another, in the scope that it is in."""

    source_element_id: PlainText = Field(min_length=1)
    target_element_id: PlainText = Field(min_length=1)


class ModificationBatch(BatchRequest):
    """What is moved in each of the instances."""

    move_instructions: list[MoveInBatch] = Field(min_length=1, max_length=MOST_INSTRUCTIONS)


class BatchOperationShape(Shape):
    """A batch operation and how far it is."""

    batch_operation_key: KeyText
    batch_operation_type: str
    state: str
    start_date: NullableInstantText
    end_date: NullableInstantText
    actor_type: str | None
    actor_id: str | None
    operations_total_count: int
    operations_failed_count: int
    operations_completed_count: int
    #: Choosing the items either succeeds with the request or refuses it.
    errors: list[str] = Field(default_factory=list)


class BatchOperationFilter(Request):
    """What batch operations are searched by; all that is given must hold."""

    batch_operation_key: KeyCondition | None = None
    operation_type: TextCondition | None = None
    state: TextCondition | None = None
    actor_type: TextCondition | None = None
    actor_id: TextCondition | None = None


class BatchOperationQuery(
    SearchQuery[
        BatchOperationFilter,
        Literal["batchOperationKey", "operationType", "state", "startDate", "endDate", "actorType", "actorId"],
    ]
):
    """A search of batch operations."""


class BatchItemShape(Shape):
    """One item of a batch operation and what became of it."""

    batch_operation_key: KeyText
    operation_type: str
    item_key: KeyText
    process_instance_key: KeyText
    root_process_instance_key: KeyText
    state: str
    processed_date: NullableInstantText
    error_message: str | None


class BatchItemFilter(Request):
    """What items are searched by; all that is given must hold."""

    batch_operation_key: KeyCondition | None = None
    item_key: KeyCondition | None = None
    process_instance_key: KeyCondition | None = None
    state: TextCondition | None = None
    operation_type: TextCondition | None = None


class BatchItemQuery(
    SearchQuery[
        BatchItemFilter,
        Literal["batchOperationKey", "itemKey", "processInstanceKey", "processedDate", "state"],
    ]
):
    """A search of items."""


class PreviewedStep(Shape):
    """An active element, or an event that it waits for, and what it would become."""

    element_instance_key: KeyText
    source_element_id: str
    target_element_id: str

    @classmethod
    def of(cls, step: Step) -> Self:
        """Return the shape of a step."""
        return cls(
            element_instance_key=step.element_instance_key,
            source_element_id=step.source_id,
            target_element_id=step.target_id,
        )


class PreviewShape(Shape):
    """What a migration would do with one instance; with problems: nothing."""

    process_instance_key: KeyText
    start_date: InstantText
    problems: list[str]
    elements: list[PreviewedStep]
    #: Events that go on waiting for what they wait for.
    kept_events: list[PreviewedStep]
    #: Ids of events that would wait no longer, and that would begin to wait.
    closed_events: list[str]
    opened_events: list[str]


class PreviewList(Shape):
    """Previews in the order of the keys; more follow when `totalItems`, those beyond `after`, are more."""

    items: list[PreviewShape]
    total_items: int


class SuggestedMapping(Shape):
    """Elements and flows that are in both versions under the same id, as far as they fit."""

    mapping_instructions: list[ElementMapping]
