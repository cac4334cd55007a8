"""Commands on a whole process instance: cancel it, set its variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import CalledByAnother, NotFound
from engine.variables import checked

if TYPE_CHECKING:
    from engine.workflow import Execution


@dataclass(frozen=True, slots=True)
class CancelInstance:
    """End the instance and everything in it, its child instances too."""

    reason: str = ""
    action = "cancel process instance"

    def apply(self, execution: Execution) -> None:
        """Terminate every token; raises CalledByAnother for a child instance."""
        if execution.parent_key is not None:
            raise CalledByAnother(execution.instance_key, execution.parent_key)
        execution.audit(self.action, details={"reason": self.reason})
        execution.cancel()


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Set variables from the scope `scope_key` outward, or, when `local`, in exactly that scope."""

    scope_key: int
    variables: dict[str, Any]
    local: bool = False
    action = "set variables"

    def apply(self, execution: Execution) -> None:
        """Write the variables; raises NotFound when the scope is not live, InvalidVariables."""
        variables = checked(self.variables)
        token = execution.find(self.scope_key)
        if token is None:
            raise NotFound("live scope", self.scope_key)
        before = execution.variables.visible(token)
        if self.local:
            for name, value in variables.items():
                execution.variables.set_local(token, name, value)
        else:
            execution.variables.merge(token, variables)
        execution.audit(
            self.action,
            element_id=token.element.id,
            subject_key=self.scope_key,
            details={"variables": variables, "before": {name: before.get(name) for name in variables}},
        )
