"""Short ways to write a form schema and to validate something against it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from feel import Environment
from tasks.forms import Validation, validate

#: 2025-03-03, nine o'clock in the evening in UTC: already the 4th in Shanghai.
ENVIRONMENT = Environment(now=datetime(2025, 3, 3, 21, 0, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"))


def field(type_: str, key: str = "it", **properties: Any) -> dict[str, Any]:
    """One component with a value."""
    return {"type": type_, "key": key, "id": f"Field_{key}", "label": key, **properties}


def schema(*components: Mapping[str, Any]) -> dict[str, Any]:
    """A form of these components."""
    return {"id": "form", "type": "default", "components": [dict(component) for component in components]}


def enter(
    form: dict[str, Any], entered: Mapping[str, Any] | None = None, variables: Mapping[str, Any] | None = None
) -> Validation:
    """Validate what was entered in `form`."""
    return validate(form, entered or {}, variables or {}, ENVIRONMENT)


def sentences(validation: Validation) -> dict[str, list[str]]:
    """The errors as English text."""
    return {place: [str(sentence) for sentence in found] for place, found in validation.errors.items()}
