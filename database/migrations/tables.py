"""The modules that declare tables, in whichever room; only migrations need to know them all."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

_ROOMS = ("engine", "processes", "tasks", "webhooks", "people", "cockpit", "web")

#: Tables that do not stand in a room's `models`.
_OTHERS = ("engine.clock",)


def import_all() -> None:
    """Make every table known to the declarative base."""
    for room in _ROOMS:
        if find_spec(f"{room}.models") is not None:
            import_module(f"{room}.models")
    for module in _OTHERS:
        import_module(module)
