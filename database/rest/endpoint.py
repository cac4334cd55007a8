"""Endpoints: a typed function becomes a JSON endpoint; its signature says what comes in and what goes out.

A parameter whose type is a Request is the body; one of type Files gives the files of a form. A parameter with a default
comes from the query string, all others from the path. What is returned is a Shape or a list of them (200), Xml (200) or
nothing (204). What returns Results is a search, which a replica may answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import UnionType
from typing import Any, get_args, get_type_hints

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel
from werkzeug.exceptions import NotFound

from database.extension import RequestSession, db
from database.rest.search import Results
from database.rest.shapes import LARGEST_KEY, Request, Shape


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart form."""

    name: str
    content: bytes


class Files:
    """The files named `resources` of a multipart form; not read before somebody asks for them."""

    def read(self, largest: int) -> list[Upload]:
        """Return the files, `largest` bytes together at most; raises werkzeug's RequestEntityTooLarge."""
        request.max_content_length = largest
        return [Upload(file.filename or "", file.read()) for file in request.files.getlist("resources")]


class Xml(str):
    """An XML document as the answer."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What an endpoint takes and gives, for the description of the API."""

    summary: str
    body: type[Request] | None
    #: Types of the parameters in the query string, by their name in the request.
    query: dict[str, Any]
    #: The body is a multipart form with files named `resources`.
    takes_files: bool
    #: Types of the answer; NoneType stands for 204.
    results: tuple[Any, ...]


#: The operation of each endpoint, by its function.
OPERATIONS: dict[Callable[..., Any], Operation] = {}


View = Callable[..., ResponseReturnValue]


def endpoint(view: Callable[..., Any]) -> View:
    """Return the view function of `view`: body, files and query read by their types, the result rendered."""
    hints = get_type_hints(view, include_extras=True)
    result = hints.pop("return")
    files_name = next((name for name, hint in hints.items() if hint is Files), None)
    body_name = next((name for name, hint in hints.items() if _is_request(hint)), None)
    query = {
        name: TypeAdapter(hints[name])
        for name, parameter in inspect.signature(view).parameters.items()
        if parameter.default is not inspect.Parameter.empty and name != body_name
    }

    searches = isinstance(result, type) and issubclass(result, Results)

    @wraps(view)
    def serve(**arguments: Any) -> ResponseReturnValue:
        if searches:
            # In Camunda, too, a search may not know yet what has just been done; who asks was looked up in the primary.
            session = db.session()
            assert isinstance(session, RequestSession)
            session.ask_replica()
        if any(isinstance(value, int) and value > LARGEST_KEY for value in arguments.values()):
            raise NotFound("No key has more than 63 bits.")
        if body_name is not None:
            arguments[body_name] = hints[body_name].read(request.get_data())
        if files_name is not None:
            arguments[files_name] = Files()
        for name, adapter in query.items():
            if (text := request.args.get(to_camel(name))) is not None:
                arguments[name] = adapter.validate_python(text)
        return _answer(view(**arguments))

    OPERATIONS[serve] = Operation(
        summary=(view.__doc__ or "").strip().partition("\n")[0],
        body=hints[body_name] if body_name is not None else None,
        query={to_camel(name): hints[name] for name in query},
        takes_files=files_name is not None,
        results=get_args(result) if isinstance(result, UnionType) else (result,),
    )
    return serve


def _is_request(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Request)


def _answer(result: Any) -> ResponseReturnValue:
    if result is None:
        return "", 204
    if isinstance(result, Xml):
        return Response(result, content_type="text/xml; charset=utf-8")
    if isinstance(result, list):
        rows = ",".join(shape.text() for shape in result)
        return Response(f"[{rows}]", content_type="application/json")
    assert isinstance(result, Shape)
    return Response(result.text(), content_type="application/json")
