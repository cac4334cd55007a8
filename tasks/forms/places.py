"""Finding and putting values in nested data by path."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from tasks.forms.components import Path


class Missing:
    """The type of `MISSING`."""


#: There is nothing at a path; null is a value.
MISSING: Final = Missing()


def find(data: Any, path: Path) -> Any:
    """Return the value at `path`, or MISSING."""
    for step in path:
        data = _step(data, step)
    return data


def _step(data: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return data[step] if isinstance(data, list) and step < len(data) else MISSING
    return data.get(step, MISSING) if isinstance(data, Mapping) else MISSING


def put(data: dict[str, Any], path: Path, value: Any) -> None:
    """Put `value` at `path`; objects on the way are made, and rows must exist."""
    container: Any = data
    for step, following in pairwise(path):
        inner = container[step] if isinstance(step, int) else container.get(step)
        if isinstance(following, str) and not isinstance(inner, dict):
            inner = container[step] = {}
        container = inner
    container[path[-1]] = value


def without(data: Any, paths: frozenset[Path], here: Path = ()) -> Any:
    """Return a copy of `data` in which the values at `paths` are missing."""
    if isinstance(data, Mapping):
        return {
            name: without(value, paths, (*here, name)) for name, value in data.items() if (*here, name) not in paths
        }
    if isinstance(data, list):
        return [without(value, paths, (*here, index)) for index, value in enumerate(data)]
    return data


def written(path: Path) -> str:
    """Return `path` as text, e.g. `items[0].price`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
