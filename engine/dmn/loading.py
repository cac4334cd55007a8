"""The state of reading one model: names, types, problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import feel
from engine.dmn.outcome import DecisionWarning
from engine.dmn.xml import Element, line_of, local_name, name_of
from engine.problems import Problem
from feel.names import NameTable, known_names
from feel.runtime import Code, Scope
from feel.types import Type, convert

_NAMED = frozenset(
    (
        "inputData", "decision", "businessKnowledgeModel", "decisionService", "variable",
        "itemComponent", "itemDefinition", "import", "column", "output",
    )
)  # fmt: skip


class Loading:
    """Collects what every part of a model needs while it is read."""

    def __init__(self, root: Element, imported_names: frozenset[str], imported_types: Mapping[str, Type]) -> None:
        self.root = root
        self.names = frozenset(_names_in(root)) | imported_names
        self.types: dict[str, Type] = dict(imported_types)
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.table: NameTable = known_names(self.names)

    def problem(self, element: Element, message: str) -> None:
        """Notes a problem of the nearest element that has an id."""
        self.problems.append(Problem(message, nearest_id(element), line_of(element)))

    @contextmanager
    def knowing(self, names: Iterable[str]) -> Iterator[None]:
        """Within this, expressions may use these names too: the parameters of the function they belong to."""
        outer = self.names
        self.names = outer | frozenset(names)
        try:
            yield
        finally:
            self.names = outer

    def tests(self, element: Element, text: str | None) -> feel.Expression | None:
        """The unary tests of a cell or a list of allowed values; None, with a problem noted, if they do not parse."""
        if text is None:
            return None
        try:
            tests = feel.parse_unary_tests(text, self.names)
        except feel.FeelSyntaxError as error:
            self.problem(element, f"`{_short(text)}`: {error}")
            return None
        self._check(element, text, tests)
        return tests

    def _check(self, element: Element, text: str, expression: feel.Expression) -> None:
        """Notes what is probably wrong; any name of the model may be a function."""
        for finding in feel.check(expression, functions=self.names):
            self.warn(element, f"`{_short(text)}`: {finding.message}")

    def warn(self, element: Element, message: str) -> None:
        """Notes something that is probably wrong with the nearest element that has an id."""
        self.warnings.append(Problem(message, nearest_id(element), line_of(element), "warning"))

    def expression(self, element: Element, text: str | None) -> Code | None:
        """The code of a FEEL expression; None, with a problem noted, if it does not parse."""
        if text is None:
            return None
        try:
            expression = feel.parse(text, self.names)
            self._check(element, text, expression)
            return tagged(expression.run_in, nearest_id(element))
        except feel.FeelSyntaxError as error:
            self.problem(element, f"`{_short(text)}`: {error}")
            return None


def _names_in(root: Element) -> set[str]:
    names: set[str] = set()
    for element in root.iter():
        if isinstance(element.tag, str):
            kind = local_name(element)
            if kind in _NAMED:
                names.add(name_of(element))
            elif kind in ("for", "some", "every") and element.get("iteratorVariable"):
                names.add(element.get("iteratorVariable", ""))
    names.discard("")
    return names


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."


def nearest_id(element: Element) -> str | None:
    """The id of the element or of the nearest around it."""
    current: Element | None = element
    while current is not None:
        if current.get("id"):
            return current.get("id")
        current = current.getparent()
    return None


def tagged(code: Code, element_id: str | None) -> Code:
    """Code whose warnings say which element they come from."""

    def run(scope: Scope) -> feel.Value:
        warnings = scope.run.warnings
        before = len(warnings)
        value = code(scope)
        for index in range(before, len(warnings)):
            warning = warnings[index]
            if not isinstance(warning, DecisionWarning):
                warnings[index] = DecisionWarning(warning.message, warning.position, element_id)
        return value

    return run


def typed(code: Code, target: Type | None, what: str, element_id: str | None) -> Code:
    """Code whose value is converted to a type, or null with a warning if it does not fit."""
    if target is None or target.name == "Any":
        return code

    def run(scope: Scope) -> feel.Value:
        value, fits = convert(code(scope), target)
        if not fits:
            scope.run.warnings.append(DecisionWarning(f"{what} is not of its type {target.name}", 0, element_id))
        return value

    return run
