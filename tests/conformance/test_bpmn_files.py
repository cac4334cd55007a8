"""Other people's diagrams never crash the deployment gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import bpmn_files
from tests.diagrams import chain, diagram, end, start, user


@pytest.mark.skipif(not bpmn_files.folders(), reason=f"{' or '.join(bpmn_files.VARIABLES)} names no folder")
def test_every_file_is_deployed_or_refused_with_a_reason() -> None:
    outcomes = list(bpmn_files.examine_all())
    assert outcomes
    assert [outcome for outcome in outcomes if outcome.verdict == "crashed"] == []
    assert all(outcome.reasons for outcome in outcomes if outcome.verdict == "refused")


def test_the_verdict_names_the_reasons(tmp_path: Path) -> None:
    good = tmp_path / "good.bpmn"
    good.write_bytes(diagram(start(), user("work"), end(), chain("start", "work", "end")).content)
    drawn = tmp_path / "drawn.bpmn"
    drawn.write_bytes(good.read_bytes().replace(b'isExecutable="true"', b""))
    bad = tmp_path / "bad.bpmn"
    bad.write_bytes(b"<no diagram/>")
    assert bpmn_files.examine(good).verdict == "deployed"
    assert bpmn_files.examine(drawn).made_executable
    assert bpmn_files.examine(bad).verdict == "refused"
