"""Files of a process library, as resources to deploy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from processes.service import Resource

#: Endings of files that can be deployed.
SUFFIXES = (".bpmn", ".dmn", ".form")


def resources(paths: Iterable[Path]) -> list[Resource]:
    """Return the files, and those in directories, each named by its folder (the domain) and its own name."""
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [
        Resource(f"{file.resolve().parent.name}/{file.name}", file.read_bytes())
        for file in files
        if file.suffix in SUFFIXES
    ]
