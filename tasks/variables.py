"""The variables that a user task or a job sees: inner scopes hide outer ones."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.models import ElementInstance, Variable


class Scope(Protocol):
    """Something that waits at an element of an instance."""

    @property
    def instance_key(self) -> int: ...
    @property
    def element_instance_key(self) -> int: ...


def visible(session: Session, scope: Scope) -> dict[str, Any]:
    """Return the variables that are visible from the scope, outward to its process instance; two queries."""
    return {name: value for name, (_, value) in _seen(session, scope).items()}


def visible_keys(session: Session, scope: Scope) -> list[int]:
    """Return the keys of the variables that are visible from the scope; two queries."""
    return [key for key, _ in _seen(session, scope).values()]


def _seen(session: Session, scope: Scope) -> dict[str, tuple[int, Any]]:
    inner = (
        select(ElementInstance.key, ElementInstance.scope_key)
        .where(ElementInstance.key == scope.element_instance_key)
        .cte("scopes", recursive=True)
    )
    scopes = inner.union_all(
        select(ElementInstance.key, ElementInstance.scope_key).join(inner, ElementInstance.key == inner.c.scope_key)
    )
    chain = [scope.instance_key]
    # A scope has a larger key than the one it is inside of.
    chain.extend(session.scalars(select(scopes.c.key).order_by(scopes.c.key)))
    found: dict[int, dict[str, tuple[int, Any]]] = {key: {} for key in chain}
    rows = session.execute(
        select(Variable.scope_key, Variable.name, Variable.key, Variable.value).where(Variable.scope_key.in_(chain))
    )
    for scope_key, name, key, value in rows:
        found[scope_key][name] = (key, value)
    return {name: seen for key in chain for name, seen in found[key].items()}
