"""Command line: `python -m processes.layout FILE...` lays BPMN files out in place."""

from __future__ import annotations

import sys
from pathlib import Path

from processes.layout import LayoutError, tidy


def main(names: list[str]) -> int:
    """Tidy the named files; returns 1 if one of them could not be laid out."""
    failed = 0
    for name in names:
        path = Path(name)
        try:
            path.write_bytes(tidy(path.read_bytes()))
        except (LayoutError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
