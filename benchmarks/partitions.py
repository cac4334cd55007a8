"""Would it pay to partition the history by month on PostgreSQL?

    python -m benchmarks.partitions [ROWS]

The same history (visits of elements over two years, ten for each case) in one table and in 24 partitions by ranges of
their keys, which rise with time. Measured: writing a case's visits, reading a case's history, counting live visits,
removing the cases of one month as `engine.retention` does, and, partitioned, dropping the month.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from statistics import median

import psycopg

from benchmarks.machine import describe
from tests import postgresql
from tests.postgresql import Cluster

MONTHS = 24
VISITS = 10
#: Milliseconds of a month, of an hour.
MONTH, HOUR = 30 * 24 * 3_600_000, 3_600_000
#: What `engine.keys` puts behind the milliseconds.
SHIFT = 22

_COLUMNS = (
    "key bigint PRIMARY KEY, instance_key bigint NOT NULL REFERENCES instance, definition_key bigint NOT NULL, "
    "element_id varchar NOT NULL, element_type varchar NOT NULL, scope_key bigint NOT NULL, flow_id varchar, "
    "state varchar NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz"
)


def make(connection: psycopg.Connection, name: str, cases: int) -> float:
    """Make and fill the table of this name, partitioned if it is called so; return the seconds that filling took."""
    partitioned = name == "partitioned"
    connection.execute(f"CREATE TABLE {name} ({_COLUMNS})" + (" PARTITION BY RANGE (key)" if partitioned else ""))
    if partitioned:
        for month in range(MONTHS + 1):
            first, last = (month * MONTH) << SHIFT, ((month + 1) * MONTH) << SHIFT
            connection.execute(f"CREATE TABLE {name}_{month} PARTITION OF {name} FOR VALUES FROM ({first}) TO ({last})")
    connection.execute(f"CREATE INDEX ON {name} (instance_key, key)")
    connection.execute(f"CREATE INDEX ON {name} (definition_key, element_id) WHERE state = 'ACTIVE'")
    begun = time.perf_counter()
    # One case in a hundred is live at its last visit.
    connection.execute(
        f"""
        INSERT INTO {name}
        SELECT instance.key + visit * {HOUR << SHIFT} + 1, instance.key, 1, 'element-' || visit, 'USER_TASK',
               instance.key, 'flow-' || visit,
               CASE WHEN visit = {VISITS - 1} AND instance.number % 100 = 0 THEN 'ACTIVE' ELSE 'COMPLETED' END,
               now(), now()
        FROM instance CROSS JOIN generate_series(0, {VISITS - 1}) AS visit
        ORDER BY 1
        """
    )
    seconds = time.perf_counter() - begun
    connection.execute(f"VACUUM ANALYZE {name}")
    return seconds


def measure(connection: psycopg.Connection, name: str, cases: int) -> None:
    """Print the figures of one table."""
    chance = random.Random(1)
    keys = [case_key(number, cases) for number in chance.sample(range(cases), 2_000)]
    size = connection.execute(
        "SELECT coalesce(sum(pg_total_relation_size(relid)), pg_total_relation_size(%s::text::regclass))::bigint "
        "FROM pg_partition_tree(%s::text::regclass) WHERE isleaf",
        (name, name),
    ).fetchone()
    assert size is not None
    print(f"{name:12} {'bytes a visit, with indexes':58}{size[0] / (cases * VISITS):10.0f}")

    history = f"SELECT * FROM {name} WHERE instance_key = %s ORDER BY key"
    show(name, "history of a case", each(keys, lambda key: connection.execute(history, (key,)).fetchall()))
    if name == "partitioned":
        near = history.replace(" ORDER", f" AND key >= %s AND key < %s + {3 * MONTH << SHIFT} ORDER")
        show(
            name,
            "the same, of cases known to last no longer than three months",
            each(keys, lambda key: connection.execute(near, (key, key, key)).fetchall()),
        )
    live = f"SELECT count(*) FROM {name} WHERE definition_key = 1 AND element_id = %s AND state = 'ACTIVE'"
    show(name, "counting live visits", each([f"element-{VISITS - 1}"] * 20, lambda i: connection.execute(live, (i,))))

    row = "(%s, %s, 1, 'element', 'USER_TASK', 1, 'flow', 'COMPLETED', now(), now())"
    insert = f"INSERT INTO {name} VALUES " + ", ".join([row] * VISITS)
    one = keys[0]

    def write(number: int) -> None:
        newest = ((MONTHS * MONTH) << SHIFT) + number * VISITS
        connection.execute(insert, [value for visit in range(VISITS) for value in (newest + visit, one)])

    show(name, "writing ten visits and committing", each(range(3_000), write))

    month = [case_key(number, cases) for number in range(cases // MONTHS)]
    remove = f"DELETE FROM {name} WHERE instance_key = ANY(%s)"
    batches = [month[first : first + 50] for first in range(0, len(month), 50)]
    seconds = each(batches, lambda batch: connection.execute(remove, (batch,)))
    print(f"{name:12} {'removing a month, visits a second':58}{len(month) * VISITS / sum(seconds):10.0f}")
    begun = time.perf_counter()
    connection.execute(f"VACUUM {name}" if name == "plain" else f"VACUUM {name}_0")
    print(f"{name:12} {'vacuum afterwards, seconds':58}{time.perf_counter() - begun:10.2f}")
    if name == "partitioned":
        begun = time.perf_counter()
        connection.execute(f"DROP TABLE {name}_1")
        print(f"{name:12} {'dropping a month, seconds':58}{time.perf_counter() - begun:10.2f}")


def case_key(number: int, cases: int) -> int:
    """Return the key of a case; cases are spread evenly over all months."""
    return (number * (MONTHS * MONTH // cases)) << SHIFT


def each(things: object, do: Callable[..., object]) -> list[float]:
    """Do something with each of the things and return the seconds that each took."""
    seconds = []
    for thing in things:  # type: ignore[attr-defined]
        begun = time.perf_counter()
        do(thing)
        seconds.append(time.perf_counter() - begun)
    return seconds


def show(name: str, what: str, seconds: list[float]) -> None:
    """Print the median in milliseconds."""
    print(f"{name:12} {what + ', ms':58}{median(seconds) * 1000:10.3f}", flush=True)


def main() -> None:
    """Print both columns of figures."""
    cases = (int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000) // VISITS
    print(f"{describe()}; {cases * VISITS:,} visits of {cases:,} cases in {MONTHS} months")
    cluster = Cluster({"shared_buffers": "512MB"})
    try:
        with postgresql.connect(cluster.folder) as connection:
            connection.execute("CREATE TABLE instance (key bigint PRIMARY KEY, number bigint NOT NULL)")
            step = (MONTHS * MONTH // cases) << SHIFT
            connection.execute(
                "INSERT INTO instance SELECT number * %s::bigint, number FROM generate_series(0, %s - 1) AS number",
                (step, cases),
            )
            connection.execute("VACUUM ANALYZE instance")
            for name in ("plain", "partitioned"):
                seconds = make(connection, name, cases)
                print(f"{name:12} {'filling, visits a second':58}{cases * VISITS / seconds:10.0f}", flush=True)
                measure(connection, name, cases)
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
