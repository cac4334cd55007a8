"""Multi-instance activities: a body that holds one inner token per item of a collection."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from engine import canceling, expressions, loop_items
from engine.elements.base import Element
from engine.elements.definitions import Details, LoopDefinition
from engine.tokens import STARTED

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token

#: The spec name of the inner activity; the plain id names the body, which flows and boundary events belong to.
INNER = "{}#inner"
#: The largest loop cardinality.
MOST_INSTANCES = 100_000


class MultiInstanceBody(Element):
    """Spawns the inner instances, in parallel or one after the other, and collects their results."""

    kind: ClassVar[str] = "multiInstanceBody"
    is_scope: ClassVar[bool] = True

    def __init__(self, process: Process, details: Details, loop: LoopDefinition) -> None:
        super().__init__(process, details)
        self.loop = loop

    @property
    def inner(self) -> Element:
        """The activity that is done once per item."""
        return self.process.element(INNER.format(self.id))

    def enter(self, task: Token) -> bool:
        """Start on the collection, which is evaluated once (Camunda 8's rule), or as often as the number says."""
        items = self._items(task)
        if self.loop.output_collection:
            task.execution.variables.set_local(task, self.loop.output_collection, [None] * len(items))
        task.remember(size=len(items), started=0, done=0)
        if not items:
            return True
        if not self.loop.sequential:
            for item in items:
                self._start_next(task, item)
            return False
        if self.loop.input_element:
            loop_items.keep(task, items)
        self._start_next(task, items[0])
        return False

    def _items(self, task: Token) -> list[Any]:
        """Return the input collection, or as many nulls as the number says; raises ElementFailure."""
        if self.loop.cardinality is not None:
            return [None] * self._cardinality(task, self.loop.cardinality)
        text = self.loop.input_collection
        value = expressions.evaluate(task, text or "", "input collection")
        if not isinstance(value, list):
            sentence = f"The input collection must be a list but is {type(value).__name__}."
            raise expressions.unusable(task, text, sentence)
        return value

    def _cardinality(self, task: Token, expression: str) -> int:
        text = f"={expression}"
        value = expressions.evaluate(task, text, "loop cardinality")
        whole = isinstance(value, int | Decimal) and not isinstance(value, bool) and value == int(value)
        if not whole or not 0 <= value <= MOST_INSTANCES:
            sentence = f"The loop cardinality must be a whole number from 0 to {MOST_INSTANCES}."
            raise expressions.unusable(task, text, sentence)
        return int(value)

    def _start_next(self, task: Token, item: Any) -> None:
        """Start the inner instance of the next item."""
        index = task.internal_data["started"]
        inner = task.execution.spawn(self.inner, task)
        task.remember(started=index + 1)
        inner.remember(index=index)
        variables = task.execution.variables
        variables.set_local(inner, "loopCounter", index + 1)
        if self.loop.input_element:
            variables.set_local(inner, self.loop.input_element, item)

    def inner_leaving(self, inner: Token) -> None:
        """Take the result of an inner instance, and look whether the completion condition holds now."""
        execution = inner.execution
        body = inner.scope
        if self.loop.output_collection is not None:
            text = self.loop.output_element
            value = expressions.evaluate(inner, text, "output element") if text else None
            collected = list(execution.variables.local(body)[self.loop.output_collection])
            collected[inner.internal_data["index"]] = value
            execution.variables.set_local(body, self.loop.output_collection, collected)
        condition = self.loop.completion_condition
        if condition is not None and expressions.holds(
            inner, condition, "completion condition", extra=self.counters(body)
        ):
            body.remember(satisfied=True)

    def inner_left(self, task: Token, inner: Token) -> None:
        """Decide, after an inner instance has left, whether the body goes on, is complete, or starts the next."""
        execution = task.execution
        data = task.internal_data
        task.remember(done=data["done"] + 1)
        if data.get("satisfied"):
            if not canceling.terminate_children(task, then=task):
                execution.finish(task)
        elif data["started"] == data["size"] and not task._children:
            execution.finish(task)
        elif self.loop.sequential:
            task.remember(phase="continuing")
            execution.agenda.append(task)

    def others_gone(self, task: Token) -> None:
        """Be complete: the rest of the instances have ended."""
        task.execution.finish(task)

    def resume(self, task: Token) -> None:
        """Start the next of a sequence."""
        self._start_next(task, self._next_item(task))
        del task.internal_data["phase"]
        task._set_state(STARTED)

    def _next_item(self, task: Token) -> Any:
        if not self.loop.input_element:
            return None
        index = task.internal_data["started"]
        try:
            return loop_items.item(task, index)
        except LookupError:
            # It was entered by a version of this server that kept no items, or has got its input element by migration.
            items = self._items(task)
        if index >= len(items):
            sentence = f"The input collection has shrunk to {len(items)} items; item {index + 1} is due."
            raise expressions.unusable(task, self.loop.input_collection, sentence)
        return items[index]

    def counters(self, task: Token) -> dict[str, Any]:
        """Return Camunda 8's loop counters as they are once the instance that is leaving has left."""
        data = task.internal_data
        active = len(task._children) - 1
        completed = data["done"] + 1
        return {
            "numberOfInstances": data["size"],
            "numberOfActiveInstances": active,
            "numberOfCompletedInstances": completed,
            "numberOfTerminatedInstances": data["started"] - active - completed,
        }

    def before_leaving(self, task: Token) -> None:
        """Hand the collected results to the scope around."""
        name = self.loop.output_collection
        if name and not self.details.outputs:
            variables = task.execution.variables
            variables.merge(task.scope, {name: variables.local(task)[name]})
