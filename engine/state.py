"""The compact codec of an instance's live tokens: no specs, no variables, no history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from database import dumps, loads
from engine import waits
from engine.elements.base import Element
from engine.elements.multi_instance import INNER
from engine.errors import StateUnreadable
from engine.models import ElementInstance, ElementState, ProcessInstance, ProcessState
from engine.tokens import STARTED, Token

if TYPE_CHECKING:
    from engine.process import Process
    from engine.workflow import Execution

#: Raised when the layout changes; a reader must understand every older layout.
VERSION = 1


@dataclass(frozen=True, slots=True)
class StoredToken:
    """One live token as it is stored."""

    key: int
    #: The name of its element in the process graph.
    name: str
    #: The token that it is inside of; 0: it is the process instance.
    parent_key: int
    state: int
    remembered: dict[str, Any]


def dump(execution: Execution) -> bytes:
    """Return the live tokens, parents before children."""
    rows = []
    stack = [execution.root]
    while stack:
        token = stack.pop()
        parent = token.parent
        rows.append([token.key, token.element.name, parent.key if parent else 0, token._state, token.internal_data])
        stack.extend(reversed(token.children))
    # What a token remembers may be variables, whose decimals keep every digit.
    return dumps([VERSION, rows]).encode()


def read(instance_key: int, data: bytes | None, process: Process) -> list[StoredToken]:
    """Return the stored tokens of an instance of `process`, parents before children; raises StateUnreadable."""
    if data is None:
        raise StateUnreadable(instance_key, "it is missing")
    try:
        version, rows = loads(data)
        tokens = [StoredToken(*row) for row in rows]
    except (ValueError, TypeError) as error:
        raise StateUnreadable(instance_key, str(error)) from None
    if version != VERSION:
        raise StateUnreadable(instance_key, f"it is of layout {version}, which this version does not know")
    seen = {0}
    for token in tokens:
        if token.parent_key not in seen:
            raise StateUnreadable(instance_key, f"the token {token.key} is inside of nothing")
        if token.name not in process.task_specs:
            raise StateUnreadable(instance_key, f"the process has no element {token.name}")
        seen.add(token.key)
    if not tokens or tokens[0].key != instance_key:
        raise StateUnreadable(instance_key, "its outermost token is not the instance")
    return tokens


def load(execution: Execution, data: bytes | None) -> None:
    """Put the stored tokens into `execution`; raises StateUnreadable."""
    for stored in read(execution.instance_key, data, execution.process):
        element = execution.process.element(stored.name)
        token = Token(execution, element, execution.tasks.get(stored.parent_key), stored.key, stored.state)
        token.internal_data = stored.remembered
        if not stored.parent_key:
            execution.root = token


def rebuild(execution: Execution) -> None:
    """Make tokens from the history of an instance whose state is unreadable: good enough to end all that waits."""
    execution.root = _rebuilt(execution, execution.process.root, None, execution.instance_key)
    rows = execution.session.execute(
        select(ElementInstance)
        .where(ElementInstance.instance_key == execution.instance_key, ElementInstance.state == ElementState.ACTIVE)
        # What is inside of something was entered after it.
        .order_by(ElementInstance.key)
    ).scalars()
    for row in rows:
        scope = execution.find(row.scope_key) or execution.root
        _rebuilt(execution, _element(execution, row), scope, row.key)
    children = execution.session.execute(
        select(ProcessInstance.key, ProcessInstance.parent_element_instance_key).where(
            ProcessInstance.parent_element_instance_key.in_(list(execution.tasks)),
            ProcessInstance.state == ProcessState.ACTIVE,
        )
    )
    for child in children:
        execution.tasks[child.parent_element_instance_key].remember(child=child.key)


def _element(execution: Execution, row: ElementInstance) -> Element:
    process = execution.process
    for name in (row.element_id, INNER.format(row.element_id)):
        found: Element | None = process.task_specs.get(name)
        if found is not None and found.type_name == row.element_type:
            return found
    return process.root


def _rebuilt(execution: Execution, element: Element, scope: Token | None, key: int) -> Token:
    token = Token(execution, element, scope, key, STARTED)
    waits.suppose_all(token)
    return token
