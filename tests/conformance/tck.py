"""Runs the public DMN TCK: reads its cases, evaluates the models with ours, compares with what is expected.

`BATON_DMN_TCK=<folder> python -m tests.conformance.tck` prints what passed and failed, per level and per case.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lxml import etree

import feel
from engine import decisions
from feel.comparison import equal

VARIABLE = "BATON_DMN_TCK"
_TEST = "{http://www.omg.org/spec/DMN/20160719/testcase}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_TOLERANCE = Decimal("0.00000001")
LIMITS = feel.Limits(seconds=20)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result node of one test case: its name, and why it failed (None if it passed)."""

    level: int
    case: str
    file: str
    test: str
    node: str
    failure: str | None

    @property
    def name(self) -> str:
        """What identifies it in the baseline."""
        return f"{self.case}/{self.file}/{self.test}/{self.node}"


def folder() -> Path | None:
    """Where the kit is, if it is there."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path and Path(path).is_dir() else None


def run_all(root: Path) -> Iterator[Outcome]:
    """Every result node of the kit."""
    for level in (2, 3):
        for case in sorted((root / f"compliance-level-{level}").iterdir()):
            yield from run_case(level, case)


def run_case(level: int, case: Path) -> Iterator[Outcome]:
    """Every result node of one case."""
    models = _load_models(case)
    for file in sorted(case.glob("*.xml")):
        suite = etree.parse(file).getroot()
        name = (suite.findtext(f"{_TEST}modelName") or "").strip()
        for test in suite.iter(f"{_TEST}testCase"):
            for node in test.iter(f"{_TEST}resultNode"):
                failure = _check(models.get(name), test, node)
                yield Outcome(level, case.name, file.stem, test.get("id", ""), node.get("name", ""), failure)


def _load_models(case: Path) -> dict[str, decisions.DecisionModel]:
    """All models of a case by file name, those imported before those that import them."""
    waiting = {file.name: file.read_bytes() for file in sorted(case.glob("*.dmn"))}
    namespaces = {name: etree.fromstring(content).get("namespace") for name, content in waiting.items()}
    loaded: dict[str, decisions.DecisionModel] = {}
    by_namespace: dict[str, decisions.DecisionModel] = {}
    while waiting:
        for name, content in list(waiting.items()):
            needed = {
                element.get("namespace")
                for element in etree.fromstring(content)
                if str(element.tag).endswith("}import")
            }
            if not any(namespaces[other] in needed for other in waiting if other != name):
                model = decisions.parse(content, by_namespace, strict=False)
                loaded[name] = by_namespace[model.namespace] = model
                del waiting[name]
    return loaded


def _check(model: decisions.DecisionModel | None, test: etree._Element, node: etree._Element) -> str | None:
    if model is None:
        return "the model is missing"
    context = {entry.get("name", ""): _value(entry) for entry in test.findall(f"{_TEST}inputNode")}
    wanted = _value(node.find(f"{_TEST}expected"))
    # Calling a decision service from outside names it in the test case; otherwise the node is a decision.
    name = test.get("invocableName") or node.get("name")
    known = model.services if test.get("type") == "decisionService" else model.decisions
    found = [identifier for identifier, label in known.items() if name in (label, identifier)]
    if not found:
        return f"there is no decision {name}"
    try:
        outcome = model.evaluate(found[0], context, feel.Environment(limits=LIMITS))
    except feel.FeelError as error:
        return f"{type(error).__name__}: {error}"
    value = outcome.value
    if test.get("type") == "decisionService" and isinstance(value, dict) and node.get("name") in value:
        value = value[node.get("name", "")]
    if same(value, wanted):
        return None
    reasons = "; ".join(str(warning) for warning in outcome.warnings[:2])
    return f"gave {shown(value)}, expected {shown(wanted)}" + (f" ({reasons})" if reasons else "")


def shown(value: feel.Value) -> str:
    """A value in a message."""
    text = feel.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."


def same(value: feel.Value, wanted: feel.Value) -> bool:
    """Equality as the kit means it: numbers to eight places, temporal values by their text or their FEEL equality."""
    if isinstance(value, Decimal) and isinstance(wanted, Decimal):
        return abs(value - wanted) <= _TOLERANCE * max(1, abs(wanted))
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(map(same, value, wanted))
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(same(value[key], wanted[key]) for key in value)
    if isinstance(value, feel.Range) and isinstance(wanted, dict):
        return same({**feel_range(value)}, wanted)
    return value is wanted or value == wanted or equal(value, wanted) is True


def feel_range(value: feel.Range) -> dict[str, feel.Value]:
    """A range as the context that the kit writes it as."""
    return {
        "start": value.start,
        "end": value.end,
        "start included": value.start_included,
        "end included": value.end_included,
    }


def _value(element: etree._Element | None) -> feel.Value:
    if element is None:
        return None
    for child in element:
        if child.tag == f"{_TEST}value":
            return _simple(child)
        if child.tag == f"{_TEST}list":
            return None if _nil(child) else [_value(item) for item in child.findall(f"{_TEST}item")]
        if child.tag == f"{_TEST}component":
            return {part.get("name", ""): _value(part) for part in element.findall(f"{_TEST}component")}
    return None


def _nil(element: etree._Element) -> bool:
    return element.get(f"{_XSI}nil") == "true"


def _simple(element: etree._Element) -> feel.Value:
    if _nil(element):
        return None
    text = element.text or ""
    kind = (element.get(f"{_XSI}type") or "xsd:string").partition(":")[2]
    match kind:
        case "string":
            return text
        case "boolean":
            return text.strip() in ("true", "1")
        case "decimal" | "double" | "integer" | "int" | "float":
            return feel.from_json(Decimal(text.strip()))
        case "date":
            return feel.parse_date(text.strip())
        case "time":
            return feel.parse_time(text.strip())
        case "dateTime":
            return feel.parse_date_time(text.strip())
        case "duration" | "dayTimeDuration" | "yearMonthDuration":
            return feel.parse_duration(text.strip())
    raise ValueError(f"the kit has a value of the unknown type {kind}")


def main() -> int:
    """Prints the results; returns the exit code."""
    root = folder()
    if root is None:
        print(f"set {VARIABLE} to the folder of the DMN TCK", file=sys.stderr)
        return 2
    cases: Counter[tuple[int, str, bool]] = Counter()
    failures: list[Outcome] = []
    for outcome in run_all(root):
        cases[outcome.level, outcome.case, outcome.failure is None] += 1
        if outcome.failure is not None:
            failures.append(outcome)
    for level, case in sorted({(level, case) for level, case, _passed in cases}):
        print(f"{level} {case:<50} {cases[level, case, True]:>5} passed {cases[level, case, False]:>4} failed")
    for level in sorted({level for level, _case, _passed in cases}):
        counts = [sum(cases[key] for key in cases if key[0] == level and key[2] is passed) for passed in (True, False)]
        print(f"level {level}: {counts[0]} passed, {counts[1]} failed")
    for outcome in failures:
        print(f"{outcome.name}: {outcome.failure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
