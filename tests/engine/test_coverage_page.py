"""The page on BPMN coverage says what the tests prove."""

from __future__ import annotations

import subprocess
import sys

from tests.engine.coverage import ROOT


def test_the_page_is_the_one_that_the_marked_tests_give() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "tests.engine.coverage", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert check.returncode == 0, f"run python -m tests.engine.coverage\n{check.stdout[-2000:]}\n{check.stderr[-2000:]}"
