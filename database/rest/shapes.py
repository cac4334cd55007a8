"""Shapes: how bodies look in JSON: names in camel case, keys as text, instants in ISO 8601 and UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from database.jsontext import dumps, loads

#: The largest key: 63 bits.
LARGEST_KEY = 2**63 - 1

#: A whole number that every database holds.
WholeNumber = Annotated[int, Field(ge=-(2**31), lt=2**31)]

#: A text that every database compares.
PlainText = Annotated[str, Field(pattern=r"^[^\x00]*$")]

#: The one tenant of a server, by the name that Camunda 8 gives it.
DEFAULT_TENANT = "<default>"
Tenant = Literal["<default>"]

_DIGITS = re.compile(r"[0-9]{1,19}")


class Unsupported(Exception):
    """The request asks for something of Camunda 8's API that this server does not do; nothing was changed."""


class Shape(BaseModel):
    """A JSON object that leaves the server."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        # Camunda's clients expect every property, with null for what there is not.
        json_schema_serialization_defaults_required=True,
    )

    def text(self) -> str:
        """Return the JSON text; decimals keep every digit."""
        return dumps(self.model_dump(by_alias=True))


class Request(Shape):
    """A JSON object that comes in; a name that is not declared is refused, so that no wish is silently ignored."""

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the request in `body`, where no body is an empty object; raises pydantic's ValidationError."""
        try:
            content = loads(body) if body.strip() else {}
            if rb"\u" in body:
                # An escape may be half of a character, which no database takes; the writer of JSON refuses it.
                dumps(content)
        except (ValueError, TypeError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            problem = PydanticCustomError("json", "The body is no JSON: {reason}", {"reason": reason})
            raise ValidationError.from_exception_data(
                cls.__name__, [InitErrorDetails(type=problem, input=None)]
            ) from None
        return cls.model_validate({} if content is None else content)


def _read_key(value: object) -> object:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_KEY:
        return value
    raise PydanticCustomError("key", "A key is a text of at most 19 digits")


def _read_instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("instant", "An instant is written like 2025-03-03T09:00:00Z or with another offset")


def _write_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: A key: an integer inside, text in JSON, because JavaScript's numbers have 53 bits only.
KeyText = Annotated[
    int,
    BeforeValidator(_read_key),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,19}$"}),
]
NullableKeyText = KeyText | None

#: An instant: an aware datetime in UTC inside, ISO 8601 in JSON.
InstantText = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    PlainSerializer(_write_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
NullableInstantText = InstantText | None

#: The variables of a request: any JSON object.
Variables = dict[str, Any]
