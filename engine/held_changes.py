"""Changes of user tasks that listeners look at before they happen: what is wanted, for the worker that decides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import definitions, state
from engine.errors import StateUnreadable
from engine.models import InstanceState, ProcessInstance


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that waits for listeners: `creating`, `assigning`, `updating`, `completing` or `canceling`."""

    task_key: int
    kind: str
    #: The new values by column; dates as ISO 8601 text, and what a completion brings under `variables`.
    wanted: dict[str, Any]
    #: What the listeners before have corrected, in the same form.
    corrected: dict[str, Any]


def held_changes(session: Session, instance_keys: Collection[int]) -> dict[int, HeldChange]:
    """Return the changes that listeners hold up in these instances, by the key of the task's element instance."""
    found: dict[int, HeldChange] = {}
    rows = session.execute(
        select(ProcessInstance.key, ProcessInstance.definition_key, InstanceState.tokens)
        .join(InstanceState, InstanceState.instance_key == ProcessInstance.key)
        .where(ProcessInstance.key.in_(instance_keys))
    )
    for instance_key, definition_key, tokens in rows:
        try:
            stored = state.read(instance_key, tokens, definitions.process(session, definition_key))
        except StateUnreadable:
            continue  # its jobs cannot be completed either; the instance can only be cancelled
        for token in stored:
            if (change := token.remembered.get("change")) is not None:
                found[token.key] = HeldChange(
                    change["task"], change["kind"], change["wanted"], change.get("corrected", {})
                )
    return found
