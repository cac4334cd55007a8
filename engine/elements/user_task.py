"""User tasks: a step that a person does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine import user_tasks
from engine.elements.base import Element
from engine.elements.definitions import Details, UserTaskDefinition

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class UserTaskElement(Element):
    """Waits until a person completes it."""

    kind: ClassVar[str] = "userTask"

    def __init__(self, process: Process, details: Details, task: UserTaskDefinition) -> None:
        super().__init__(process, details)
        self.task = task

    def enter(self, task: Token) -> bool:
        """Create the user task: evaluate who, until when, with which form."""
        user_tasks.create(task, self.task)
        return False
