"""Addresses of the built front end's files, with their content hashes so that browsers may keep them for ever."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from flask import url_for

DIST = Path(__file__).parent / "static" / "dist"


def asset(name: str) -> str:
    """Return the address of a built file, e.g. of `app.css`."""
    manifest = DIST / "manifest.json"
    version = _versions(manifest.stat().st_mtime_ns).get(name) if manifest.exists() else None
    return url_for("static", filename=f"dist/{name}", v=version)


@lru_cache(maxsize=2)
def _versions(_written_at: int) -> dict[str, str]:
    versions: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return versions
