"""Boxed expressions other than decision tables (DMN 1.5, section 7.3 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable

import feel
from engine.dmn.item_definitions import find_type
from engine.dmn.loading import Loading, nearest_id, typed
from engine.dmn.tables import load_table
from engine.dmn.xml import Element, child, children, local_name, name_of, text_of, type_ref
from feel.compiler.control import iterate_for, iterate_quantified
from feel.compiler.functions import call_function
from feel.compiler.paths import apply_filter
from feel.runtime import Code, Run, Scope
from feel.types import Type

FEEL_LANGUAGES = ("FEEL/", "feel", "FEEL", "FEEL.xsd", "feel.xsd")


def load_boxed(loading: Loading, element: Element, decision_id: str) -> Code | None:
    """The code of any boxed expression; None, with a problem noted, where it is missing or wrong."""
    loader = _LOADERS.get(local_name(element))
    if loader is None:
        loading.problem(element, f"`{local_name(element)}` is not an expression")
        return None
    code = loader(loading, element, decision_id)
    if code is None:
        return None
    target = find_type(loading, element, type_ref(element)) if local_name(element) != "decisionTable" else None
    return typed(code, target, "the value of the expression", nearest_id(element))


def load_expression_in(loading: Loading, element: Element | None, decision_id: str) -> Code | None:
    """The code of the boxed expression inside an element; None if there is none."""
    if element is None:
        return None
    for inner in children(element):
        if local_name(inner) in _LOADERS:
            return load_boxed(loading, inner, decision_id)
    return None


def _null(_scope: Scope) -> feel.Value:
    return None


def _literal(loading: Loading, element: Element, _decision_id: str) -> Code | None:
    language = element.get("expressionLanguage") or loading.root.get("expressionLanguage")
    if language and not language.endswith(FEEL_LANGUAGES):
        loading.problem(element, f"the expression language {language} is not FEEL")
        return None
    text = text_of(element)
    return _null if text is None else loading.expression(element, text)


def _context(loading: Loading, element: Element, decision_id: str) -> Code | None:
    entries: list[tuple[str | None, Code]] = []
    for entry in children(element, "contextEntry"):
        variable = child(entry, "variable")
        code = load_expression_in(loading, entry, decision_id) or _null
        if variable is not None:
            name = name_of(variable)
            target = find_type(loading, variable, type_ref(variable))
            code = typed(code, target, f"the entry `{name}`", nearest_id(entry))
        entries.append((name_of(variable) if variable is not None else None, code))

    def run(scope: Scope) -> feel.Value:
        result: dict[str, feel.Value] = {}
        inner = Scope(result, scope, scope.run)
        for name, code in entries:
            value = code(inner)
            if name is None:
                return value
            result[name] = value
        return result

    return run


def _list(loading: Loading, element: Element, decision_id: str) -> Code | None:
    items = [
        load_boxed(loading, item, decision_id) or _null for item in children(element) if local_name(item) in _LOADERS
    ]
    return lambda scope: [item(scope) for item in items]


def _relation(loading: Loading, element: Element, decision_id: str) -> Code | None:
    columns = [name_of(column) for column in children(element, "column")]
    rows = [
        [load_boxed(loading, cell, decision_id) or _null for cell in children(row) if local_name(cell) in _LOADERS]
        for row in children(element, "row")
    ]

    def run(scope: Scope) -> feel.Value:
        return [{name: cell(scope) for name, cell in zip(columns, row, strict=False)} for row in rows]

    return run


def _invocation(loading: Loading, element: Element, decision_id: str) -> Code | None:
    callee = load_expression_in(loading, element, decision_id)
    if callee is None:
        loading.problem(element, "the invocation does not say what is invoked")
        return None
    bindings: list[tuple[str, Code]] = []
    for binding in children(element, "binding"):
        parameter = child(binding, "parameter")
        if parameter is None:
            loading.problem(binding, "the binding has no parameter")
            continue
        bindings.append((name_of(parameter), load_expression_in(loading, binding, decision_id) or _null))
    names = tuple(name for name, _code in bindings)

    def run(scope: Scope) -> feel.Value:
        function = callee(scope)
        return call_function(scope.run, function, [code(scope) for _name, code in bindings], names)

    return run


def load_function(
    loading: Loading, element: Element, decision_id: str, name: str = "function", result: Type | None = None
) -> Code | None:
    """The code that makes the function of a `functionDefinition` or `encapsulatedLogic`."""
    kind = element.get("kind", "FEEL")
    parameters = list(children(element, "formalParameter"))
    names = tuple(name_of(parameter) for parameter in parameters)
    types: tuple[Type | None, ...] = tuple(
        find_type(loading, parameter, type_ref(parameter)) for parameter in parameters
    )
    if kind != "FEEL":
        loading.problem(element, f"the function is written in {kind}; only FEEL is executed")
        return None
    with loading.knowing(names):
        body = load_expression_in(loading, element, decision_id) or _null
    result = result or find_type(loading, element, type_ref(element))

    def make(scope: Scope) -> feel.Value:
        def invoke(run: Run, arguments: list[feel.Value]) -> feel.Value:
            return body(Scope(dict(zip(names, arguments, strict=True)), scope, run))

        return feel.Function(names, invoke, types, result, name)

    return make


def _function(loading: Loading, element: Element, decision_id: str) -> Code | None:
    return load_function(loading, element, decision_id)


def _conditional(loading: Loading, element: Element, decision_id: str) -> Code | None:
    condition, yes, no = (
        load_expression_in(loading, child(element, part), decision_id) for part in ("if", "then", "else")
    )
    if condition is None:
        loading.problem(element, "the conditional has no condition")
        return None
    then, otherwise = yes or _null, no or _null

    def run(scope: Scope) -> feel.Value:
        outcome = condition(scope)
        if outcome is not None and type(outcome) is not bool:
            scope.run.warn(f"the condition is {feel.shown(outcome)}, not a boolean", 0)
            return None
        return then(scope) if outcome is True else otherwise(scope)

    return run


def _filter(loading: Loading, element: Element, decision_id: str) -> Code | None:
    source = load_expression_in(loading, child(element, "in"), decision_id)
    match = load_expression_in(loading, child(element, "match"), decision_id)
    if source is None or match is None:
        loading.problem(element, "the filter needs a list and a condition")
        return None
    return lambda scope: apply_filter(scope, source(scope), match, 0)


def _iteration(loading: Loading, element: Element, decision_id: str, part: str) -> tuple[str, Code, Code] | None:
    source = load_expression_in(loading, child(element, "in"), decision_id)
    body = load_expression_in(loading, child(element, part), decision_id)
    variable = element.get("iteratorVariable")
    if source is None or body is None or not variable:
        loading.problem(element, f"the iteration needs a variable, a list and a `{part}`")
        return None
    return variable, source, body


def _for(loading: Loading, element: Element, decision_id: str) -> Code | None:
    parts = _iteration(loading, element, decision_id, "return")
    return None if parts is None else iterate_for(*parts)


def _quantified(loading: Loading, element: Element, decision_id: str) -> Code | None:
    parts = _iteration(loading, element, decision_id, "satisfies")
    return None if parts is None else iterate_quantified(local_name(element), *parts)


_LOADERS: dict[str, Callable[[Loading, Element, str], Code | None]] = {
    "literalExpression": _literal,
    "decisionTable": load_table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "invocation": _invocation,
    "functionDefinition": _function,
    "conditional": _conditional,
    "filter": _filter,
    "for": _for,
    "some": _quantified,
    "every": _quantified,
}
