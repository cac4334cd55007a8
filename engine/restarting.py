"""Restarting: a new instance that begins where it is told to, with the variables of one that has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import subscriptions
from engine.errors import ElementFailure, InvalidElements, NotEnded, NotFound
from engine.execution import Hierarchy, Outcome
from engine.keys import new_key
from engine.models import Audit, ProcessDefinition, ProcessInstance, ProcessState, Variable
from engine.modification import ActivateInstruction, activate
from engine.tokens import STARTED
from engine.variables import checked
from engine.workflow import Execution


def create_instance_at(
    session: Session,
    definition: ProcessDefinition,
    element_ids: Sequence[str],
    variables: dict[str, Any] | None = None,
    *,
    actor: str = "",
) -> Outcome:
    """Start an instance before these elements instead of at its start event, and run it to rest.

    Raises InvalidElements, InvalidVariables.
    """
    values = checked(variables or {})
    hierarchy, execution = _open(session, definition.key, actor)
    execution.audit("create process instance", details={"variables": values, "start": list(element_ids)})
    return _begin(hierarchy, execution, element_ids, values)


def restart(
    session: Session,
    instance_key: int,
    element_ids: Sequence[str],
    variables: Mapping[str, Any] | None = None,
    *,
    actor: str = "",
    definition_key: int | None = None,
    reason: str = "",
) -> Outcome:
    """Start a new instance before these elements with the variables that an ended one has left, and run it to rest.

    `variables` are added to those or replace them; `definition_key`: another version than that of the ended instance.
    Both audit trails name the other instance. Raises NotFound, NotEnded, InvalidElements, InvalidVariables.
    """
    # Not to be removed meanwhile because its time to live is over.
    ended = session.get(ProcessInstance, instance_key, populate_existing=True, with_for_update={"read": True})
    if ended is None:
        raise NotFound("process instance", instance_key)
    if ended.state == ProcessState.ACTIVE:
        raise NotEnded(instance_key)
    key = definition_key or ended.definition_key
    if session.get(ProcessDefinition, key) is None:
        raise NotFound("process definition", key)
    left = session.execute(select(Variable.name, Variable.value).where(Variable.scope_key == instance_key))
    values = checked({row.name: row.value for row in left} | dict(variables or {}))
    hierarchy, execution = _open(session, key, actor)
    given = {"reason": reason, "elements": list(element_ids)}
    execution.audit("restart process instance", subject_key=instance_key, details=given | {"variables": values})
    hierarchy.changes.insert(
        Audit,
        key=new_key(),
        at=hierarchy.now,
        actor=actor,
        action="restarted as another process instance",
        instance_key=instance_key,
        element_id=None,
        subject_key=execution.instance_key,
        details=given,
    )
    return _begin(hierarchy, execution, element_ids, values)


def _open(session: Session, definition_key: int, actor: str) -> tuple[Hierarchy, Execution]:
    key = new_key()
    hierarchy = Hierarchy(session, key, actor)
    return hierarchy, hierarchy.open(definition_key, key, root_key=key)


def _begin(
    hierarchy: Hierarchy, execution: Execution, element_ids: Sequence[str], variables: dict[str, Any]
) -> Outcome:
    if not element_ids:
        raise InvalidElements("Name at least one element to start before.")
    root = execution.root
    # Nobody enters at the start event.
    execution.agenda.clear()
    root._set_state(STARTED)
    execution.variables.merge(root, variables)
    try:
        subscriptions.open_attached(root)
    except ElementFailure as failure:
        raise InvalidElements(failure.message) from None
    for element_id in element_ids:
        activate(execution, ActivateInstruction(element_id))
    return hierarchy.finish(execution.instance_key)
