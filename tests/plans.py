"""What a database does to answer a query: which indexes it uses, and which tables it reads from end to end."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from database.session import rehearsal


@dataclass(frozen=True)
class Plan:
    """The indexes that are used, and the tables of which every row is looked at."""

    indexes: frozenset[str]
    whole_tables: frozenset[str]


def plan(session: Session, statement: str, parameters: Any) -> Plan:
    """Return the plan of a statement as it was sent to the database of `session`.

    PostgreSQL reads a table of few rows from end to end because that is faster; here it does so only if it must.
    """
    with rehearsal(session):
        return _plan(session.connection(), statement, parameters)


def _plan(connection: Connection, statement: str, parameters: Any) -> Plan:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        [[told]] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).all()
        nodes = list(_nodes((json.loads(told) if isinstance(told, str) else told)[0]["Plan"]))
        return Plan(
            frozenset(node["Index Name"] for node in nodes if "Index Name" in node),
            frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
        )
    lines = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    # A subquery is scanned too, but its name is none of a table.
    found = [re.match(r"SCAN (\w+)$", line) for line in lines]
    return Plan(
        frozenset(match[1] for line in lines if (match := re.search(r"INDEX (\w+)", line))),
        frozenset(match[1] for match in found if match),
    )


def effort(session: Session, statement: str, parameters: Any) -> int:
    """Carry a statement out, as if it had not been, and return how much the database had to look at.

    On PostgreSQL: rows and index entries that were read, with the plan that it chooses for tables too large to be read
    from end to end, or to be put into memory for a join. On SQLite: thousands of instructions of its virtual machine,
    about ten for each row.
    """
    with rehearsal(session):
        return _effort(session.connection(), statement, parameters)


def _effort(connection: Connection, statement: str, parameters: Any) -> int:
    if connection.dialect.name == "postgresql":
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        [[told]] = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters
        ).all()
        nodes = _nodes((json.loads(told) if isinstance(told, str) else told)[0]["Plan"])
        return sum(round(_rows_read(node)) for node in nodes if "Scan" in node["Node Type"])
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    instructions = 0

    def count() -> int:
        nonlocal instructions
        instructions += 1
        return 0

    driver.set_progress_handler(count, 1_000)
    try:
        result = connection.exec_driver_sql(statement, parameters)
        if result.returns_rows:
            result.all()
    finally:
        driver.set_progress_handler(None, 0)
    return instructions


def _rows_read(node: dict[str, Any]) -> float:
    kinds = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    read: float = sum(node.get(kind, 0) for kind in kinds) * node["Actual Loops"]
    return read


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)
