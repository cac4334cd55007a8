"""What managers send to change the course of process instances (Camunda 8.9's shapes; restarting is ours)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from database.rest import KeyText, NullableKeyText, Request, Variables
from database.rest.shapes import PlainText
from engine.modification import ActivateInstruction, MoveInstruction, VariableInstruction
from tasks.shapes import StartInstruction

#: Most instructions of a kind in one request.
MOST_INSTRUCTIONS = 1000


class VariableInstructionShape(Request):
    """Variables to set before an element is activated; without a scope they are the instance's."""

    variables: Variables
    scope_id: str | None = None

    def instruction(self) -> VariableInstruction:
        """Return the engine's instruction; an empty scope is none."""
        return VariableInstruction(self.variables, self.scope_id or None)


class ElementActivation(Request):
    """An element to activate; Camunda's clients say -1 or nothing for an ancestor that is to be found."""

    element_id: str = Field(min_length=1)
    ancestor_element_instance_key: NullableKeyText | Literal["-1", ""] = None
    variable_instructions: list[VariableInstructionShape] = Field(default_factory=list, max_length=MOST_INSTRUCTIONS)

    def instruction(self) -> ActivateInstruction:
        """Return the engine's instruction."""
        given = self.ancestor_element_instance_key
        ancestor = given if isinstance(given, int) else None
        return ActivateInstruction(
            self.element_id, ancestor, [variable.instruction() for variable in self.variable_instructions]
        )


class SourceById(Request):
    """Every live instance of an element."""

    source_type: Literal["byId"]
    source_element_id: str


class SourceByKey(Request):
    """One element instance."""

    source_type: Literal["byKey"]
    source_element_instance_key: KeyText


class DirectAncestor(Request):
    """Into a scope that is named."""

    ancestor_scope_type: Literal["direct"]
    ancestor_element_instance_key: KeyText


class InferredAncestor(Request):
    """Into the innermost scope that source and target have in common."""

    ancestor_scope_type: Literal["inferred"]


class SourceParent(Request):
    """Into the scope that the source is in."""

    ancestor_scope_type: Literal["sourceParent"]


class Move(Request):
    """Element instances to terminate, each for one of another element."""

    source_element_instruction: Annotated[SourceById | SourceByKey, Field(discriminator="source_type")]
    target_element_id: str
    ancestor_scope_instruction: (
        Annotated[DirectAncestor | InferredAncestor | SourceParent, Field(discriminator="ancestor_scope_type")] | None
    ) = None
    variable_instructions: list[VariableInstructionShape] = Field(default_factory=list, max_length=MOST_INSTRUCTIONS)

    def instruction(self) -> MoveInstruction:
        """Return the engine's instruction."""
        source, ancestor = self.source_element_instruction, self.ancestor_scope_instruction
        return MoveInstruction(
            source.source_element_id if isinstance(source, SourceById) else None,
            self.target_element_id,
            [variable.instruction() for variable in self.variable_instructions],
            source_key=source.source_element_instance_key if isinstance(source, SourceByKey) else None,
            ancestor_element_instance_key=(
                ancestor.ancestor_element_instance_key if isinstance(ancestor, DirectAncestor) else None
            ),
            in_scope_of_source=isinstance(ancestor, SourceParent),
        )


class Termination(Request):
    """One element instance to terminate, or every live one of an element."""

    element_instance_key: NullableKeyText = None
    element_id: PlainText | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.element_instance_key is None) == (self.element_id is None):
            raise ValueError("name what is terminated either by elementInstanceKey or by elementId")
        return self


class Modification(Request):
    """What is activated, moved and terminated in one instance: all of it, or nothing."""

    activate_instructions: list[ElementActivation] = Field(default_factory=list, max_length=MOST_INSTRUCTIONS)
    move_instructions: list[Move] = Field(default_factory=list, max_length=MOST_INSTRUCTIONS)
    terminate_instructions: list[Termination] = Field(default_factory=list, max_length=MOST_INSTRUCTIONS)
    operation_reference: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.activate_instructions or self.move_instructions or self.terminate_instructions):
            raise ValueError("give at least one instruction")
        return self


class ElementMapping(Request):
    """An element, or a flow that was taken into a waiting join, and what it becomes."""

    source_element_id: str
    target_element_id: str


class Plan(Request):
    """The version that is migrated to, and what becomes of what is active."""

    target_process_definition_key: KeyText
    mapping_instructions: list[ElementMapping] = Field(max_length=MOST_INSTRUCTIONS)

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        if len(self.mapping()) < len(self.mapping_instructions):
            raise ValueError("an element is mapped twice")
        return self

    def mapping(self) -> dict[str, str]:
        """Return the targets by their sources."""
        return {given.source_element_id: given.target_element_id for given in self.mapping_instructions}


class Migration(Plan):
    """The migration of one instance."""

    operation_reference: int | None = Field(None, ge=1)


class AdHocElement(Request):
    """An activity to start, with variables of its own."""

    element_id: str
    variables: Variables = Field(default_factory=dict)


class AdHocActivation(Request):
    """Activities to start in an ad-hoc sub-process, and whether those that are active end first."""

    elements: list[AdHocElement] = Field(min_length=1, max_length=MOST_INSTRUCTIONS)
    cancel_remaining_instances: bool = False


class Restart(Request):
    """Where a new instance begins with the variables of an ended one, which `variables` add to or replace."""

    start_instructions: list[StartInstruction] = Field(min_length=1, max_length=MOST_INSTRUCTIONS)
    variables: Variables = Field(default_factory=dict)
    #: Another version than that of the ended instance.
    process_definition_key: NullableKeyText = None
    reason: str | None = None
