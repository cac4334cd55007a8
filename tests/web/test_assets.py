"""Static files: unchanging addresses, packed where the browser can unpack."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web import assets


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built files."""
    folder = tmp_path / "static" / "dist"
    folder.mkdir(parents=True)
    (folder / "app.js").write_text("plain")
    (folder / "app.js.gz").write_bytes(gzip.compress(b"plain"))
    (folder / "form.css").write_text("body {}")
    (folder / "manifest.json").write_text(json.dumps({"app.js": "0a1b2c3d"}))
    monkeypatch.setattr(assets, "STATIC", folder.parent)
    monkeypatch.setattr(assets, "DIST", folder)
    return folder


def test_an_address_changes_with_the_contents(app: Flask, dist: Path) -> None:
    with app.test_request_context():
        assert assets.asset("app.js") == "/static/dist/app.js?v=0a1b2c3d"
        assert assets.asset("form.css") == "/static/dist/form.css"


def test_a_browser_keeps_a_file_whose_address_has_its_hash(client: FlaskClient, dist: Path) -> None:
    assert "immutable" in client.get("/static/dist/app.js?v=0a1b2c3d").headers["Cache-Control"]
    assert "immutable" not in client.get("/static/dist/app.js").headers.get("Cache-Control", "")


def test_a_file_travels_packed_to_those_who_can_unpack_it(client: FlaskClient, dist: Path) -> None:
    packed = client.get("/static/dist/app.js", headers={"Accept-Encoding": "gzip, br"})
    plain = client.get("/static/dist/app.js")

    assert (packed.headers["Content-Encoding"], gzip.decompress(packed.data)) == ("gzip", b"plain")
    assert packed.mimetype == plain.mimetype == "text/javascript"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert ("Content-Encoding" in plain.headers, plain.data) == (False, b"plain")


def test_nothing_outside_of_the_folder_is_sent(client: FlaskClient, dist: Path) -> None:
    (dist.parent.parent / "secret_key").write_text("secret")

    for path in ("/static/../secret_key", "/static/%2e%2e/secret_key", "/static/dist/nothing.js"):
        assert client.get(path, headers={"Accept-Encoding": "gzip"}).status_code == 404
