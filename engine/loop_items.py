"""The items of sequential loops: kept in stretches, so that a step costs the same however long the collection is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from engine import waits
from engine.keys import new_key
from engine.models import LoopItems

if TYPE_CHECKING:
    from engine.tokens import Token

#: Items in one row.
STRETCH = 100

_OF_STRETCH = select(LoopItems.items).where(
    LoopItems.element_instance_key == bindparam("owner"), LoopItems.first == bindparam("first")
)


def keep(body: Token, items: list[Any]) -> None:
    """Keep the collection of a loop until its body is left."""
    execution = body.execution
    for first in range(0, len(items), STRETCH):
        stretch = items[first : first + STRETCH]
        execution.loop_items[body.key, first] = stretch
        waits.add(
            body, LoopItems, key=new_key(), instance_key=execution.instance_key, first=first, items=stretch
        )  # fmt: skip


def item(body: Token, index: int) -> Any:
    """Return the item at `index`, counted from 0; raises LookupError when the loop has kept none."""
    execution = body.execution
    first = index - index % STRETCH
    stretch = execution.loop_items.get((body.key, first))
    if stretch is None:
        stretch = execution.session.scalar(_OF_STRETCH, {"owner": body.key, "first": first})
        if stretch is None:
            raise LookupError(f"loop {body.key} has kept no item {index}")
        execution.loop_items[body.key, first] = stretch
    return stretch[index - first]
