"""Counting for people: how many there are up to a thousand, and beyond that only that there are more.

A number beside a filter is read at a glance; to count a million rows for it would cost more than the page.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ScalarSelect, Select, func, select

#: Most that are counted.
MOST_COUNTED = 1_000


def counted(query: Select[*tuple[Any, ...]]) -> ScalarSelect[int]:
    """Return how many rows `query` has, as part of another one; MOST_COUNTED + 1 if there are more."""
    return select(func.count()).select_from(query.limit(MOST_COUNTED + 1).subquery()).scalar_subquery()


def told(number: int) -> str:
    """Return a number of things as people are told it: `1,000+` when not all were counted."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else str(number)


__all__ = ["MOST_COUNTED", "counted", "told"]
