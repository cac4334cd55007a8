"""One running evaluation: its budget, its warnings, its variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from feel.conversion import normalise
from feel.environment import Environment
from feel.limits import Budget
from feel.values import Function, Value

MAX_WARNINGS = 100
BUILT_INS: dict[str, Function] = {}
"""The built-in functions; the package `feel.builtins` fills it."""
MAX_KNOWN_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Warning:
    """Why something became null; `position` is the offset in the expression's text, in code points."""

    message: str
    position: int

    def __str__(self) -> str:
        return self.message


class Run:
    """The state of one evaluation, shared by all its scopes."""

    __slots__ = ("budget", "context", "environment", "notes", "position", "values", "warnings")

    def __init__(self, context: Mapping[str, object], environment: Environment) -> None:
        self.context = context
        self.environment = environment
        self.budget = Budget(environment.limits)
        self.warnings: list[Warning] = []
        self.values: dict[str, Value] = {}
        self.position = 0
        self.notes: list[Any] = []
        """What the host wants to remember of this evaluation, such as the rules that matched."""

    def warn(self, message: str, position: int | None = None) -> None:
        """Notes why a value becomes null, at a position or at the call that is being made."""
        if len(self.warnings) < MAX_WARNINGS:
            warning = Warning(message, self.position if position is None else position)
            if warning not in self.warnings[-3:]:
                self.warnings.append(warning)

    def null(self, message: str) -> Any:
        """Null, with the reason noted: for functions to return."""
        self.warn(message)
        return None

    def has(self, name: str) -> bool:
        """Whether the caller's context has a variable of that name."""
        return name in self.values or name in self.context

    def variable(self, name: str, position: int) -> Value:
        """A variable of the caller's context as a FEEL value, or a function of that name, or null with a warning."""
        if name in self.context:
            value = self.values[name] = normalise(self.context[name], self, name)
            return value
        function = self.function(name)
        if function is not None:
            return function
        if name == "partial":
            self.warn("`partial` is only set inside the body of a `for`", position)
        else:
            self.warn(f"variable `{name}` is not set; known: {self._known()}", position)
        return None

    def function(self, name: str) -> Function | None:
        """A function of the environment or a built-in one."""
        functions = self.environment.functions
        if functions is not None and name in functions:
            return functions[name]
        return BUILT_INS.get(name)

    def _known(self) -> str:
        names: list[str] = []
        for name in self.context:
            if len(names) == MAX_KNOWN_SHOWN:
                names.append("...")
                break
            names.append(str(name))
        return ", ".join(names) or "nothing"


class Scope:
    """Variables of one level, and the level around it."""

    __slots__ = ("parent", "run", "values")

    def __init__(self, values: dict[str, Value], parent: Scope | None, run: Run) -> None:
        self.values = values
        self.parent = parent
        self.run = run

    def knows(self, name: str) -> bool:
        """Whether there is a variable of that name, here or around."""
        level: Scope | None = self
        while level is not None:
            if name in level.values:
                return True
            level = level.parent
        return self.run.has(name)


Code = Callable[[Scope], Any]
"""A compiled node: called with a scope it gives the node's value."""
