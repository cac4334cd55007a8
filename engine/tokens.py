"""Tokens: SpiffWorkflow's tasks as we use them.

The tree holds live tokens only, and its depth is the nesting of scopes: the root is the process instance, its children
are the tokens in the process, the children of a sub-process token are the tokens inside it. A finished task is taken
out at once; its history is an element instance row by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from database import dumps, loads

if TYPE_CHECKING:
    from engine.elements.base import Element
    from engine.workflow import Execution

#: States that a stored token can be in.
READY, STARTED, ERROR = TaskState.READY, TaskState.STARTED, TaskState.ERROR


class Token(Task):
    """One live element instance; `id` is its key, `internal_data` what the element must remember."""

    def __init__(
        self, execution: Execution, element: Element, parent: Token | None, key: int, state: int = READY
    ) -> None:
        super().__init__(execution, element, parent, state, key)
        self.key = key
        self.flow_id: str | None = None

    @property
    def element(self) -> Element:
        """The element that the token is at."""
        element: Element = self.task_spec
        return element

    @property
    def execution(self) -> Execution:
        """The execution that moves the token."""
        execution: Execution = self.workflow
        return execution

    @property
    def scope(self) -> Token:
        """The token that this one is inside of; raises for the process instance itself."""
        parent: Token | None = self.parent
        assert parent is not None, f"{self.element.id} is not inside of anything"
        return parent

    @property
    def in_error(self) -> bool:
        """An incident holds it."""
        return bool(self._state == ERROR)

    def remember(self, **data: Any) -> None:
        """Keep `data` with the token until it leaves the element."""
        self.internal_data.update(data)

    def arrive(self, event_name: str, part: int, variables: dict[str, Any]) -> dict[str, Any]:
        """Note that one part of a parallel multiple event has come; return what all parts so far have brought."""
        arrived = self.internal_data.setdefault("arrived", {}).setdefault(event_name, {})
        # As text, because a token's own memory holds no exact fractions.
        arrived[str(part)] = dumps(variables)
        return {name: value for brought in arrived.values() for name, value in loads(brought).items()}

    def has_all(self, event_name: str, parts: int) -> bool:
        """Return whether every part of a parallel multiple event has come; if so, the count begins anew."""
        arrived = self.internal_data["arrived"][event_name]
        if len(arrived) < parts:
            return False
        del self.internal_data["arrived"][event_name]
        return True

    def _set_state(self, value: int) -> None:
        # SpiffWorkflow's version also logs and takes the time of every change, which our history rows do.
        self._state = value
