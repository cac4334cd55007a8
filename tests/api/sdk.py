"""The operations of Camunda's published Python client, and a driver that calls them by their names."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, get_args, get_type_hints

from camunda_orchestration_sdk import CamundaClient, api, models
from camunda_orchestration_sdk.errors import MissingRequiredFieldError

_METHOD = re.compile(r'"method": "(\w+)"')
_URL = re.compile(r'"url": "([^"]+)"')


@dataclass(frozen=True)
class Operation:
    """One operation: how it is called over HTTP, with `{…}` in the path; and the models that its body may have."""

    method: str
    path: str
    bodies: tuple[Any, ...]


def operations() -> dict[str, Operation]:
    """Return all operations by their names."""
    found: dict[str, Operation] = {}
    for info in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        if not info.ispkg:
            found[info.name.rpartition(".")[2]] = _read(import_module(info.name))
    return found


def _read(module: ModuleType) -> Operation:
    source = inspect.getsource(module._get_kwargs)
    method, url = _METHOD.search(source), _URL.search(source)
    assert method is not None, module.__name__
    assert url is not None, module.__name__
    body = get_type_hints(module._get_kwargs).get("body")
    bodies = [model for model in (get_args(body) or (body,)) if hasattr(model, "from_dict")]
    return Operation(method[1].upper(), f"/v2{url[1]}", tuple(bodies))


def members(model: Any) -> set[str]:
    """Return the names that a model of the client has in JSON."""
    source = inspect.getsource(model.to_dict)
    return set(re.findall(r'field_dict\["([^"]+)"\]', source)) | set(re.findall(r'^\s+"([^"]+)": ', source, re.M))


def filter_of(model: Any) -> Any:
    """Return the model of the filter of a search, None for another body."""
    named = re.search(r"filter_: (\w+)", inspect.getsource(model))
    return getattr(models, named[1]) if named is not None else None


def sorted_by(model: Any) -> set[str]:
    """Return the names that a search of the client can be sorted by."""
    fields = getattr(models, f"{model.__name__}SortRequestField", ())
    return {field.value for field in fields}


class Driver:
    """Calls operations as one user, and notes which."""

    def __init__(self, client: CamundaClient, called: set[str]) -> None:
        self._client = client
        self._called = called
        self._operations = operations()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the operation: keys by name, the members of the body in a dict."""
        method, bodies = getattr(self._client, name), self._operations[name].bodies

        def call(body: dict[str, Any] | None = None, **keys: Any) -> Any:
            self._called.add(name)
            if body is not None:
                keys["data"] = _model(bodies, body)
            return method(**keys)

        return call


def _model(bodies: tuple[Any, ...], body: dict[str, Any]) -> Any:
    for model in bodies:
        try:
            return model.from_dict(body)
        except (MissingRequiredFieldError, KeyError):
            continue
    raise AssertionError(f"{body} is the body of none of {bodies}")
