"""DMN decision models: parse once, evaluate often. Pure: knows no database and no clock but the one it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import feel
from engine.dmn.description import Description, describe
from engine.dmn.elements import Decision, DecisionService, Element, InputData
from engine.dmn.errors import DecisionModelError, UnknownDecisionError
from engine.dmn.evaluation import Evaluation, evaluate_service, outer_value
from engine.dmn.graph import Graph, load_graph
from engine.dmn.outcome import DecisionOutcome, DecisionWarning, MatchedRule
from engine.dmn.xml import read
from engine.problems import Problem
from feel.runtime import Run

__all__ = [
    "DecisionModel",
    "DecisionModelError",
    "DecisionOutcome",
    "DecisionWarning",
    "Description",
    "MatchedRule",
    "Problem",
    "UnknownDecisionError",
    "parse",
]


class DecisionModel:
    """One DMN file, ready to be evaluated any number of times, also in several threads."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.namespace = graph.namespace
        self.name = graph.name
        self.id: str = graph.loading.root.get("id") or graph.name
        self.descriptions: dict[str, Description] = describe(graph.loading.root)
        """What its decisions are made of, by their ids."""
        self._decisions = _of_kind(graph, Decision)
        self._services = _of_kind(graph, DecisionService)
        self.decisions: dict[str, str] = {key: decision.label or key for key, decision in self._decisions.items()}
        """The names of the decisions by their ids."""
        self.services: dict[str, str] = {key: service.name for key, service in self._services.items()}
        """The names of the decision services by their ids."""
        self.inputs: dict[str, str] = {key: element.name for key, element in _of_kind(graph, InputData).items()}
        """The names of the input data by their ids."""
        self.problems: list[Problem] = list(graph.loading.problems)
        self.warnings: list[Problem] = list(graph.loading.warnings)
        """What is probably wrong with its expressions: unknown functions, tests that can never be true."""

    def required(self, decision_id: str) -> list[str]:
        """The ids of the decisions that a decision or decision service is made from, each after its own; itself last.

        Raises UnknownDecisionError.
        """
        found: dict[str, None] = {}
        pending: list[tuple[Decision | DecisionService, bool]] = [(self._element(decision_id), False)]
        entered: set[str] = set()
        while pending:
            element, done = pending.pop()
            if done:
                found[element.id] = None
            elif element.id not in entered:
                entered.add(element.id)
                pending.append((element, True))
                pending += [(needed, False) for needed in reversed(_needed(element))]
        return list(found)

    def evaluate(
        self, decision_id: str, context: Mapping[str, object], environment: feel.Environment | None = None
    ) -> DecisionOutcome:
        """Evaluates a decision, or a decision service, with these variables.

        Raises UnknownDecisionError, and feel.FeelLimitExceeded when it takes too much.
        """
        element = self._element(decision_id)
        given = environment or feel.Environment()
        types = {**self.graph.loading.types, **(given.types or {})}
        run = Run(
            context, feel.Environment(given.now, given.zone, given.calendar, given.limits, given.functions, types)
        )
        try:
            value = _evaluate(run, element)
        except RecursionError:
            raise feel.FeelLimitExceeded("depth", "the decision is nested too deeply") from None
        run.budget.check_result([value, [[rule.inputs, rule.outputs] for rule in run.notes]])
        return DecisionOutcome(value, run.notes, run.warnings)

    def _element(self, decision_id: str) -> Decision | DecisionService:
        element: Decision | DecisionService | None = self._decisions.get(decision_id) or self._services.get(decision_id)
        if element is None:
            raise UnknownDecisionError(decision_id)
        return element


def _needed(element: Decision | DecisionService) -> list[Decision | DecisionService]:
    needed: list[Element] = (
        list(element.outputs)
        if isinstance(element, DecisionService)
        # What is imported is in a file of its own.
        else [requirement.element for requirement in element.requirements if requirement.prefix is None]
    )
    return [found for found in needed if isinstance(found, Decision | DecisionService)]


def _evaluate(run: Run, element: Decision | DecisionService) -> feel.Value:
    if isinstance(element, Decision):
        return Evaluation(run).value_of(element)
    given = {parameter: outer_value(run, parameter) for parameter in element.inputs}
    return evaluate_service(element, Evaluation(run, given))


_Kind = TypeVar("_Kind", bound=Element)


def _of_kind(graph: Graph, kind: type[_Kind]) -> dict[str, _Kind]:
    return {identifier: element for identifier, element in graph.elements.items() if isinstance(element, kind)}


def parse(xml: bytes, imports: Mapping[str, DecisionModel] | None = None, strict: bool = True) -> DecisionModel:
    """Reads a DMN file; `imports` are the models it may import, by their namespace.

    Raises DecisionModelError with all problems. With strict=False only a file that is no DMN at all is refused: a wrong
    expression evaluates to null, and the problems are in `DecisionModel.problems`.
    """
    graph = load_graph(read(xml), {namespace: model.graph for namespace, model in (imports or {}).items()})
    if strict and graph.loading.problems:
        raise DecisionModelError(graph.loading.problems)
    return DecisionModel(graph)
