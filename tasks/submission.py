"""What programs send with a task or a start: the form's inputs are checked as in the page, and the rest is guarded."""

from __future__ import annotations

from typing import Any

from engine.errors import InvalidVariables
from feel import Environment
from people.models import User
from people.permissions import may_manage
from tasks import forms
from tasks.errors import InvalidForm


def accepted(
    user: User,
    schema: dict[str, Any] | None,
    sent: dict[str, Any],
    seen: dict[str, Any],
    environment: Environment,
) -> dict[str, Any]:
    """Return the variables that `sent` becomes when the form `schema` was opened with the variables `seen`.

    Without a form everything is taken. With one, its inputs are validated, and only managers may send what it does not
    ask for: variables decide where a case goes. Raises InvalidForm, InvalidVariables.
    """
    if schema is None:
        return sent
    inputs = forms.input_names(forms.read(schema))
    others = {name: value for name, value in sent.items() if name not in inputs}
    if others and not may_manage(user):
        raise InvalidVariables(
            f"The form does not ask for {', '.join(sorted(others))}; only managers set variables besides the form's."
        )
    entered = {name: value for name, value in sent.items() if name in inputs}
    validation = forms.validate(schema, entered, seen, environment)
    if not validation.valid:
        raise InvalidForm(validation, entered)
    return validation.variables | others
