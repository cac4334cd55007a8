"""Standard loops: an activity that is done again while a condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine import expressions
from engine.elements.base import Element
from engine.elements.definitions import Details, StandardLoopDefinition
from engine.elements.multi_instance import INNER
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class StandardLoopBody(Element):
    """Holds the one inner token, and decides after each turn whether there is another."""

    kind: ClassVar[str] = "standardLoopBody"
    is_scope: ClassVar[bool] = True

    def __init__(self, process: Process, details: Details, loop: StandardLoopDefinition) -> None:
        super().__init__(process, details)
        self.loop = loop

    @property
    def inner(self) -> Element:
        """The activity that is done again and again."""
        return self.process.element(INNER.format(self.id))

    def enter(self, task: Token) -> bool:
        """Start the first turn, if the loop does not test before it; a maximum of none is never a turn."""
        task.remember(turns=0)
        if self.loop.maximum == 0 or (self.loop.test_before and not self._again(task)):
            return True
        self._start(task)
        return False

    def inner_left(self, task: Token, inner: Token) -> None:
        """Put the decision on the next turn on the agenda: its condition may fail."""
        task.remember(phase="continuing")
        task.execution.agenda.append(task)

    def resume(self, task: Token) -> None:
        """Start the next turn, or be done."""
        if self._again(task):
            self._start(task)
            del task.internal_data["phase"]
            task._set_state(STARTED)
        else:
            task.execution.finish(task)

    def _again(self, task: Token) -> bool:
        turns = task.internal_data["turns"]
        if self.loop.maximum is not None and turns >= self.loop.maximum:
            return False
        condition = self.loop.condition
        if condition is None:
            return True
        return expressions.holds(task, condition, "loop condition", extra={"loopCounter": turns + 1})

    def _start(self, task: Token) -> None:
        turns = task.internal_data["turns"] + 1
        task.remember(turns=turns)
        # The flow is the loop itself, so that a loop without a wait is found out.
        inner = task.execution.spawn(self.inner, task, self.id)
        task.execution.variables.set_local(inner, "loopCounter", turns)
