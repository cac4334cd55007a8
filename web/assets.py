"""Addresses of the built front end's files, with their content hashes so that browsers may keep them for ever."""

from __future__ import annotations

import json
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory, url_for
from werkzeug.security import safe_join

STATIC = Path(__file__).parent / "static"
DIST = STATIC / "dist"


def init_app(app: Flask) -> None:
    """Let `app` send the packed copy of a static file, where there is one, to browsers that can unpack it."""
    app.view_functions["static"] = _send


def _send(filename: str) -> Response:
    packed = safe_join(str(STATIC), f"{filename}.gz")
    if not request.accept_encodings["gzip"] or packed is None or not Path(packed).is_file():
        return send_from_directory(STATIC, filename)
    response = send_from_directory(STATIC, f"{filename}.gz", mimetype=mimetypes.guess_type(filename)[0])
    response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def asset(name: str) -> str:
    """Return the address of a built file, e.g. of `app.css`."""
    manifest = DIST / "manifest.json"
    version = _versions(manifest.stat().st_mtime_ns).get(name) if manifest.exists() else None
    return url_for("static", filename=f"dist/{name}", v=version)


@lru_cache(maxsize=2)
def _versions(_written_at: int) -> dict[str, str]:
    versions: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return versions
