"""Boolean functions (DMN 1.5, table 73), identity, and Camunda's functions around null."""

from __future__ import annotations

from feel.builtins.registry import builtin
from feel.comparison import identical
from feel.errors import FeelAssertionFailed
from feel.runtime import Run
from feel.values import Value, kind


@builtin("not", "negand: any")
def negation(run: Run, negand: Value) -> Value:
    """True for false, false for true, null for anything else."""
    if type(negand) is bool:
        return not negand
    return None if negand is None else run.null(f"not: a {kind(negand)} is no boolean")


@builtin("is", "value1?: any", "value2?: any")
def is_identical(run: Run, *values: Value) -> Value:
    """Whether two values are the same element of the semantic domain: zones and offsets count too."""
    first, second = (*values, None, None)[:2]
    return identical(first, second, run.budget.spend)


@builtin("is defined", "value: any")
def is_defined(_run: Run, value: Value) -> Value:
    """Whether the value is anything but null (Camunda)."""
    return value is not None


@builtin("get or else", "value: any", "default: any")
def get_or_else(_run: Run, value: Value, default: Value) -> Value:
    """The value, or the default where it is null (Camunda)."""
    return default if value is None else value


@builtin("assert", "value: any", "condition: boolean?", "cause?: string")
def assert_condition(_run: Run, value: Value, condition: bool | None, cause: str | None = None) -> Value:
    """The value if the condition is true; otherwise the evaluation fails (Camunda)."""
    if condition is True:
        return value
    raise FeelAssertionFailed(cause or "the condition of `assert` is not fulfilled")
