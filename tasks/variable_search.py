"""Variables as the API shows and searches them (Camunda 8.9's shapes): a value is JSON text, shortened in lists."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Text, exists, false, func, select, type_coerce
from sqlalchemy.orm import Session

from database import dumps, loads
from database.rest import (
    DEFAULT_TENANT,
    TENANT,
    KeyCondition,
    KeyText,
    Listing,
    NullableKeyText,
    Request,
    Results,
    SearchQuery,
    Shape,
    TextCondition,
    matching,
)
from engine.errors import NotFound
from engine.models import ProcessInstance, Variable
from tasks import variables

#: Characters of a value's JSON text after which a list shortens it (Camunda 8's number).
LONGEST_VALUE = 8191

_TEXT = type_coerce(Variable.value, Text)


class VariableShape(Shape):
    """One variable in one scope, with its whole value."""

    variable_key: KeyText
    name: str
    value: str
    scope_key: KeyText
    process_instance_key: KeyText
    root_process_instance_key: NullableKeyText
    tenant_id: str = DEFAULT_TENANT


class VariableRow(VariableShape):
    """One variable in a list."""

    is_truncated: bool


class VariableFilter(Request):
    """A variable that must be there, with a value whose JSON text meets the condition."""

    name: str
    value: TextCondition

    def holds(self, scope_key: Any) -> ColumnElement[bool]:
        """Return the condition that the scope whose key stands in the column `scope_key` has the variable."""
        return exists().where(Variable.scope_key == scope_key, Variable.name == self.name, on_value(self.value))


class VariableSearchFilter(Request):
    """What variables are searched by; all that is given must hold."""

    name: TextCondition | None = None
    value: TextCondition | None = None
    variable_key: KeyCondition | None = None
    scope_key: KeyCondition | None = None
    process_instance_key: KeyCondition | None = None
    is_truncated: bool | None = None
    tenant_id: TextCondition | None = None


class VariableQuery(
    SearchQuery[
        VariableSearchFilter, Literal["name", "value", "variableKey", "scopeKey", "processInstanceKey", "tenantId"]
    ]
):
    """A search of variables."""


class SeenFilter(Request):
    """What the variables of a task are searched by."""

    name: TextCondition | None = None


class SeenQuery(
    SearchQuery[SeenFilter, Literal["name", "value", "variableKey", "scopeKey", "processInstanceKey", "tenantId"]]
):
    """A search of the variables that a task sees."""


_LISTING: Listing[Variable] = Listing(
    Variable.key.expression,
    {
        "name": Variable.name.expression,
        "value": _TEXT,
        "variableKey": Variable.key.expression,
        "scopeKey": Variable.scope_key.expression,
        "processInstanceKey": Variable.instance_key.expression,
        "tenantId": TENANT,
    },
)


def on_value(condition: TextCondition) -> ColumnElement[bool]:
    """Return a condition on a variable's value as JSON text; what is given is JSON in any layout."""
    changes: dict[str, Any] = {}
    for name in ("eq", "neq"):
        if (given := getattr(condition, name)) is not None:
            changes[name] = _compact(given)
    for name in ("in_", "not_in"):
        if (given := getattr(condition, name)) is not None:
            changes[name] = [_compact(item) for item in given]
    return condition.model_copy(update=changes).on(_TEXT)


def rows() -> Select[Variable, int]:
    """Return the query of all variables, joined with their instances, from which searches narrow down."""
    return select(Variable, ProcessInstance.root_key).join(
        ProcessInstance, ProcessInstance.key == Variable.instance_key
    )


def search(
    session: Session, query: VariableQuery, visible: ColumnElement[bool], *, shorten: bool
) -> Results[VariableRow]:
    """Return the variables of `visible` process instances that `query` asks for; raises InvalidCursor."""
    wanted = query.filter
    statement = rows().where(visible, *_conditions(wanted))
    if wanted is not None and wanted.value is not None:
        statement = statement.where(on_value(wanted.value))
    if wanted is not None and wanted.is_truncated is not None:
        truncated = func.length(_TEXT) > LONGEST_VALUE if shorten else false()
        statement = statement.where(truncated if wanted.is_truncated else ~truncated)
    return _LISTING.find(session, statement, query, lambda row: render(row[0], row[1], shorten=shorten))


def one(session: Session, key: int) -> VariableShape:
    """Return a variable with its whole value; raises NotFound."""
    row = session.execute(rows().where(Variable.key == key)).one_or_none()
    if row is None:
        raise NotFound("variable", key)
    listed = render(row[0], row[1], shorten=False)
    return VariableShape(**listed.model_dump(exclude={"is_truncated"}, round_trip=True))


def seen_by(session: Session, query: SeenQuery, scope: variables.Scope, *, shorten: bool) -> Results[VariableRow]:
    """Return the variables that are visible from `scope`, where inner scopes hide outer ones; raises InvalidCursor."""
    keys = variables.visible_keys(session, scope)
    statement = rows().where(Variable.key.in_(keys), *matching(query.filter, {"name": Variable.name}))
    return _LISTING.find(session, statement, query, lambda row: render(row[0], row[1], shorten=shorten))


def render(variable: Variable, root_key: int, *, shorten: bool) -> VariableRow:
    """Return a variable as it is listed."""
    value = dumps(variable.value)
    truncated = shorten and len(value) > LONGEST_VALUE
    return VariableRow(
        variable_key=variable.key,
        name=variable.name,
        value=value[:LONGEST_VALUE] if truncated else value,
        is_truncated=truncated,
        scope_key=variable.scope_key,
        process_instance_key=variable.instance_key,
        root_process_instance_key=root_key,
    )


def _conditions(wanted: VariableSearchFilter | None) -> list[ColumnElement[bool]]:
    return matching(
        wanted,
        {
            "name": Variable.name,
            "variable_key": Variable.key,
            "scope_key": Variable.scope_key,
            "process_instance_key": Variable.instance_key,
            "tenant_id": TENANT,
        },
    )


def _compact(text: str) -> str:
    try:
        return dumps(loads(text))
    except (ValueError, RecursionError):
        return text
