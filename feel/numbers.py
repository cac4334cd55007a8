"""FEEL's number: decimal floating point of 34 digits (IEEE 754-2008 decimal128; DMN 1.5, section 10.3.2.3.1)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=0, capitals=1, traps=[])
WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN, Emin=-99999, Emax=99999, traps=[])
"""For intermediate results that must not be rounded twice."""

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
MAX_PLAIN_EXPONENT = 100


def parse_number(text: str) -> Decimal | None:
    """The number that a text spells, rounded to 34 digits; None if it spells none or one out of range."""
    if len(text) > 10_000 or not _NUMBER.fullmatch(text):
        return None
    return finite(CONTEXT.create_decimal(text))


def finite(value: Decimal) -> Decimal | None:
    """The value, or None for an infinity or not-a-number, which FEEL does not have."""
    return value if value.is_finite() else None


def number_text(value: Decimal) -> str:
    """A number as FEEL's `string()` writes it: plain notation without superfluous zeros where that is short."""
    if not value:
        return "0"
    _sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if exponent > MAX_PLAIN_EXPONENT or exponent + len(digits) < -MAX_PLAIN_EXPONENT:
        return str(value.normalize(CONTEXT))
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def truncated(value: Decimal) -> int | None:
    """The number cut to an int, as positions and lengths are; None if it is too large to count with."""
    return int(value) if value.adjusted() <= 18 else None


def whole(value: Decimal) -> int | None:
    """The number as an int if it is whole and small enough to count with."""
    if value.adjusted() > 18 or value != value.to_integral_value():
        return None
    return int(value)
