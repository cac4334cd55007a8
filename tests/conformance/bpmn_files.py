"""What the deployment gate says to other people's diagrams: `python -m tests.conformance.bpmn_files`.

`BATON_BPMN_MIWG` names the folder of the reference files of the BPMN Model Interchange Working Group, and
`BATON_SPIFF_FILES` that of SpiffWorkflow's test files. Nothing is deployed; no file may crash the gate.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lxml import etree

from engine import checks, parser
from engine.errors import DeploymentRefused
from engine.extensions import BPMN
from engine.problems import Problem

VARIABLES = ("BATON_BPMN_MIWG", "BATON_SPIFF_FILES")

Verdict = Literal["deployed", "refused", "crashed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, as it is or with every process made executable."""

    path: Path
    verdict: Verdict
    #: Why it is refused, or where it crashed.
    reasons: list[str] = field(default_factory=list)
    #: Its processes had to be marked as executable first: most published diagrams are only drawn.
    made_executable: bool = False


def folders() -> list[Path]:
    """Return the folders that the environment names and that exist."""
    named = [Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)]
    return [folder for folder in named if folder.is_dir()]


def examine(path: Path) -> Outcome:
    """Return what the gate says to a file."""
    content = path.read_bytes()
    executable = _executable(content)
    outcome = _gate(path, content)
    if outcome.verdict == "refused" and executable is not None:
        made = _gate(path, executable)
        return Outcome(path, made.verdict, made.reasons, made_executable=True)
    return outcome


def _executable(content: bytes) -> bytes | None:
    """Return the file with its processes marked as executable; None when one of them is already, or there is none."""
    try:
        root = etree.fromstring(content)
    except (etree.XMLSyntaxError, ValueError):
        return None
    processes = root.findall(f"{BPMN}process")
    if not processes or any(process.get("isExecutable") == "true" for process in processes):
        return None
    for process in processes:
        process.set("isExecutable", "true")
    return etree.tostring(root)


def _gate(path: Path, content: bytes) -> Outcome:
    try:
        diagram = parser.read(content, path.name)
        problems: list[Problem] = list(diagram.problems)
        for process in diagram.processes.values():
            problems += checks.check(process, checks.Known(), path.name)
    except DeploymentRefused as refusal:
        problems = list(refusal.problems)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(
            path, "crashed", [f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"]
        )
    errors = list(dict.fromkeys(problem.message for problem in problems if problem.severity == "error"))
    return Outcome(path, "refused" if errors else "deployed", errors)


def examine_all() -> Iterator[Outcome]:
    """Yield what the gate says to every BPMN file in the named folders."""
    for folder in folders():
        for path in sorted(folder.rglob("*.bpmn")):
            yield examine(path)


def main() -> int:
    """Print the verdict on each file, the commonest reasons and the sums; return the exit code."""
    if not folders():
        print(f"set {' or '.join(VARIABLES)} to folders with BPMN files", file=sys.stderr)
        return 2
    verdicts: Counter[Verdict] = Counter()
    reasons: Counter[str] = Counter()
    for outcome in examine_all():
        verdicts[outcome.verdict] += 1
        mark = " (made executable)" if outcome.made_executable else ""
        print(f"{outcome.verdict:9} {outcome.path.name}{mark}")
        for reason in outcome.reasons:
            print(f"            {reason}")
            reasons[reason] += 1
    print("\nThe commonest reasons:")
    for reason, files in reasons.most_common(15):
        print(f"{files:6}  {reason}")
    print("\n" + ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())))
    return 1 if verdicts["crashed"] else 0


if __name__ == "__main__":
    sys.exit(main())
