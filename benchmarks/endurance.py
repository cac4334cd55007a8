"""Memory of the server's processes under full load.

    python -m benchmarks.endurance [MINUTES]       # default: 60

Cases are started and their tasks completed without a pause; each line tells the resident memory of each process.
"""

from __future__ import annotations

import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.load import drive
from benchmarks.machine import describe
from benchmarks.served import Served, completions, creations, database, deploy, server

CLIENTS = 16
#: Cases of one turn: started, then both of their tasks completed.
TURN = 2_000


def megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def report(served: Served, begun: float, requests: int) -> None:
    """Print one line about all server processes."""
    memory = "  ".join(f"{megabytes(pid):5.0f} MB" for pid in sorted(served.server_processes()))
    print(f"{(time.monotonic() - begun) / 60:5.1f} minutes  {requests:8,} requests   {memory}", flush=True)


def main() -> None:
    """Load the server for so many minutes."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    print(describe())
    with database("postgresql") as url, server(url, 2) as served:
        deploy(HTTPConnection("127.0.0.1", served.port, timeout=60))
        drive(served.port, creations(100), CLIENTS)
        begun = time.monotonic()
        requests, next_report = 100, 0.0
        while (passed := time.monotonic() - begun) < minutes * 60:
            if passed >= next_report:
                report(served, begun, requests)
                next_report += max(minutes * 60 / 12, 1)
            requests += len(drive(served.port, creations(TURN), CLIENTS).seconds)
            for element_id in ("first", "second"):
                # A new one: the server closes those that nobody uses for half a minute.
                connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
                requests += len(drive(served.port, completions(connection, TURN, element_id), CLIENTS).seconds)
        report(served, begun, requests)


if __name__ == "__main__":
    main()
