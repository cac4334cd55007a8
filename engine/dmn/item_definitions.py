"""Item definitions as FEEL types (DMN 1.5, section 7.3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import feel
from engine.dmn.loading import Loading
from engine.dmn.xml import Element, child, children, name_of, text_of, type_ref
from feel.parser import Parser
from feel.types import ANY, ConstrainedType, ContextType, FunctionType, ListType, Type, resolve


@dataclass(frozen=True, slots=True)
class NamedType(Type):
    """A type by its name, looked up when needed, so that item definitions may refer to each other in any order."""

    registry: dict[str, Type] = field(compare=False)

    @property
    def target(self) -> Type:
        """The type that the name stands for."""
        return self.registry.get(self.name, ANY)

    def admits(self, value: feel.Value) -> bool:
        return self.target.admits(value)

    def unconstrained(self) -> Type:
        # Not looked through: a type that contains itself would be unfolded for ever.
        return self

    def conforms_to(self, other: Type) -> bool:
        return self == other or self.target.conforms_to(other)


def load_item_definitions(loading: Loading) -> None:
    """Puts the types of all item definitions into the loading state."""
    definitions = list(children(loading.root, "itemDefinition"))
    waiting = {name_of(definition): definition for definition in definitions}
    building: list[str] = []

    def lookup(name: str) -> Type | None:
        if name in building:
            return NamedType(name, loading.types)
        if name in waiting:
            definition = waiting.pop(name)
            building.append(name)
            loading.types[name] = _item_type(loading, definition, lookup)
            building.pop()
        return loading.types.get(name)

    for definition in definitions:
        lookup(name_of(definition))
    _refuse_circles(loading, definitions)


def _refuse_circles(loading: Loading, definitions: list[Element]) -> None:
    for definition in definitions:
        name = name_of(definition)
        seen = {name}
        current = loading.types.get(name)
        while isinstance(current, (NamedType, ConstrainedType)):
            if isinstance(current, ConstrainedType):
                current = current.base
                continue
            if current.name in seen:
                loading.problem(definition, f"the type `{name}` is defined by itself")
                loading.types[name] = ANY
                break
            seen.add(current.name)
            current = loading.types.get(current.name)


_Lookup = Callable[[str], "Type | None"]


def _item_type(loading: Loading, definition: Element, lookup: _Lookup) -> Type:
    components = list(children(definition, "itemComponent"))
    function_item = child(definition, "functionItem")
    if components:
        entries = tuple((name_of(component), _item_type(loading, component, lookup)) for component in components)
        base: Type = ContextType("context", entries)
    elif function_item is not None:
        base = _function_type(loading, function_item, lookup)
    else:
        base = _referenced(loading, definition, type_ref(definition), lookup) or ANY
    base = _constrained(loading, definition, "allowedValues", base)
    if definition.get("isCollection") == "true":
        base = ListType("list", base)
    return _constrained(loading, definition, "typeConstraint", base)


def _function_type(loading: Loading, item: Element, lookup: _Lookup) -> Type:
    parameters = tuple(
        _referenced(loading, parameter, type_ref(parameter), lookup) or ANY
        for parameter in children(item, "parameters")
    )
    result = _referenced(loading, item, item.get("outputTypeRef"), lookup) or ANY
    return FunctionType("function", parameters, result)


def _constrained(loading: Loading, definition: Element, constraint: str, base: Type) -> Type:
    element = child(definition, constraint)
    text = text_of(element)
    if element is None or text is None:
        return base
    tests = loading.tests(element, text)
    if tests is None:
        return base
    name = name_of(definition) or base.name
    return ConstrainedType(name, base, lambda value: tests.evaluate({"?": value}).value is True)


def _referenced(loading: Loading, element: Element, written: str | None, lookup: _Lookup) -> Type | None:
    if written is None:
        return None
    found = lookup(written)
    if found is not None:
        return found
    return _written_type(loading, element, written)


def _written_type(loading: Loading, element: Element, written: str) -> Type | None:
    prefix, _, rest = written.partition(":")
    # DMN 1.1 wrote the built-in types as qualified names, such as feel:string.
    name = rest if rest and prefix in element.nsmap else written
    try:
        parser = Parser(name, loading.table)
        node = parser.type()
        parser.expect_end()
    except feel.FeelSyntaxError as error:
        loading.problem(element, f"the type `{written}` is not written right: {error}")
        return None
    target = resolve(node, loading.types)
    if target is None:
        loading.problem(element, f"there is no type `{written}`")
    return target


_DMN_1_1_TYPES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
}
"""Names that other modelers write for FEEL's types."""


def find_type(loading: Loading, element: Element, written: str | None) -> Type | None:
    """The type that a `typeRef` names; None, with a problem noted, if there is none."""
    if written is None:
        return None
    known = loading.types.get(written)
    if known is not None:
        return known
    return _written_type(loading, element, _DMN_1_1_TYPES.get(written, written))
