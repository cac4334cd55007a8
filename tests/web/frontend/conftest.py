"""Runs the built front end in Chromium, on small pages of its own: what the server answers is part of each test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

DIST = Path(__file__).parents[3] / "web" / "static" / "dist"
TYPES = {".css": "text/css", ".js": "text/javascript", ".bpmn": "application/xml", ".html": "text/html"}


@dataclass
class Answer:
    """What the site says to one request."""

    body: str
    content_type: str = "text/html"
    status: int = 200


@dataclass
class Request:
    """A POST that the site received."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Site:
    """A site of a few fixed answers beside the built front end; it remembers what was posted."""

    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    posted: list[Request] = field(default_factory=list)

    def page(self, body: str, *islands: str, language: str = "zh") -> str:
        """Put a page with these islands at `/` and return its address."""
        styles = "".join(f'<link rel="stylesheet" href="/dist/{name}.css">' for name in ("app", *islands))
        scripts = "".join(f'<script type="module" src="/dist/{name}.js"></script>' for name in ("app", *islands))
        self.answers["/"] = Answer(
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Baton</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="csrf-token" content="token-1">{styles}{scripts}</head><body>{body}</body></html>'
        )
        return self.address + "/"

    def json(self, path: str, content: Any, status: int = 200) -> None:
        self.answers[path] = Answer(json.dumps(content), "application/json", status)

    def file(self, path: str, source: Path) -> None:
        self.answers[path] = Answer(source.read_text(), TYPES[source.suffix])


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path.startswith("/dist/"):
                source = DIST / Path(path).name
                self.reply(Answer(source.read_text(), TYPES.get(source.suffix, "text/plain")))
            else:
                self.reply(site.answers.get(path, Answer("", status=404)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            site.posted.append(Request(self.path, dict(self.headers.items()), body))
            self.reply(site.answers.get(self.path, Answer("<p>thanks</p>")))

        def reply(self, answer: Answer) -> None:
            content = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", f"{answer.content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    if not (DIST / "manifest.json").exists():
        pytest.skip("the front end is not built: run `make build`")
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()


at_both_widths = pytest.mark.parametrize("width", [1280, 390], indirect=True, ids=["desk", "phone"])
on_a_phone = pytest.mark.parametrize("width", [390], indirect=True, ids=["phone"])


@pytest.fixture
def width(request: pytest.FixtureRequest) -> int:
    """The width of the window in CSS pixels; a desk's unless a test asks for another."""
    return int(getattr(request, "param", 1280))


@pytest.fixture
def browser_page(chromium: Any, width: int, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page in a window of the desk's or the phone's width; anything the page logs as an error fails the test."""
    context = chromium.new_context(viewport={"width": width, "height": 844}, has_touch=width < 576)
    page = context.new_page()
    page.set_default_timeout(15_000)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    # Pictures to look at, for whoever works on the front end: BATON_SCREENSHOTS=directory.
    if directory := os.environ.get("BATON_SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{request.node.name}.png", full_page=True)
    context.close()
    assert failures == []
