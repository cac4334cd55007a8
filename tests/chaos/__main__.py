"""Tries faults on the real programs and prints what they lost.

python -m tests.chaos                                  # all of them, on SQLite and PostgreSQL
python -m tests.chaos kill cut --database postgresql --times 5
python -m tests.chaos --write                          # also into docs/reliability.md
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from benchmarks.machine import describe
from tests.chaos import page
from tests.chaos.catalogue import FAULTS
from tests.chaos.errors import LeftOut, Stuck
from tests.chaos.homes import KINDS, home

#: How much is printed of what was found, and of what the programs have said then.
_SENTENCES, _LOG_CHARACTERS = 10, 20_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Try the faults of the command line; the exit code is 1 when one of them lost or doubled something."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--times", type=int, help="how often each is done (default: as in docs/reliability.md)")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.faults) - set(FAULTS):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}")
    # Told to stop, it takes down what it has set up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(describe(), flush=True)
    failed = False
    for name in chosen.faults or FAULTS:
        fault = FAULTS[name]
        for kind in fault.kinds:
            if chosen.database not in (kind, "both"):
                continue
            begun = time.monotonic()
            try:
                with home(kind) as its_home:
                    result = fault.strike(its_home, chosen.times or fault.times)
            except LeftOut as reason:
                print(f"{name:12} {kind:10}  left out: {reason}", flush=True)
                continue
            except Stuck as reason:
                print(f"{name:12} {kind:10}  stuck: {reason}", flush=True)
                failed = True
                continue
            row = page.Row(fault, kind, result)
            print(f"{row.line()}  [{time.monotonic() - begun:.0f} s]", flush=True)
            for sentence in result.findings.sentences()[:_SENTENCES]:
                print(f"    {sentence[:300]}", flush=True)
            if result.findings:
                print(result.log[-_LOG_CHARACTERS:], flush=True)
            failed = failed or bool(result.findings)
            if chosen.write:
                page.write(row)
    sys.exit(failed)


if __name__ == "__main__":
    main()
