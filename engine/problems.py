"""Problems: what the deployment gate finds in a resource, each at an element with a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a resource: where it is (element id and line, where known) and what is wrong."""

    message: str
    element_id: str | None = None
    line: int | None = None
    severity: Severity = "error"
    resource: str | None = None

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                self.resource,
                f"element {self.element_id}" if self.element_id else None,
                f"line {self.line}" if self.line else None,
            )
            if part
        )
        return f"{place}: {self.message}" if place else self.message
