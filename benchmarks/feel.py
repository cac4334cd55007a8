"""FEEL and decision tables: `python -m benchmarks.feel`.

Goals: evaluating a parsed condition below 20 microseconds, parsing one below 500, a table of 1,000 rules below 5
milliseconds. feelin parses each time it evaluates, so its column compares with ours for both together.
"""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import feel
from engine import decisions

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 2_000
CONTEXT = {
    "quote": {"total": 2500, "parts": [{"name": "oil", "price": 80}, {"name": "brake pads", "price": 320}]},
    "member": False,
    "car": {"plate": "京A12345", "kilometres": 81000},
    "received": "2025-03-03T09:00:00",
}
EXPRESSIONS = (
    "quote.total > 2000 and not(member)",
    'if car.kilometres > 80000 then "major service" else "minor service"',
    "sum(quote.parts[price > 100].price) * 0.9",
    'date and time(received) + duration("PT4H") < date and time("2025-03-03T17:30:00")',
    "for part in quote.parts return {name: part.name, gross: part.price * 1.13}",
    'some part in quote.parts satisfies starts with(part.name, "brake")',
)
RULES = 1_000


def median_microseconds(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of one call, microseconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        action()
        times.append(time.perf_counter_ns() - started)
    return statistics.median(times) / 1_000


def parse_afresh(text: str) -> Callable[[], object]:
    """Parses the text under a new spelling each time, because what was parsed before is remembered."""
    numbers = itertools.count()
    return lambda: feel.parse(f"{text} // {next(numbers)}")


def feelin_medians() -> list[float] | None:
    """The same through feelin in Node.js, microseconds; None where it is not installed."""
    if shutil.which("node") is None or not (ROOT / "node_modules" / "feelin").exists():
        return None
    question = {"cases": [{"text": text, "context": CONTEXT} for text in EXPRESSIONS], "repetitions": ROUNDS}
    answer = subprocess.run(
        ["node", str(Path(__file__).with_suffix(".mjs"))],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=300,
    )
    return list(json.loads(answer.stdout))


def table(rules: int, cell: Callable[[int], str]) -> decisions.DecisionModel:
    """A decision table with two inputs and one output; `cell` writes the first test of a rule."""
    rows = "".join(
        f'<rule id="r{number}"><inputEntry id="i{number}"><text><![CDATA[{cell(number)}]]></text></inputEntry>'
        f'<inputEntry id="j{number}"><text>"{"gold" if number % 2 else "silver"}"</text></inputEntry>'
        f'<outputEntry id="o{number}"><text>{number}</text></outputEntry></rule>'
        for number in range(rules)
    )
    xml = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        '<decision id="price" name="price"><decisionTable id="t" hitPolicy="FIRST">'
        '<input id="a"><inputExpression id="ae"><text>amount</text></inputExpression></input>'
        '<input id="b"><inputExpression id="be"><text>level</text></inputExpression></input>'
        f'<output id="c" name="price"/>{rows}</decisionTable></decision></definitions>'
    )
    return decisions.parse(xml.encode())


def main() -> None:
    """Prints the table of medians."""
    environment = feel.Environment()
    context = feel.from_json(CONTEXT)
    theirs = feelin_medians()
    print(f"{'microseconds, median':<86} {'parse':>8} {'evaluate':>9} {'feelin both':>12}")
    for place, text in enumerate(EXPRESSIONS):
        expression = feel.parse(text)
        parsing = median_microseconds(parse_afresh(text))
        evaluating = median_microseconds(lambda expression=expression: expression.evaluate(context, environment))
        other = f"{theirs[place]:>12.0f}" if theirs else f"{'-':>12}"
        print(f"{text:<86} {parsing:>8.1f} {evaluating:>9.1f} {other}")
    cells: dict[str, Callable[[int], str]] = {
        "strings": lambda number: f'"k{number}"',
        "ranges": lambda number: f"[{number}..{number + 1})",
        "expressions": lambda number: f"? >= {number} and ? < {number} + 1",
    }
    for name, cell in cells.items():
        model = table(RULES, cell)
        last = {"amount": f"k{RULES - 1}" if name == "strings" else RULES - 1, "level": "gold"}
        assert model.evaluate("price", last, environment).value == RULES - 1
        took = median_microseconds(lambda model=model, last=last: model.evaluate("price", last, environment), 100)
        print(f"{f'decision table of {RULES} rules, {name}':<86} {'':>8} {took:>9.1f}")


if __name__ == "__main__":
    main()
