"""Dotted paths into variables, as mappings write them: `customer.phone`."""

from __future__ import annotations

from typing import Any


def put_path(target: dict[str, Any], path: str, value: Any) -> None:
    """Set `value` in nested dicts at a dotted `path`, keeping what stands beside it."""
    *parents, last = path.split(".")
    for name in parents:
        inner = target.get(name)
        target[name] = dict(inner) if isinstance(inner, dict) else {}
        target = target[name]
    target[last] = value
