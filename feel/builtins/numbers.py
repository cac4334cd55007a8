"""Functions of numbers (DMN 1.5, table 76)."""

from __future__ import annotations

import random
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

from feel.arithmetic import negate
from feel.builtins.registry import builtin
from feel.durations import YearsMonthsDuration
from feel.numbers import CONTEXT, WIDE, finite, truncated
from feel.runtime import Run
from feel.values import Value

MIN_SCALE, MAX_SCALE = -6111, 6176
_RANDOM = random.SystemRandom()


def _rounded(run: Run, value: Decimal, scale: Decimal, rounding: str) -> Value:
    places = truncated(scale)
    if places is None or not MIN_SCALE <= places <= MAX_SCALE:
        return run.null(f"the scale must be from {MIN_SCALE} to {MAX_SCALE}")
    _sign, _digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or -exponent <= places:
        return value
    wide = WIDE.copy()
    wide.prec = max(80, value.adjusted() + places + 2)
    wide.rounding = rounding
    return finite(CONTEXT.plus(value.quantize(Decimal(1).scaleb(-places, WIDE), context=wide)))


def _rounding(name: str, rounding: str, default: bool = False) -> None:
    @builtin(name, "n: number", "scale?: number" if default else "scale: number")
    def function(run: Run, value: Decimal, scale: Decimal = Decimal(0)) -> Value:
        return _rounded(run, value, scale, rounding)


_rounding("decimal", ROUND_HALF_EVEN)
_rounding("floor", ROUND_FLOOR, default=True)
_rounding("ceiling", ROUND_CEILING, default=True)
_rounding("round up", ROUND_UP)
_rounding("round down", ROUND_DOWN)
_rounding("round half up", ROUND_HALF_UP)
_rounding("round half down", ROUND_HALF_DOWN)


@builtin("abs", "n: number|duration")
def absolute(_run: Run, value: Value) -> Value:
    """The value without its sign."""
    if isinstance(value, Decimal):
        return abs(value)
    amount = value.months if isinstance(value, YearsMonthsDuration) else value.nanoseconds
    return negate(value) if amount < 0 else value


@builtin("modulo", "dividend: number", "divisor: number")
def modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Value:
    """The remainder, with the sign of the divisor: dividend - divisor * floor(dividend / divisor)."""
    if not divisor:
        return run.null("division by zero")
    run.budget.spend(1 + max(0, dividend.adjusted() - divisor.adjusted()) // 64)
    exact = WIDE.copy()
    exact.prec = max(80, dividend.adjusted() - divisor.adjusted() + 80)
    remainder = exact.remainder(dividend, divisor)
    if remainder and (remainder < 0) != (divisor < 0):
        remainder = exact.add(remainder, divisor)
    return finite(CONTEXT.plus(remainder))


@builtin("sqrt", "number: number")
def square_root(run: Run, value: Decimal) -> Value:
    """The square root; null of a negative number."""
    return CONTEXT.sqrt(value) if value >= 0 else run.null("a negative number has no square root")


@builtin("log", "number: number")
def logarithm(run: Run, value: Decimal) -> Value:
    """The natural logarithm; null of what is not positive."""
    return CONTEXT.ln(value) if value > 0 else run.null("only a positive number has a logarithm")


@builtin("exp", "number: number")
def exponential(run: Run, value: Decimal) -> Value:
    """Euler's number to that power; null where that is too large."""
    result = finite(CONTEXT.exp(value))
    return result if result is not None else run.null("the number is too large")


@builtin("odd", "number: number")
def odd(_run: Run, value: Decimal) -> Value:
    """Whether the number is odd; a fraction is neither odd nor even."""
    return _remainder_by_two(value) == 1


@builtin("even", "number: number")
def even(_run: Run, value: Decimal) -> Value:
    """Whether the number is even."""
    return _remainder_by_two(value) == 0


def _remainder_by_two(value: Decimal) -> Decimal:
    if value.adjusted() > 40:
        return Decimal(0)
    return abs(WIDE.remainder(value, Decimal(2)))


@builtin("random number")
def random_number(_run: Run) -> Value:
    """A number from 0 to below 1 (Camunda)."""
    return Decimal(_RANDOM.randrange(10**17)).scaleb(-17)
