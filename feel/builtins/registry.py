"""How built-in functions are declared and called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from feel.durations import DaysTimeDuration, YearsMonthsDuration
from feel.runtime import BUILT_INS, Run
from feel.temporal import Date, DateTime, Time
from feel.values import BuiltIn, Function, Range, Value, kind, shown

Implementation = Callable[..., Value]

LONG_STRING = 4_096

_ACCEPTED: dict[str, frozenset[type] | None] = {
    "any": None,
    "number": frozenset((Decimal,)),
    "string": frozenset((str,)),
    "boolean": frozenset((bool,)),
    "date": frozenset((Date,)),
    "time": frozenset((Time,)),
    "date and time": frozenset((DateTime,)),
    "years and months duration": frozenset((YearsMonthsDuration,)),
    "days and time duration": frozenset((DaysTimeDuration,)),
    "duration": frozenset((YearsMonthsDuration, DaysTimeDuration)),
    "list": frozenset((list,)),
    "context": frozenset((dict,)),
    "range": frozenset((Range,)),
    "function": frozenset((Function, BuiltIn)),
    "point": frozenset((Decimal, str, Date, Time, DateTime, YearsMonthsDuration, DaysTimeDuration)),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as declared: `name: type`, `name?: type` (may be left out), `...name: type` (any number)."""

    name: str
    type_name: str
    accepted: frozenset[type] | None
    optional: bool
    variadic: bool
    nullable: bool

    @property
    def text(self) -> str:
        """The parameter as a person writes it."""
        return f"{'...' if self.variadic else ''}{self.name}{'?' if self.optional else ''}: {self.type_name}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a built-in function."""

    parameters: tuple[Parameter, ...]
    implementation: Implementation
    required: int
    most: int | None

    def text(self, name: str) -> str:
        """The signature as a person writes it: `?` marks what may be left out, `...` what may be repeated."""
        return f"{name}({', '.join(parameter.text for parameter in self.parameters)})"


FUNCTIONS: dict[str, Function] = BUILT_INS
SIGNATURES: dict[str, list[Signature]] = {}


def builtin(name: str, *parameters: str) -> Callable[[Implementation], Implementation]:
    """Declares a built-in function, or one more signature of it.

    A type ending in `?` also takes null; any other null argument makes the result null. Types can be joined by `|`.
    """
    declared = tuple(_parameter(parameter) for parameter in parameters)

    def register(implementation: Implementation) -> Implementation:
        required = sum(not parameter.optional for parameter in declared)
        most = None if any(parameter.variadic for parameter in declared) else len(declared)
        signatures = SIGNATURES.setdefault(name, [])
        signatures.append(Signature(declared, implementation, required, most))
        FUNCTIONS[name] = _function(name, signatures)
        return implementation

    return register


def _parameter(text: str) -> Parameter:
    name, _, type_text = text.partition(":")
    type_text = type_text.strip() or "any"
    nullable = type_text.endswith("?") or type_text == "any"
    type_text = type_text.rstrip("?")
    accepted: frozenset[type] | None = frozenset()
    for part in type_text.split("|"):
        kinds = _ACCEPTED[part.strip()]
        accepted = None if kinds is None or accepted is None else accepted | kinds
    name = name.strip()
    return Parameter(
        name.removeprefix("...").rstrip("?"), type_text, accepted, name.endswith("?"), name.startswith("..."), nullable
    )


def _function(name: str, signatures: list[Signature]) -> BuiltIn:
    def call(run: Run, arguments: list[Value], names: tuple[str, ...]) -> Value:
        problem = ""
        for signature in signatures:
            values, reason = _bind(signature, arguments, names)
            if values is not None:
                for value in values:
                    if type(value) is str and len(value) > LONG_STRING:
                        run.budget.read_string(len(value))
                return signature.implementation(run, *values)
            problem = problem or reason
        if len(signatures) > 1:
            problem = problem if any(value is None for value in arguments) else "no signature fits the arguments"
        run.warn(f"{name}: {problem}; it is called as {' or '.join(entry.text(name) for entry in signatures)}")
        return None

    def invoke(run: Run, arguments: list[Value]) -> Value:
        return call(run, arguments, ())

    longest = max(signatures, key=lambda signature: len(signature.parameters))
    return BuiltIn(tuple(parameter.name for parameter in longest.parameters), invoke, name=name, call=call)


def _bind(signature: Signature, arguments: list[Value], names: tuple[str, ...]) -> tuple[list[Value] | None, str]:
    """The implementation's arguments, or None with the reason why these do not fit."""
    parameters = signature.parameters
    if names:
        return _bind_named(signature, dict(zip(names, arguments, strict=True)), len(arguments))
    count = len(arguments)
    if count < signature.required or (signature.most is not None and count > signature.most):
        return None, f"takes {_count(signature)}, not {count}"
    values: list[Value] = []
    for index, argument in enumerate(arguments):
        parameter = parameters[index if index < len(parameters) else -1]
        value, fits = fit(argument, parameter)
        if not fits:
            return None, f"`{parameter.name}` must be a {parameter.type_name}, not {shown(argument)}"
        values.append(value)
    return values, ""


def _bind_named(signature: Signature, given: dict[str, Value], count: int) -> tuple[list[Value] | None, str]:
    values: list[Value] = []
    if len(given) < count:
        return None, "an argument is given twice"
    skipped = False
    for parameter in signature.parameters:
        if parameter.name not in given:
            if not (parameter.optional or parameter.variadic):
                return None, f"the argument `{parameter.name}` is missing"
            skipped = True
            values.append(None)
            continue
        argument = given.pop(parameter.name)
        if parameter.variadic and isinstance(argument, list):
            values.extend(argument)
            continue
        value, fits = fit(argument, parameter)
        if not fits:
            return None, f"`{parameter.name}` must be a {parameter.type_name}, not {shown(argument)}"
        values.append(value)
    if given:
        return None, f"has no parameter `{next(iter(given))}`"
    if skipped:
        while values and values[-1] is None and len(values) > signature.required:
            values.pop()
    return values, ""


def _count(signature: Signature) -> str:
    if signature.most is None:
        return f"at least {signature.required} arguments"
    if signature.most == signature.required:
        return f"{signature.required} argument{'' if signature.required == 1 else 's'}"
    return f"{signature.required} to {signature.most} arguments"


def fit(argument: Value, parameter: Parameter) -> tuple[Value, bool]:
    """An argument converted for a parameter (DMN 1.5, section 10.3.2.9.4), and whether that was possible."""
    accepted = parameter.accepted
    if accepted is None:
        return argument, True
    cls = type(argument)
    if cls in accepted:
        return argument, True
    if argument is None:
        return None, parameter.nullable
    if cls is list and len(argument) == 1 and type(argument[0]) in accepted:
        return argument[0], True
    if parameter.type_name == "list" and kind(argument) != "unknown":
        return [argument], True
    if cls is Date and DateTime in accepted:
        return DateTime(argument, Time(0, 0, 0, 0, 0)), True
    return None, False
