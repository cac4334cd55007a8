"""Ad-hoc sub-processes: activities that are done in any order, as often as somebody starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine import canceling, expressions
from engine.elements.base import Element
from engine.elements.definitions import Details
from engine.elements.scopes import Scope
from engine.errors import ElementFailure

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class AdHocSubProcess(Scope):
    """Starts the elements that a collection names, and later those that somebody asks for (Camunda 8's rules)."""

    kind: ClassVar[str] = "adHocSubProcess"

    def __init__(
        self,
        process: Process,
        details: Details,
        *,
        active_elements: str | None,
        completion_condition: str | None,
        cancel_remaining: bool,
    ) -> None:
        super().__init__(process, details)
        self.active_elements = active_elements
        self.completion_condition = completion_condition
        self.cancel_remaining = cancel_remaining

    def startable(self) -> dict[str, Element]:
        """Return the elements inside that can be started, by id: those that no flow leads to."""
        return {
            element.id: element
            for element in self.process.elements
            if element.details.scope_id == self.details.id
            and not element.incoming
            and element.kind not in ("boundaryEvent", "eventSubProcess")
            and not element.for_compensation
        }

    def enter(self, task: Token) -> bool:
        """Start the elements that the collection names; without a collection, wait for somebody to start some."""
        if self.active_elements is None:
            return False
        names = expressions.as_names(expressions.evaluate(task, self.active_elements, "active elements"))
        if names is None:
            raise expressions.unusable(task, self.active_elements, "The active elements must be a list of element ids.")
        self.start(task, names)
        return not names and self.completion_condition is None

    def start(self, task: Token, element_ids: list[str]) -> list[Token]:
        """Start elements by id and return their tokens; raises ElementFailure when one of them cannot be started."""
        startable = self.startable()
        for element_id in element_ids:
            if element_id not in startable:
                raise ElementFailure("EXTRACT_VALUE_ERROR", f"“{element_id}” cannot be started in “{self.id}”.")
        return [task.execution.spawn(startable[element_id], task) for element_id in element_ids]

    def inner_left(self, task: Token, inner: Token) -> None:
        """Be done when the condition holds, or, without one, when nothing inside is alive."""
        if self.completion_condition is None:
            super().inner_left(task, inner)
        elif task.internal_data.pop("satisfied", False):
            task.remember(leaving=True)
            if self.cancel_remaining:
                canceling.terminate_children(task, then=task)
            self.others_gone(task)

    def others_gone(self, task: Token) -> None:
        """Be done if nothing inside is alive and nobody can start anything any more."""
        leaving = self.completion_condition is None or task.internal_data.get("leaving", False)
        if leaving and not task._children:
            task.execution.finish(task)

    def inner_leaving(self, inner: Token) -> None:
        """Look whether the completion condition holds now."""
        if self.completion_condition is not None:
            satisfied = expressions.holds(inner.scope, self.completion_condition, "completion condition")
            inner.scope.remember(satisfied=satisfied)
