"""The compact codec of an instance's live tokens: no specs, no variables, no history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from engine.tokens import Token

if TYPE_CHECKING:
    from engine.workflow import Execution

#: Raised when the layout changes; a reader must understand every older layout.
VERSION = 1


def dump(execution: Execution) -> bytes:
    """Return the live tokens, parents before children."""
    rows = []
    stack = [execution.root]
    while stack:
        token = stack.pop()
        parent = token.parent
        rows.append([token.key, token.element.name, parent.key if parent else 0, token._state, token.internal_data])
        stack.extend(reversed(token.children))
    return orjson.dumps([VERSION, rows], option=orjson.OPT_NON_STR_KEYS)


def load(execution: Execution, data: bytes) -> None:
    """Put the stored tokens into `execution`."""
    version, rows = orjson.loads(data)
    if version != VERSION:
        raise ValueError(f"instance state of layout {version} cannot be read by this version")
    for key, name, parent_key, state, remembered in rows:
        token = Token(execution, execution.process.element(name), execution.tasks.get(parent_key), key, state)
        token.internal_data = remembered
        if not parent_key:
            execution.root = token
