"""Runs the benchmarks and writes what they print into docs/performance.md, so that no figure is copied by hand.

python -m benchmarks.record              # all of them
python -m benchmarks.record http timers  # some; the others keep what they had
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

_HEAD = """# Performance

For operators who plan a machine, and for developers. Each section is what the named command printed; `python -m
benchmarks.record NAME` runs it again and writes it here. A peer is measured in the same run where there is one. The
client and the database share the machine with the server.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark of the page."""

    name: str
    title: str
    #: What is wanted, and what the figures mean.
    wanted: str
    #: Module under `benchmarks`, and its arguments.
    command: tuple[str, ...]


SECTIONS = (
    Section(
        "http",
        "Starting cases and completing tasks through the API",
        "Wanted with 2 server processes and 16 clients: 400 completions a second with a 95th percentile below 80 ms on "
        "PostgreSQL, 400 a second on SQLite, 300 starts a second.",
        ("http_completion", "--tasks", "5000"),
    ),
    Section(
        "command",
        "What one command costs the server",
        "Wanted: a median below 3 ms, of which below 1.5 ms in the engine.",
        ("command_time",),
    ),
    Section(
        "servers",
        "The web server",
        "Which server, and at how many requests each process works at the same time; who completes a task must not "
        "wait for the long lists of others.",
        ("web_servers",),
    ),
    Section(
        "step",
        "One engine step against stock SpiffWorkflow",
        "Wanted: ten times as fast for a process with a hundred tasks.",
        ("engine_step",),
    ),
    Section(
        "ageing",
        "A case that grows old",
        "Wanted: the last hundred of 10,000 turns cost at most 1.2 times the first hundred.",
        ("ageing_loop",),
    ),
    Section(
        "timers",
        "Timers",
        "Wanted: 500 due timers fired a second by two workers on PostgreSQL, which 100,000 that are not due do not "
        "change, and a lateness below a second (99th percentile) when a hundred are due each second.",
        ("timers",),
    ),
    Section(
        "batches",
        "The same done to ten thousand cases",
        "A batch operation that moves each case from one task to another, on SQLite.",
        ("batches", "10000"),
    ),
    Section(
        "million",
        "A million live cases",
        "Wanted: the same latencies within a fifth, and no memory for a case in any process.",
        ("million",),
    ),
    Section(
        "replica",
        "Searches that a replica answers",
        "What a standby takes off the primary, and how far behind it is while searches go on.",
        ("replica",),
    ),
    Section(
        "endurance",
        "Memory under full load",
        "Wanted: a web process stays below 250 MB.",
        ("endurance",),
    ),
    Section(
        "startup",
        "Starting the server on an existing database",
        "Wanted: below 2 seconds until it answers.",
        ("startup",),
    ),
    Section(
        "scale",
        "Large processes",
        "Loops, branches, items and levels by the thousand; all finish, and a step costs the same at the end.",
        ("scale",),
    ),
)


def marked(name: str, text: str) -> str:
    """Return a section between the marks by which it is found again."""
    return f"<!-- {name} -->\n{text.strip()}\n<!-- /{name} -->\n"


def with_section(page: str, name: str, text: str) -> str:
    """Return the page with this section put in or replaced."""
    block = marked(name, text)
    pattern = re.compile(rf"<!-- {name} -->\n.*?<!-- /{name} -->\n", re.DOTALL)
    if pattern.search(page):
        return pattern.sub(lambda _: block, page)
    return f"{page.rstrip()}\n\n{block}"


def run(section: Section) -> str:
    """Run a benchmark and return its section; raises SystemExit when it fails."""
    module, *arguments = section.command
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"benchmarks.{module} failed:\n{done.stdout}{done.stderr}")
    command = " ".join(["python", "-m", f"benchmarks.{module}", *arguments])
    day = datetime.now(UTC).date().isoformat()
    return f"## {section.title}\n\n{section.wanted}\n\n`{command}`, {day}:\n\n```text\n{done.stdout.rstrip()}\n```"


def main() -> None:
    """Run the sections that are named, or all, and write the page after each."""
    wanted = sys.argv[1:]
    unknown = set(wanted) - {section.name for section in SECTIONS}
    if unknown:
        raise SystemExit(f"There is no section {', '.join(sorted(unknown))}.")
    for section in SECTIONS:
        if not wanted or section.name in wanted:
            text = run(section)
            print(text, flush=True)
            page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else _HEAD
            PAGE.write_text(with_section(page, section.name, text), encoding="utf-8")


if __name__ == "__main__":
    main()
