"""docs/reliability.md: the table of what faults have lost, written by the command that has tried them."""

from __future__ import annotations

import fcntl
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe
from tests.chaos.catalogue import FAULTS, Fault
from tests.chaos.clients import Outcome
from tests.chaos.homes import KINDS
from tests.chaos.trial import Result

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

_BEGIN, _END = "<!-- figures -->\n", "<!-- /figures -->\n"
_HEAD = (
    "| fault | command | database | times | acknowledged | refused | unknown | timers | lost | doubled | broken "
    "| remarks | day |\n|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|\n"
)
_ROW = re.compile(r"^\| [^|]+ \| `([a-z-]+)` \| ([a-z]+) \|")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault on one database."""

    fault: Fault
    kind: str
    result: Result

    def line(self) -> str:
        """Return what is printed."""
        counts, findings = self.result.record.counts, self.result.findings
        told = "   ".join(f"{counts[outcome]:6} {outcome}" for outcome in Outcome)
        return (
            f"{self.fault.name:12} {self.kind:10}  {self.result.times:3} times   {told}   {self.result.timers:6} timers"
            f"   lost {len(findings.lost)}   doubled {len(findings.doubled)}   broken {len(findings.broken)}"
            f"   {self.result.remark}"
        )

    def markdown(self) -> str:
        """Return the row of the page's table."""
        counts, findings = self.result.record.counts, self.result.findings
        cells = [
            self.fault.what,
            f"`{self.fault.name}`",
            self.kind,
            str(self.result.times),
            *(f"{counts[outcome]:,}" for outcome in Outcome),
            f"{self.result.timers:,}",
            *(str(len(found)) for found in (findings.lost, findings.doubled, findings.broken)),
            self.result.remark,
            datetime.now(UTC).date().isoformat(),
        ]
        return f"| {' | '.join(cells)} |\n"


def write(row: Row) -> None:
    """Put a row into the page's table, or in place of the one it has."""
    with PAGE.open("r+", encoding="utf-8") as file:
        # Two commands may be at work, one on each database.
        fcntl.flock(file, fcntl.LOCK_EX)
        text = _with(file.read(), row)
        file.seek(0)
        file.truncate()
        file.write(text)


def _with(page: str, row: Row) -> str:
    before, _, rest = page.partition(_BEGIN)
    old, _, after = rest.partition(_END)
    rows = {match.groups(): line for line in old.splitlines(keepends=True) if (match := _ROW.match(line))}
    rows[row.fault.name, row.kind] = row.markdown()
    ordered = [rows[name, kind] for name in FAULTS for kind in KINDS if (name, kind) in rows]
    table = f"{_HEAD}{''.join(ordered)}\nMachine of the last run: {describe()}.\n"
    return f"{before}{_BEGIN}{table}{_END}{after}"
