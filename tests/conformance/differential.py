"""The same expressions through ours and through feelin, which evaluates form rules in the browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

import feel
from tests.conformance.paragraphs import paragraph

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORPUS = HERE / "differential_corpus.toml"
_MODEL = "{https://www.omg.org/spec/DMN/20230324/MODEL/}"
_RELATIVE_PRECISION = 1e-12


@dataclass(frozen=True, slots=True)
class Case:
    """One expression with its variables; `reason` is the recorded paragraph where the two are known to differ."""

    text: str
    context: dict[str, Any]
    source: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """An expression for which the two give different results."""

    case: Case
    ours: str
    theirs: str


def available() -> bool:
    """Whether Node.js and feelin are installed."""
    return shutil.which("node") is not None and (ROOT / "node_modules" / "feelin" / "package.json").exists()


def version() -> str:
    """The version of feelin that is installed."""
    package = json.loads((ROOT / "node_modules" / "feelin" / "package.json").read_text())
    return str(package["version"])


def own_cases() -> list[Case]:
    """The expressions of our corpus: conditions, form rules, and one or more of every function family."""
    data = tomllib.loads(CORPUS.read_text())
    reasons = {entry["text"]: entry["paragraph"] for entry in data["difference"]}
    texts = [*data["expressions"], *reasons]
    return [Case(text, data["context"], "ours", reasons.get(text)) for text in texts]


def kit_cases(kit: Path) -> list[Case]:
    """The literal expressions of the public test kit that read no variables."""
    cases: list[Case] = []
    for file in sorted(kit.glob("*/*/*.dmn")):
        for literal in etree.parse(file).getroot().iter(f"{_MODEL}literalExpression"):
            text = (literal.findtext(f"{_MODEL}text") or "").strip()
            parent = literal.getparent()
            if not text or parent is None or parent.tag != f"{_MODEL}decision":
                continue
            try:
                reads = feel.parse(text).variables
            except feel.FeelSyntaxError:
                reads = frozenset()
            if not reads:
                cases.append(Case(text, {}, file.parent.name, paragraph(file.parent.name)))
    return cases


def differences(cases: list[Case]) -> list[Difference]:
    """Those for which the results differ; two refusals are the same whatever they say."""
    questions = [{"text": case.text, "context": case.context} for case in cases]
    answer = subprocess.run(
        ["node", str(HERE / "feelin.mjs")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
    )
    found: list[Difference] = []
    for case, theirs in zip(cases, json.loads(answer.stdout), strict=True):
        ours = _ours(case)
        if "error" in ours and "error" in theirs:
            continue
        if "error" in ours or "error" in theirs or not _same(ours["value"], theirs["value"]):
            found.append(Difference(case, _shown(ours), _shown(theirs)))
    return found


def _ours(case: Case) -> dict[str, Any]:
    try:
        value = feel.parse(case.text, case.context).evaluate(feel.from_json(case.context)).value
    except feel.FeelError as error:
        return {"error": str(error)}
    return {"value": _plain(value)}


def _plain(value: feel.Value) -> Any:
    kind = feel.kind(value)
    if kind in ("date", "time", "date and time"):
        return {"$type": kind, "text": str(value)}
    if kind.endswith("duration"):
        return {"$type": "duration", "text": str(value)}
    if kind == "function":
        return {"$type": "function"}
    if kind == "list":
        return [_plain(item) for item in value]
    if kind == "context":
        return {key: _plain(item) for key, item in value.items()}
    if kind == "range":
        return {
            "start": _plain(value.start),
            "end": _plain(value.end),
            "start included": value.start_included,
            "end included": value.end_included,
        }
    return feel.to_json(value)


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        # Binary floats are off in the last digits everywhere; that difference is told once, not a thousand times.
        return abs(ours - theirs) <= _RELATIVE_PRECISION * max(1.0, abs(ours))
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    return bool(ours == theirs)


def _shown(result: dict[str, Any]) -> str:
    if "error" in result:
        return "refused"
    value = result["value"]
    if isinstance(value, dict) and "$type" in value:
        return str(value.get("text", value["$type"]))
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
