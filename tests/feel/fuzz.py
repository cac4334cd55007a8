"""Evaluates many random expressions: `python -m tests.feel.fuzz --count 1000000 --processes 2`.

Fails on anything but a value or one of FEEL's own errors, and on an evaluation that takes longer than its limit allows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import feel
from tests.feel.generator import CONTEXT, Generator

CHUNK = 5_000
LIMITS = feel.Limits(seconds=0.1, steps=10_000, regex_seconds=0.05)
GRACE = 0.4
"""Seconds of processor time that parsing, checking, evaluating and writing may take beyond the limit."""


@dataclass(slots=True)
class Report:
    """What became of the expressions, and what should not have happened."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, other: Report) -> None:
        """Takes another report in."""
        self.outcomes += other.outcomes
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)


def run(seed: int, count: int) -> Report:
    """Evaluates `count` expressions that the seed decides."""
    generator = Generator(seed)
    environment = feel.Environment(limits=LIMITS)
    report = Report()
    for _ in range(count):
        text = generator.expression()
        started = time.process_time()
        report.outcomes[_outcome(text, environment, report)] += 1
        report.slowest = max(report.slowest, (time.process_time() - started, text))
    return report


def _outcome(text: str, environment: feel.Environment, report: Report) -> str:
    try:
        expression = feel.parse(text)
        feel.check(expression, CONTEXT)
        result = expression.evaluate(CONTEXT, environment)
        feel.loads(feel.dumps(result.value))
    except feel.FeelSyntaxError:
        return "syntax error"
    except feel.FeelLimitExceeded as error:
        return f"limit: {error.limit}"
    except feel.FeelAssertionFailed:
        return "assertion failed"
    except Exception as error:
        report.failures.append(f"{type(error).__name__}: {error}: {text!r}")
        return "crash"
    return "null" if result.value is None else "value"


def main() -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    report = Report()
    started = time.perf_counter()
    chunks = max(1, options.count // CHUNK)
    with ProcessPoolExecutor(options.processes) as pool:
        seeds = range(options.seed, options.seed + chunks)
        for part in pool.map(run, seeds, [min(CHUNK, options.count)] * chunks):
            report.add(part)
    for outcome, times in report.outcomes.most_common():
        print(f"{times:>9} {outcome}")
    print(f"slowest: {report.slowest[0] * 1000:.0f} ms: {report.slowest[1][:200]!r}")
    print(f"{sum(report.outcomes.values())} expressions in {time.perf_counter() - started:.0f} s")
    for failure in report.failures[:20]:
        print(failure)
    # How long it takes depends on the machine: the command says so, the test suite does not judge by it.
    too_slow = report.slowest[0] > LIMITS.seconds + GRACE
    if too_slow:
        print(f"the slowest took longer than its limit of {LIMITS.seconds} s")
    return 1 if report.failures or too_slow else 0


if __name__ == "__main__":
    sys.exit(main())
