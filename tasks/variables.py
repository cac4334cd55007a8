"""The variables that a user task sees: inner scopes hide outer ones."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import ElementInstance, UserTask, Variable


def visible(session: Session, task: UserTask) -> dict[str, Any]:
    """Return the variables that are visible from the task, outward to its process instance; two queries."""
    inner = (
        select(ElementInstance.key, ElementInstance.scope_key)
        .where(ElementInstance.key == task.element_instance_key)
        .cte("scopes", recursive=True)
    )
    scopes = inner.union_all(
        select(ElementInstance.key, ElementInstance.scope_key).join(inner, ElementInstance.key == inner.c.scope_key)
    )
    chain = [task.instance_key]
    # A scope has a larger key than the one it is inside of.
    chain.extend(session.scalars(select(scopes.c.key).order_by(scopes.c.key)))
    values: dict[int, dict[str, Any]] = {key: {} for key in chain}
    rows = session.execute(
        select(Variable.scope_key, Variable.name, Variable.value).where(Variable.scope_key.in_(chain))
    )
    for scope_key, name, value in rows:
        values[scope_key][name] = value
    return {name: value for key in chain for name, value in values[key].items()}
