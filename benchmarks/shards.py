"""What would it mean to spread instances over several primaries by the key of their topmost instance?

    python -m benchmarks.shards

Plays the repair order of the library to its end, with what it calls and starts, and looks at every transaction that
writes: of how many hierarchies it changes instances, and which tables it asks that belong to no hierarchy. Then a
million keys are spread by a hash, to see how even that is.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

from sqlalchemy import event, select

from benchmarks.growth import found
from benchmarks.machine import describe
from database import Base, create_engine
from engine.keys import new_key
from engine.models import ProcessInstance
from engine.retention import belonging
from web import logs

#: Written seldom and read everywhere: each primary has a copy of them.
COPIED = frozenset(
    {
        "process_definition",
        "deployment",
        "form_definition",
        "decision_definition",
        "decision_requirements",
        "people_user",
        "people_group",
        "people_membership",
        "clock_setting",
        "calendar_day",
    }
)

_TABLE = re.compile(r"(?:FROM|JOIN|INTO|UPDATE) \"?(\w+)")


def main() -> None:
    """Print the figures."""
    logs.configure("console", "warning")
    print(describe())
    transactions: list[tuple[set[int], set[str]]] = []
    keys: set[int] = set()
    tables: set[str] = set()

    def trace(statement: str) -> None:
        if statement in ("COMMIT", "ROLLBACK"):
            if keys and statement == "COMMIT":
                transactions.append((set(keys), set(tables)))
            keys.clear()
            tables.clear()
            return
        tables.update(_TABLE.findall(statement))
        if re.match(r"(UPDATE|INSERT INTO) \"?process_instance\b", statement):
            keys.update(int(number) for number in re.findall(r"\d{15,19}", statement))

    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'baton.sqlite'}")
        # What the driver is given: some statements do not pass through SQLAlchemy.
        event.listen(engine, "connect", lambda connection, _: connection.set_trace_callback(trace))
        company = found(engine)
        with company.sessions() as session:
            root_of = dict(session.execute(select(ProcessInstance.key, ProcessInstance.root_key)).all())
        engine.dispose()
    roots = Counter(len({root_of[key] for key in changed if key in root_of}) for changed, _ in transactions)
    print(f"{len(transactions)} transactions that change instances, by the number of hierarchies: {dict(roots)}")
    outside = set(Base.metadata.tables) - {table.name for table, _ in belonging([1])} - COPIED
    across = Counter(name for _, asked in transactions for name in asked & outside)
    print(f"transactions that ask tables which belong to no hierarchy: {dict(across)}")
    for shards in (2, 4, 16):
        shares = Counter(hash_of(new_key()) % shards for _ in range(1_000_000))
        most = max(shares.values()) / (1_000_000 / shards)
        print(f"{shards:3} primaries: the fullest has {most:.3f} times its share of a million hierarchies")


def hash_of(key: int) -> int:
    """Return a number that spreads keys evenly, though they rise with time (Fibonacci hashing)."""
    return (key * 0x9E3779B97F4A7C15 >> 32) & 0xFFFFFFFF


if __name__ == "__main__":
    main()
