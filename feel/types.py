"""Types as values: `instance of`, and the implicit conversions of DMN 1.5, section 10.3.2.9.4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from feel import nodes
from feel.temporal import Date, DateTime, Time
from feel.values import Function, Range, Value, kind

SIMPLE_TYPES: Final = frozenset(
    (
        "number", "string", "boolean", "date", "time", "date and time",
        "years and months duration", "days and time duration",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Type:
    """A simple type by its FEEL name; "Any" admits everything."""

    name: str

    def admits(self, value: Value) -> bool:
        """Whether a value other than null is of this type."""
        return self.name == "Any" or kind(value) == self.name

    def unconstrained(self) -> Type:
        """The type without lists of allowed values, at any depth."""
        return self

    def conforms_to(self, other: Type) -> bool:
        """Whether every value of this type is one of the other (DMN 1.5, section 10.3.2.9.2)."""
        return other.name == "Any" or self.name == "null" or self == other

    def __str__(self) -> str:
        return self.name


ANY: Final = Type("Any")
NULL: Final = Type("null")


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """list<item>."""

    item: Type

    def admits(self, value: Value) -> bool:
        return type(value) is list and all(item is None or self.item.admits(item) for item in value)

    def unconstrained(self) -> Type:
        return ListType(self.name, self.item.unconstrained())

    def conforms_to(self, other: Type) -> bool:
        if isinstance(other, ListType):
            return self.item.conforms_to(other.item)
        return Type.conforms_to(self, other)

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class RangeType(Type):
    """range<item>."""

    item: Type

    def admits(self, value: Value) -> bool:
        return type(value) is Range and all(end is None or self.item.admits(end) for end in (value.start, value.end))

    def conforms_to(self, other: Type) -> bool:
        if isinstance(other, RangeType):
            return self.item.conforms_to(other.item)
        return Type.conforms_to(self, other)

    def __str__(self) -> str:
        return f"range<{self.item}>"


@dataclass(frozen=True, slots=True)
class ContextType(Type):
    """context<entry: type, ...>; a value may have more entries."""

    entries: tuple[tuple[str, Type], ...]

    def admits(self, value: Value) -> bool:
        return type(value) is dict and all(
            name in value and (value[name] is None or entry.admits(value[name])) for name, entry in self.entries
        )

    def conforms_to(self, other: Type) -> bool:
        if isinstance(other, ContextType):
            own = dict(self.entries)
            return all(name in own and own[name].conforms_to(entry) for name, entry in other.entries)
        return Type.conforms_to(self, other)

    def unconstrained(self) -> Type:
        return ContextType(self.name, tuple((name, entry.unconstrained()) for name, entry in self.entries))

    def __str__(self) -> str:
        return "context<" + ", ".join(f"{name}: {entry}" for name, entry in self.entries) + ">"


@dataclass(frozen=True, slots=True)
class FunctionType(Type):
    """function<parameter, ...> -> result."""

    parameters: tuple[Type, ...]
    result: Type

    def admits(self, value: Value) -> bool:
        return isinstance(value, Function) and type_of_function(value).conforms_to(self)

    def conforms_to(self, other: Type) -> bool:
        if isinstance(other, FunctionType):
            return (
                len(self.parameters) == len(other.parameters)
                and all(b.conforms_to(a) for a, b in zip(self.parameters, other.parameters, strict=True))
                and self.result.conforms_to(other.result)
            )
        return Type.conforms_to(self, other)

    def __str__(self) -> str:
        return f"function<{', '.join(map(str, self.parameters))}> -> {self.result}"


@dataclass(frozen=True, slots=True)
class ConstrainedType(Type):
    """A type of which only some values are allowed; `allows` decides."""

    base: Type
    allows: Callable[[Value], bool] = field(compare=False)

    def admits(self, value: Value) -> bool:
        return self.base.admits(value) and self.allows(value)

    def unconstrained(self) -> Type:
        return self.base.unconstrained()

    def conforms_to(self, other: Type) -> bool:
        return self == other or self.base.conforms_to(other)


def type_of_function(function: Function) -> FunctionType:
    """The type of a function as far as its definition states it."""
    parameters = function.types or (None,) * len(function.parameters)
    # A function that does not state its result may give anything, also what is wanted.
    result = function.result or NULL
    return FunctionType("function", tuple(parameter or ANY for parameter in parameters), result)


def instance_of(value: Value, target: Type) -> bool:
    """`value instance of target`; null is an instance of the null type only, and allowed values do not matter."""
    if value is None:
        return target.name == "null"
    return target.unconstrained().admits(value)


def convert(value: Value, target: Type | None) -> tuple[Value, bool]:
    """The value as the type wants it, and whether that was possible; null fits everywhere.

    [x] becomes x where one value is wanted, x becomes [x] where a list is wanted, a date becomes its midnight in UTC.
    """
    if value is None or target is None or target.name == "Any" or target.admits(value):
        return value, True
    base = target
    while isinstance(base, ConstrainedType):
        base = base.base
    if isinstance(value, list) and len(value) == 1 and not _is_list(base) and target.admits(value[0]):
        return value[0], True
    if not isinstance(value, list) and _is_list(base) and target.admits([value]):
        return [value], True
    if isinstance(value, Date) and base.name == "date and time":
        moment = DateTime(value, Time(0, 0, 0, 0, 0))
        return (moment, True) if target.admits(moment) else (None, False)
    return None, False


def _is_list(target: Type) -> bool:
    return target.name == "list"


def resolve(node: nodes.TypeNode, types: Mapping[str, Type] | None) -> Type | None:
    """The type that a type expression means; None when it names an unknown one."""
    if types and node.name in types and not node.arguments:
        return types[node.name]
    arguments = [resolve(argument, types) for argument in node.arguments]
    if any(argument is None for argument in arguments):
        return None
    known = [argument for argument in arguments if argument is not None]
    match node.name:
        case "list" if known:
            return ListType("list", known[0])
        case "range" if known:
            return RangeType("range", known[0])
        case "context" if node.names:
            return ContextType("context", tuple(zip(node.names, known, strict=True)))
        case "function" if known:
            return FunctionType("function", tuple(known[:-1]), known[-1])
        case "Any" | "any":
            return ANY
        case "Null" | "null":
            return NULL
    return Type(node.name) if node.name in SIMPLE_TYPES else None


def unknown_type(node: nodes.TypeNode) -> str:
    """Why a type expression means nothing; Table 61: the composite types need their arguments."""
    if node.name in ("list", "range", "context", "function") and not node.arguments:
        hints = {"context": "context<name: type>", "function": "function<type> -> type"}
        return f"the type `{node.name}` needs its arguments, as in `{hints.get(node.name, node.name + '<Any>')}`"
    return f"there is no type `{node.name}`"
