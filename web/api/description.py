"""The description of the API (OpenAPI 3.1), made from the endpoints' signatures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args, get_origin

from flask import current_app
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from database.rest import Operation, Request, Shape, Xml
from database.rest.endpoint import OPERATIONS

_REFERENCE = "#/components/schemas/{model}"
_PLACE = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")

_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
    },
}

#: Every endpoint may answer these.
_REFUSALS = {
    "400": "What was sent cannot be taken.",
    "401": "Who asks is unknown.",
    "403": "The user may not do this.",
    "404": "There is no such thing.",
    "409": "The thing is no longer in a state in which this can be done.",
}

_FILES = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["resources"],
            "properties": {"resources": {"type": "array", "items": {"type": "string", "format": "binary"}}},
        }
    }
}


def describe(version: str) -> dict[str, Any]:
    """Return the OpenAPI document of every endpoint of the current application."""
    found = [
        (rule, method, operation)
        for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if (operation := OPERATIONS.get(current_app.view_functions[rule.endpoint])) is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    schemas, references = _schemas([operation for _, _, operation in found])
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, operation in found:
        path = _PLACE.sub(r"{\g<name>}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = _operation(rule, operation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Baton", "version": version, "description": "Camunda 8.9's API as far as Baton has it."},
        "paths": paths,
        "components": {
            "schemas": {**schemas, "ProblemDetail": _PROBLEM},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
        "security": [{"basic": []}],
    }


References = Mapping[Any, dict[str, Any]]


def _schemas(operations: list[Operation]) -> tuple[dict[str, Any], References]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for operation in operations:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        for result in operation.results:
            shape = _item(result) or result
            if _is_shape(shape):
                wanted[shape, "serialization"] = None
    references, document = models_json_schema(list(wanted), ref_template=_REFERENCE)
    return document.get("$defs", {}), references


def _operation(rule: Rule, operation: Operation, references: References) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "tags": [rule.rule.split("/")[2]],
        "summary": operation.summary.rstrip("."),
        "parameters": [*_path_parameters(rule), *_query_parameters(operation)],
        "responses": {**_answers(operation, references), **_refusals()},
    }
    if operation.body is not None:
        schema = references[operation.body, "validation"]
        required = any(field.is_required() for field in operation.body.model_fields.values())
        described["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    elif operation.takes_files:
        described["requestBody"] = {"required": True, "content": _FILES}
    return described


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    return [
        {
            "name": place["name"],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9]{1,19}$"} if place["kind"] == "int" else {"type": "string"},
        }
        for place in _PLACE.finditer(rule.rule)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": TypeAdapter(kind).json_schema()}
        for name, kind in operation.query.items()
    ]


def _answers(operation: Operation, references: References) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for result in operation.results:
        if result is NoneType:
            answers["204"] = {"description": "Done; there is nothing to say."}
        elif result is Xml:
            answers["200"] = {"description": "XML.", "content": {"text/xml": {"schema": {"type": "string"}}}}
        else:
            item = _item(result)
            schema = references[item or result, "serialization"]
            schema = {"type": "array", "items": schema} if item is not None else schema
            answers["200"] = {"description": "JSON.", "content": {"application/json": {"schema": schema}}}
    return answers


def _refusals() -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model="ProblemDetail")}
    return {
        status: {"description": description, "content": {"application/problem+json": {"schema": schema}}}
        for status, description in _REFUSALS.items()
    }


def _item(result: Any) -> Any:
    """Return what a list is a list of; None for what is no list."""
    return get_args(result)[0] if get_origin(result) is list else None


def _is_shape(result: Any) -> bool:
    return isinstance(result, type) and issubclass(result, Shape) and not issubclass(result, Request)
