"""What a database does to answer a query: which indexes it uses, and which tables it reads from end to end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Plan:
    """The indexes that are used, and the tables of which every row is looked at."""

    indexes: frozenset[str]
    whole_tables: frozenset[str]


def plan(session: Session, statement: str, parameters: Any) -> Plan:
    """Return the plan of a statement as it was sent to the database of `session`.

    PostgreSQL reads a table of few rows from end to end because that is faster; here it does so only if it must.
    """
    connection = session.connection()
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


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)
