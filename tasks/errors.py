"""What the tasks room refuses beyond the engine's own refusals: each is one exception with a sentence for a person."""

from __future__ import annotations

from typing import Any

from engine.errors import InvalidVariables, NotActive
from tasks.forms import Validation


class InvalidForm(InvalidVariables):
    """What was entered breaks the form's rules; nothing was changed."""

    def __init__(self, validation: Validation, entered: dict[str, Any]) -> None:
        sentences = (f"{place}: {sentence}" for place, found in validation.errors.items() for sentence in found)
        super().__init__("The form is not filled in correctly. " + " ".join(sentences))
        self.validation = validation
        #: What was sent, so that nothing that a person typed is lost.
        self.entered = entered


class NotStartable(NotActive):
    """The process has no start event at which a person could start it."""

    def __init__(self, process_id: str) -> None:
        super().__init__("process", process_id, "not startable by a person")


class StillRunning(Exception):
    """The process instance was started but has no result yet; it goes on."""

    def __init__(self, instance_key: int) -> None:
        super().__init__(f"The process instance {instance_key} was started but has not completed in time; it goes on.")
        self.instance_key = instance_key
