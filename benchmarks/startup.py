"""Starting the server on an existing database: seconds from the command until it answers.

python -m benchmarks.startup
"""

from __future__ import annotations

import tempfile
import time

from benchmarks.machine import describe
from benchmarks.served import KINDS, database, prepare, serving

ROUNDS = 5


def main() -> None:
    """Start the server several times and print each."""
    print(describe())
    for kind in KINDS:
        with database(kind) as url, tempfile.TemporaryDirectory() as folder:
            environment = prepare(url, folder)
            seconds = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                with serving(environment, processes=2):
                    seconds.append(time.perf_counter() - begun)
        print(f"{kind:10}  " + "  ".join(f"{value:.2f} s" for value in sorted(seconds)))


if __name__ == "__main__":
    main()
