"""Searches: a filtered, sorted list, by offset or cursor; one query for a page, one for the number of rows."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field, field_validator
from sqlalchemy import Column, ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from database.base import Instant
from database.rest.shapes import Request, Shape

#: Rows of a page whose request does not say.
DEFAULT_LIMIT = 100
#: Most rows of one page, and most that are counted.
LARGEST_LIMIT = 10_000


class InvalidCursor(Exception):
    """The cursor is none, or is of a search with another order."""

    def __init__(self) -> None:
        super().__init__("This cursor was not given by this search in this order; begin again without one.")


class Page(Request):
    """Which part of the list: `limit` rows from the offset `from`, or after or before a cursor."""

    limit: int = Field(DEFAULT_LIMIT, ge=0, le=LARGEST_LIMIT)
    from_: int = Field(0, alias="from", ge=0, le=2**31 - 1)
    after: str | None = None
    before: str | None = None


F = TypeVar("F", bound=Request)
N = TypeVar("N", bound=str)
S = TypeVar("S", bound=Shape)
T = TypeVar("T")


class Sort(Request, Generic[N]):
    """One property to sort by; rows without it come last."""

    field: N
    order: Literal["ASC", "DESC"] = "ASC"

    @field_validator("order", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class SearchQuery(Request, Generic[F, N]):
    """The body of a search."""

    filter: F | None = None
    sort: list[Sort[N]] = Field(default_factory=list, max_length=10)
    page: Page = Field(default_factory=lambda: Page.model_validate({}))


class Found(Shape):
    """Where a page stands in its list; at most 10,000 rows are counted."""

    total_items: int
    has_more_total_items: bool
    start_cursor: str | None
    end_cursor: str | None


class Results(Shape, Generic[S]):
    """One page of a list."""

    items: list[S]
    page: Found


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """How one kind of thing is listed: its key, and what it can be sorted by."""

    key: ColumnElement[Any]
    columns: Mapping[str, ColumnElement[Any]]

    def find(
        self,
        session: Session,
        rows: Select[*tuple[Any, ...]],
        query: SearchQuery[Any, Any],
        render: Callable[[Any], S],
    ) -> Results[S]:
        """Return the page of `rows` that `query` asks for, each row rendered; raises InvalidCursor."""
        order = [(self.columns[sort.field], sort.order == "DESC") for sort in query.sort]
        order.append((self.key, bool(order) and order[0][1]))
        page = query.page
        places = [column.label(f"_place_{number}") for number, (column, _) in enumerate(order)]
        statement = rows.add_columns(*places).limit(page.limit)
        backwards = page.before is not None and page.after is None
        if page.after is not None:
            statement = statement.where(_beyond(order, _read_cursor(page.after, order)))
        elif page.before is not None:
            statement = statement.where(_ahead(order, _read_cursor(page.before, order)))
        else:
            statement = statement.offset(page.from_)
        statement = statement.order_by(None).order_by(*_order_by(order, backwards))
        found = list(session.execute(statement)) if page.limit else []
        if backwards:
            found.reverse()
        counted = rows.with_only_columns(self.key).order_by(None).limit(LARGEST_LIMIT + 1).subquery()
        total = session.scalar(select(func.count()).select_from(counted)) or 0
        width = len(order)
        return Results(
            items=[render(row[:-width] if len(row) > width + 1 else row[0]) for row in found],
            page=Found(
                total_items=min(total, LARGEST_LIMIT),
                has_more_total_items=total > LARGEST_LIMIT,
                start_cursor=_cursor(found[0][-width:]) if found else None,
                end_cursor=_cursor(found[-1][-width:]) if found else None,
            ),
        )


Order = Sequence[tuple[ColumnElement[Any], bool]]


def _order_by(order: Order, backwards: bool) -> list[ColumnElement[Any]]:
    terms: list[ColumnElement[Any]] = []
    for column, descending in order:
        term = column.desc() if descending != backwards else column.asc()
        if _may_be_null(column):
            term = term.nulls_first() if backwards else term.nulls_last()
        # Without a word about nulls, an index gives the order; PostgreSQL takes none for `DESC NULLS LAST`.
        terms.append(term)
    return terms


def _may_be_null(column: ColumnElement[Any]) -> bool:
    return not isinstance(column, Column) or bool(column.nullable)


def _beyond(order: Order, place: Sequence[Any]) -> ColumnElement[bool]:
    def after(column: ColumnElement[Any], descending: bool, value: Any) -> ColumnElement[bool]:
        if value is None:
            return false()
        later: ColumnElement[bool] = column < value if descending else column > value
        return or_(later, column.is_(None)) if _may_be_null(column) else later

    return and_(_from_there(order, place, False), _lexical(order, place, after))


def _ahead(order: Order, place: Sequence[Any]) -> ColumnElement[bool]:
    def before(column: ColumnElement[Any], descending: bool, value: Any) -> ColumnElement[bool]:
        if value is None:
            return column.is_not(None)
        earlier: ColumnElement[bool] = column > value if descending else column < value
        return earlier

    return and_(_from_there(order, place, True), _lexical(order, place, before))


def _lexical(
    order: Order, place: Sequence[Any], differs: Callable[[ColumnElement[Any], bool, Any], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Return the condition that a row differs from `place` in the first property in which they are not equal."""
    cases: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (column, descending), value in zip(order, place, strict=True):
        cases.append(and_(*equal, differs(column, descending, value)))
        equal.append(column.is_(None) if value is None else column == value)
    return or_(*cases)


def _from_there(order: Order, place: Sequence[Any], backwards: bool) -> ColumnElement[bool]:
    """Return what follows for the first property: where its index can begin, which the alternatives do not tell."""
    (column, descending), value = order[0], place[0]
    if value is None or _may_be_null(column):
        return true()
    limited: ColumnElement[bool] = column <= value if descending != backwards else column >= value
    return limited


def _cursor(place: Sequence[Any]) -> str:
    values = [value.isoformat() if isinstance(value, datetime) else value for value in place]
    return urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode()


def _read_cursor(cursor: str, order: Order) -> list[Any]:
    try:
        # Written the same way, so that half a character, which no database takes, is refused here.
        values = json.loads(urlsafe_b64decode(cursor.encode()))
        json.dumps(values, ensure_ascii=False).encode()
        if not isinstance(values, list) or len(values) != len(order):
            raise InvalidCursor
        return [_value(value, column) for value, (column, _) in zip(values, order, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidCursor from None


def _value(value: Any, column: ColumnElement[Any]) -> Any:
    if value is None:
        return None
    if isinstance(column.type, Instant):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise InvalidCursor
        return instant
    if not isinstance(value, str | int) or isinstance(value, str) != (column.type.python_type is str):
        raise InvalidCursor
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidCursor
    return value
