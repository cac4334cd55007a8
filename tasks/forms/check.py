"""The deployment gate for forms: what a schema asks for that nobody could fill in, or that would be ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.problems import Problem
from tasks.forms import expressions, patterns
from tasks.forms.components import KEYED, KNOWN, MANY_OF, ONE_OF, Component, Path, every, read
from tasks.forms.values import as_decimal

#: Properties in which FEEL may stand, as paths into a component.
_FEEL = (
    ("conditional", "hide"),
    ("readonly",),
    ("valuesExpression",),
    ("expression",),
    ("validate", "min"),
    ("validate", "max"),
    ("validate", "minLength"),
    ("validate", "maxLength"),
)

_SUBTYPES = ("date", "time", "datetime")
_TIME_FORMATS = (None, "utc_offset", "utc_normalized", "no_timezone")

#: Components inside one another; deeper than any form a person could read.
MOST_LEVELS = 20


def check(schema: object) -> list[Problem]:
    """Return what is wrong with a form schema, each at its component's id; empty: it can be deployed."""
    if not isinstance(schema, Mapping):
        return [Problem("The form is not a JSON object.")]
    problems = list(_misplaced(schema, 1))
    if problems:
        return problems
    components = read(schema)
    problems.extend(problem for component in every(components) for problem in _component_problems(component))
    problems.extend(_duplicate_keys(components))
    return problems


def _misplaced(parent: Mapping[str, Any], level: int) -> Iterator[Problem]:
    """Yield a problem for everything that stands where a component should."""
    here = parent.get("id") if isinstance(parent.get("id"), str) else None
    children = parent.get("components", [])
    if not isinstance(children, list):
        yield Problem("`components` must be a list of components.", here)
        return
    if level > MOST_LEVELS:
        yield Problem(f"Components are nested more than {MOST_LEVELS} deep.", here)
        return
    for child in children:
        if isinstance(child, Mapping):
            yield from _misplaced(child, level + 1)
        else:
            yield Problem("A component must be a JSON object.", here)


def _component_problems(component: Component) -> Iterator[Problem]:
    for sentence in _sentences(component):
        yield Problem(f"{component.label}: {sentence}", component.properties.get("id"))


def _sentences(component: Component) -> Iterator[str]:
    properties = component.properties
    if component.type not in KNOWN:
        yield f"components of the type `{component.type}` are not known here." if component.type else "has no type."
        return
    if component.type == "filepicker":
        yield "files cannot be uploaded; let people enter where the file is kept."
    if component.type in KEYED and not all(component.key.split(".")):
        yield "needs a key: the name of the variable that it fills."
    if component.repeats and not all(component.steps or [""]):
        yield "needs a path: the name of the variable that holds its rows."
    for path in _FEEL:
        holder: Any = properties
        for step in path[:-1]:
            holder = holder.get(step) if isinstance(holder, Mapping) else None
        text = holder.get(path[-1]) if isinstance(holder, Mapping) else None
        if expressions.is_expression(text) and (reason := expressions.problem(str(text))):
            yield f"the expression in `{'.'.join(path)}` is not FEEL: {reason}"
    if component.type == "expression" and not expressions.is_expression(properties.get("expression")):
        yield "needs an expression that begins with `=`."
    hide = properties["conditional"].get("hide") if isinstance(properties.get("conditional"), Mapping) else None
    if hide and not expressions.is_expression(hide):
        yield "the condition must be an expression that begins with `=`."
    yield from _rule_sentences(component)
    if component.type in ONE_OF | MANY_OF:
        yield from _option_sentences(component)
    if component.type == "datetime":
        if properties.get("subtype", "date") not in _SUBTYPES:
            yield "`subtype` must be date, time or datetime."
        if properties.get("timeSerializingFormat") not in _TIME_FORMATS:
            yield "`timeSerializingFormat` must be utc_offset, utc_normalized or no_timezone."


def _rule_sentences(component: Component) -> Iterator[str]:
    rules = component.validate
    for name in ("min", "max", "minLength", "maxLength"):
        limit = rules.get(name)
        if limit not in (None, "") and not expressions.is_expression(limit) and as_decimal(limit) is None:
            yield f"`{name}` must be a number."
    for low, high in (("min", "max"), ("minLength", "maxLength")):
        lowest, highest = as_decimal(rules.get(low)), as_decimal(rules.get(high))
        if lowest is not None and highest is not None and lowest > highest:
            yield f"`{low}` is greater than `{high}`, so no value is right."
    pattern = rules.get("pattern")
    if isinstance(pattern, str):
        try:
            patterns.compiled(pattern)
        except patterns.PatternFailed as error:
            yield f"the pattern is not a regular expression: {error}"
    if rules.get("validationType") not in (None, "", "custom", "email", "phone"):
        yield "`validationType` must be email or phone."
    digits = component.properties.get("decimalDigits")
    if digits is not None and (not isinstance(digits, int) or digits < 0):
        yield "`decimalDigits` must be a whole number, 0 or more."
    step = component.properties.get("increment")
    if step not in (None, "") and ((number := as_decimal(step)) is None or number <= 0):
        yield "`increment` must be a positive number."


def _option_sentences(component: Component) -> Iterator[str]:
    properties = component.properties
    if properties.get("valuesKey"):
        return
    if "valuesExpression" in properties:
        if not expressions.is_expression(properties["valuesExpression"]):
            yield "`valuesExpression` must begin with `=`."
        return
    options = properties.get("values")
    if not isinstance(options, list) or not options:
        yield "needs options: `values`, `valuesKey` or `valuesExpression`."
        return
    values = [option.get("value") if isinstance(option, Mapping) else option for option in options]
    if any(value is None or value == "" for value in values):
        yield "an option has no value."
    if len({repr(value) for value in values}) < len(values):
        yield "two options have the same value."


def _duplicate_keys(
    components: tuple[Component, ...], prefix: Path = (), seen: set[Path] | None = None
) -> Iterator[Problem]:
    """Yield a problem for every value that two components claim, whole or in part; the browser could not show it."""
    claimed: set[Path] = set() if seen is None else seen
    for component in components:
        path = (*prefix, *component.steps)
        if component.type in KEYED or component.repeats:
            if any(path[: len(other)] == other[: len(path)] for other in claimed):
                name = ".".join(map(str, path))
                yield Problem(f"{component.label}: the key `{name}` is used twice.", component.properties.get("id"))
            claimed.add(path)
        if component.repeats:
            yield from _duplicate_keys(component.components, (), set())
        else:
            yield from _duplicate_keys(component.components, path, claimed)
