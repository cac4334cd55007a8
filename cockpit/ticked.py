"""The cases that were ticked in a list."""

from __future__ import annotations

from flask import request


def ticked() -> set[int]:
    """Return the keys of the cases that were ticked; what is no key is left out."""
    return {int(key) for key in request.form.getlist("case") if key.isdecimal() and len(key) < 20}
