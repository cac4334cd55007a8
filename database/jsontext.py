"""JSON text as we store and send it: decimals stay exact, everything else is plain JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson


def _encode(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(_number(value))
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


def _number(value: Decimal) -> bytes:
    if not value.is_finite():
        raise TypeError(f"{value} is not a JSON number")
    if value == value.to_integral_value() and value.adjusted() < 40:
        return str(value.quantize(Decimal(1)) if value.adjusted() < 27 else int(value)).encode()
    return str(value).encode()


_OPTIONS = orjson.OPT_NON_STR_KEYS


def dumps(value: object) -> str:
    """Return JSON text; `Decimal` becomes a number with all its digits; raises TypeError for anything else unknown."""
    try:
        return orjson.dumps(value, default=_encode, option=_OPTIONS).decode()
    except TypeError as error:
        # orjson refuses integers beyond 64 bits, which JSON and FEEL allow.
        if "Integer exceeds 64-bit range" in str(error):
            return orjson.dumps(_widen(value), default=_encode, option=_OPTIONS).decode()
        raise


def _widen(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, dict):
        return {name: _widen(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_widen(item) for item in value]
    return value


def loads(text: str | bytes) -> Any:
    """Return the value of JSON text with fractions as `Decimal`; raises ValueError when it is not JSON."""
    return _DECODER.decode(text if isinstance(text, str) else text.decode())


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


# `json.loads` would make one each time, which takes longer than most of our texts.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
