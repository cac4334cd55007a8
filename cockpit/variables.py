"""The variables of one case, by scope, with the labels of the forms that people filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from cockpit.elements import elements_of, name_of
from engine import definitions
from engine.elements.tasks import BusinessRuleTask, ScriptTask
from engine.models import (
    ElementInstance,
    ElementState,
    FormDefinition,
    ProcessDefinition,
    ProcessInstance,
    UserTask,
    Variable,
)


@dataclass(frozen=True, slots=True)
class Field:
    """What a form says about one variable."""

    label: str
    #: The label of each option by its value, and of each part of a list's rows by its key.
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShownVariable:
    """One variable, ready for reading."""

    name: str
    #: The label of the form field of that name, else the name of the step whose result it is; empty: neither.
    label: str
    value: Any
    #: What a form calls the value's options and parts.
    words: Mapping[str, str]
    updated_at: datetime

    @property
    def compound(self) -> bool:
        """The value is a list or a context with parts of its own."""
        return isinstance(self.value, list | dict) and bool(self.value)


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that one scope declares."""

    key: int
    #: The element that the scope belongs to; null: the case itself.
    element_id: str | None
    name: str
    #: The scope is still open, so that its variables can be changed.
    live: bool
    variables: Sequence[ShownVariable]


def scopes(session: Session, instance: ProcessInstance) -> list[Scope]:
    """Return the scopes of `instance` that hold variables: the case itself first, then by age."""
    rows = session.execute(
        select(Variable, ElementInstance.element_id, ElementInstance.state)
        .outerjoin(ElementInstance, ElementInstance.key == Variable.scope_key)
        .where(Variable.instance_key == instance.key)
        .order_by(Variable.scope_key, Variable.key)
    ).all()
    fields = {**_results(session, instance), **_fields(session, instance)}
    elements = elements_of(session, [instance.definition_key])[instance.definition_key]
    found: dict[int, list[ShownVariable]] = {}
    owners: dict[int, tuple[str | None, bool]] = {}
    nothing = Field("", {})
    for variable, element_id, state in rows:
        field = fields.get(variable.name, nothing)
        found.setdefault(variable.scope_key, []).append(
            ShownVariable(variable.name, field.label, variable.value, field.words, variable.updated_at)
        )
        owners[variable.scope_key] = (element_id, state in (None, ElementState.ACTIVE) and instance.ended_at is None)
    result = []
    for scope_key, variables in found.items():
        owner, live = owners[scope_key]
        name = name_of(elements, owner) if owner is not None else ""
        result.append(Scope(scope_key, owner, name, live, variables))
    return sorted(result, key=lambda scope: (scope.key != instance.key, scope.key))


def _results(session: Session, instance: ProcessInstance) -> dict[str, Field]:
    """What no form asks for, by variable name: a result is called after the step that makes it."""
    found: dict[str, Field] = {}
    for element in definitions.process(session, instance.definition_key).elements:
        if isinstance(element, ScriptTask | BusinessRuleTask) and element.details.name:
            found.setdefault(element.result_variable, Field(element.details.name, {}))
    return found


def _fields(session: Session, instance: ProcessInstance) -> dict[str, Field]:
    """The fields of every form that the case, its callers or its children have shown to somebody, by variable name."""
    started_with = (
        select(FormDefinition.form_id, func.max(FormDefinition.version).label("version"))
        .join(ProcessDefinition, ProcessDefinition.start_form_id == FormDefinition.form_id)
        .join(ProcessInstance, ProcessInstance.definition_key == ProcessDefinition.key)
        .where(ProcessInstance.root_key == instance.root_key)
        .group_by(FormDefinition.form_id)
        .subquery()
    )
    used = select(UserTask.form_key).where(
        UserTask.instance_key.in_(select(ProcessInstance.key).where(ProcessInstance.root_key == instance.root_key)),
        UserTask.form_key.is_not(None),
    )
    schemas = session.scalars(
        select(FormDefinition.schema)
        .outerjoin(
            started_with,
            (started_with.c.form_id == FormDefinition.form_id) & (started_with.c.version == FormDefinition.version),
        )
        .where(or_(FormDefinition.key.in_(used), started_with.c.form_id.is_not(None)))
        .order_by(FormDefinition.key)
    )
    fields: dict[str, Field] = {}
    for schema in schemas:
        for name, field in _named(schema):
            fields.setdefault(name, field)
    return fields


def _named(schema: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
    for component in schema.get("components", ()):
        is_list = component.get("type") == "dynamiclist"
        name, label = component.get("path" if is_list else "key"), component.get("label") or component.get("dateLabel")
        words = _options(component)
        if is_list:
            # A dynamic list names its own variable; what is inside it are parts of that variable.
            for part, inside in _named(component):
                words |= {part: inside.label, **inside.words}
        else:
            yield from _named(component)
        # A dotted key is one part of a variable, so its label does not name the whole.
        if isinstance(name, str) and "." not in name and isinstance(label, str) and label.strip():
            yield name, Field(label.strip(), words)


def _options(component: Mapping[str, Any]) -> dict[str, str]:
    values = component.get("values")
    if not isinstance(values, list):
        return {}
    return {str(option.get("value")): str(option.get("label", option.get("value"))) for option in values}
