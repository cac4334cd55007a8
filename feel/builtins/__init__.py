"""The built-in functions, one module a family; importing this package declares them all."""

from feel.builtins import (
    booleans,
    contexts,
    conversion,
    lists,
    numbers,
    numeric_lists,
    ranges,
    strings,
    temporal,
    working_time,
)
from feel.builtins.registry import FUNCTIONS, SIGNATURES

__all__ = [
    "FUNCTIONS",
    "SIGNATURES",
    "booleans",
    "contexts",
    "conversion",
    "lists",
    "numbers",
    "numeric_lists",
    "ranges",
    "strings",
    "temporal",
    "working_time",
]
