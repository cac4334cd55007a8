"""Evaluates decisions: what they require first, each once."""

from __future__ import annotations

import feel
from engine.dmn.elements import Decision, DecisionService, Element, InputData, KnowledgeModel, Requirement
from engine.dmn.outcome import DecisionWarning
from feel.runtime import Run, Scope
from feel.types import convert


class Evaluation:
    """One evaluation of a graph, or of the part of it that a decision service covers.

    `given` holds the values that are not to be looked up or computed, by element.
    """

    def __init__(self, run: Run, given: dict[Element, feel.Value] | None = None, isolated: bool = False) -> None:
        self._run = run
        self._values: dict[Element, feel.Value] = dict(given or {})
        self._isolated = isolated

    def value_of(self, element: Element, prefix: str | None = None) -> feel.Value:
        """The value of an input or decision, the function of a knowledge model or decision service."""
        if element not in self._values:
            self._run.budget.spend()
            self._values[element] = self._compute(element, prefix)
        return self._values[element]

    def _compute(self, element: Element, prefix: str | None) -> feel.Value:
        if isinstance(element, InputData):
            return None if self._isolated else outer_value(self._run, element, prefix)
        if isinstance(element, Decision):
            return element.logic(self._scope(element.requirements)) if element.logic is not None else None
        if isinstance(element, KnowledgeModel):
            return self._function_of(element)
        if isinstance(element, DecisionService):
            return self.function_of(element)
        return None

    def _function_of(self, model: KnowledgeModel) -> feel.Value:
        if model.make is None:
            return None
        # The function first, then what it calls: knowledge models may call themselves and each other.
        values: dict[str, feel.Value] = {}
        function = self._values[model] = model.make(self._scope_of(values))
        values.update(self._required(model.requirements))
        return function

    def _scope(self, requirements: list[Requirement]) -> Scope:
        return self._scope_of(self._required(requirements))

    def _scope_of(self, values: dict[str, feel.Value]) -> Scope:
        return Scope(values, Scope(self._run.values, None, self._run), self._run)

    def _required(self, requirements: list[Requirement]) -> dict[str, feel.Value]:
        values: dict[str, feel.Value] = {}
        for requirement in requirements:
            element, prefix = requirement.element, requirement.prefix
            value = self.value_of(element, prefix)
            if prefix is None:
                values[element.name] = value
                # Camunda's modeler writes decisions without a variable, and people refer to them by id.
                values.setdefault(element.id, value)
            else:
                values.setdefault(prefix, {})[element.name] = value
        return values

    def function_of(self, service: DecisionService) -> feel.Function:
        """A decision service as a function of its inputs."""

        def invoke(run: Run, arguments: list[feel.Value]) -> feel.Value:
            given = dict(zip(service.inputs, arguments, strict=True))
            return evaluate_service(service, Evaluation(run, given, isolated=True))

        names = tuple(element.name for element in service.inputs)
        types = tuple(element.type for element in service.inputs)
        return feel.Function(names, invoke, types, None, service.name)


def evaluate_service(service: DecisionService, evaluation: Evaluation) -> feel.Value:
    """The value of the one output decision, or a context of several."""
    results = {decision.name: evaluation.value_of(decision) for decision in service.outputs}
    value = next(iter(results.values())) if len(results) == 1 else results
    return convert(value, service.type)[0]


def outer_value(run: Run, element: Element, prefix: str | None = None) -> feel.Value:
    """The value that the caller gave for an element: under its name, or inside the context of its import."""
    if prefix is not None and not run.has(element.name) and run.has(prefix):
        imported = run.variable(prefix, 0)
        value = imported.get(element.name) if isinstance(imported, dict) else None
    else:
        value = run.variable(element.name, 0)
    converted, fits = convert(value, element.type)
    if not fits:
        message = f"the input `{element.name}` is {feel.shown(value)}, which is not of its type {element.type}"
        run.warnings.append(DecisionWarning(message, 0, element.id))
    return converted
