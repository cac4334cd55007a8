"""Conditions: what a search may ask of one property, a plain value or Camunda 8's operators, as SQL conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from sqlalchemy import ColumnElement, Text, and_, literal, or_, type_coerce

from database.jsontext import dumps
from database.rest.shapes import DEFAULT_TENANT, InstantText, KeyText, PlainText, Request, WholeNumber

#: Most values in one list.
LONGEST_LIST = 1000

#: Stands for the column of the tenant, of which a server has one.
TENANT = literal(DEFAULT_TENANT)


class Condition(Request):
    """Operators on one property; all that are given must hold. A plain value stands for `{"$eq": value}`."""

    model_config = ConfigDict(alias_generator=lambda name: "$" + name)

    plain: ClassVar[JsonSchemaValue] = {"type": "string"}

    exists: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_plain(cls, value: Any) -> Any:
        return value if isinstance(value, dict | Condition) else {"$eq": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"oneOf": [cls.plain, handler.resolve_ref_schema(handler(schema))]}

    def on(self, column: Any) -> ColumnElement[bool]:
        """Return the condition on a column, which may be null."""
        return and_(*(_OPERATORS[name](column, value) for name, value in self._given()))

    def _given(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in _OPERATORS if getattr(self, name, None) is not None]


class TextCondition(Condition):
    """A condition on a text; `$like` knows `*` for any characters, `?` for one, and a backslash before them."""

    eq: PlainText | None = None
    neq: PlainText | None = None
    in_: list[PlainText] | None = Field(None, alias="$in", max_length=LONGEST_LIST)
    not_in: list[PlainText] | None = Field(None, alias="$notIn", max_length=LONGEST_LIST)
    like: PlainText | None = None

    def among(self, column: Any) -> ColumnElement[bool]:
        """Return the condition on a column with a JSON list of texts: one of them is equal, alike and so on."""
        text = type_coerce(column, Text)
        conditions: list[ColumnElement[bool]] = []
        for name, value in self._given():
            match name:
                case "exists":
                    conditions.append(text != "[]" if value else text == "[]")
                case "like":
                    conditions.append(text.like(f'%"{like_pattern(value)}"%', escape="\\"))
                case "eq" | "in_":
                    wanted = [value] if name == "eq" else value
                    conditions.append(or_(*(text.contains(dumps(item), autoescape=True) for item in wanted)))
                case _:
                    unwanted = [value] if name == "neq" else value
                    conditions += [~text.contains(dumps(item), autoescape=True) for item in unwanted]
        return and_(*conditions)


class KeyCondition(Condition):
    """A condition on a key."""

    plain: ClassVar[JsonSchemaValue] = {"type": "string", "pattern": "^[0-9]{1,19}$"}

    eq: KeyText | None = None
    neq: KeyText | None = None
    in_: list[KeyText] | None = Field(None, alias="$in", max_length=LONGEST_LIST)
    not_in: list[KeyText] | None = Field(None, alias="$notIn", max_length=LONGEST_LIST)


class NumberCondition(Condition):
    """A condition on a whole number."""

    plain: ClassVar[JsonSchemaValue] = {"type": "integer"}

    eq: WholeNumber | None = None
    neq: WholeNumber | None = None
    gt: WholeNumber | None = None
    gte: WholeNumber | None = None
    lt: WholeNumber | None = None
    lte: WholeNumber | None = None
    in_: list[WholeNumber] | None = Field(None, alias="$in", max_length=LONGEST_LIST)


class InstantCondition(Condition):
    """A condition on an instant."""

    plain: ClassVar[JsonSchemaValue] = {"type": "string", "format": "date-time"}

    eq: InstantText | None = None
    neq: InstantText | None = None
    gt: InstantText | None = None
    gte: InstantText | None = None
    lt: InstantText | None = None
    lte: InstantText | None = None
    in_: list[InstantText] | None = Field(None, alias="$in", max_length=LONGEST_LIST)


def like_pattern(text: str) -> str:
    """Return the SQL pattern (escaped by backslash) of a text with `*` and `?`."""
    pattern, escaped = [], False
    for letter in text:
        if escaped or letter not in "\\*?":
            pattern.append("\\" + letter if letter in "\\%_" else letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            pattern.append("%" if letter == "*" else "_")
    return "".join(pattern)


def matching(wanted: Request | None, columns: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return what the filter `wanted` asks of the columns that stand under its properties' names."""
    if wanted is None:
        return []
    asked = [(getattr(wanted, name), column) for name, column in columns.items()]
    return [condition.on(column) for condition, column in asked if condition is not None]


# An unequal value matches where there is none, too: SQL's null is no answer.
_OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "exists": lambda column, value: column.is_not(None) if value else column.is_(None),
    "eq": lambda column, value: column == value,
    "neq": lambda column, value: or_(column != value, column.is_(None)),
    "in_": lambda column, value: column.in_(value),
    "not_in": lambda column, value: or_(column.not_in(value), column.is_(None)),
    "like": lambda column, value: column.like(like_pattern(value), escape="\\"),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}
