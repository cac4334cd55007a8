"""What machine a benchmark ran on, and how its figures are printed."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from statistics import median, quantiles


def describe() -> str:
    """Return one line about the machine and the versions that matter."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} x {model}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"SpiffWorkflow {version('spiffworkflow')}, load {os.getloadavg()[0]:.1f}"
    )


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except OSError:
        return []


def milliseconds(seconds: Sequence[float]) -> str:
    """Return median and 95th percentile of durations given in seconds, as milliseconds."""
    return f"median {median(seconds) * 1000:6.2f} ms   p95 {quantiles(seconds, n=20)[-1] * 1000:6.2f} ms"
