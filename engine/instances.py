"""Commands on a whole process instance: cancel it, set its variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import canceling
from engine.elements.ad_hoc import AdHocSubProcess
from engine.errors import CalledByAnother, ElementFailure, InvalidElements, NotActive, NotFound
from engine.suspension import ResumeInstance
from engine.variables import checked

if TYPE_CHECKING:
    from engine.workflow import Execution


@dataclass(frozen=True, slots=True)
class CancelInstance:
    """End the instance and everything in it, its child instances too."""

    reason: str = ""
    action = "cancel process instance"
    while_suspended = True
    while_unreadable = True

    def apply(self, execution: Execution) -> None:
        """Terminate every token; raises CalledByAnother for a child instance, NotActive when that is under way.

        Canceling listeners go first, also in an instance that was suspended.
        """
        if execution.parent_key is not None:
            raise CalledByAnother(execution.instance_key, execution.parent_key)
        if canceling.is_canceling(execution.root):
            raise NotActive("process instance", execution.instance_key, "being cancelled")
        execution.audit(self.action, details={"reason": self.reason})
        if execution.cancel() and execution.suspended:
            ResumeInstance(self.reason).apply(execution)


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Set variables from the scope `scope_key` outward, or, when `local`, in exactly that scope."""

    scope_key: int
    variables: dict[str, Any]
    local: bool = False
    action = "set variables"
    while_suspended = True

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


@dataclass(frozen=True, slots=True)
class ActivateAdHoc:
    """Start activities inside of a live ad-hoc sub-process; with `cancel_remaining` end the others first."""

    element_instance_key: int
    element_ids: list[str]
    cancel_remaining: bool = False
    #: Variables of its own for each of the elements, in their order; there may be fewer.
    variables: Sequence[dict[str, Any]] = ()
    action = "activate ad-hoc activities"

    def apply(self, execution: Execution) -> None:
        """Start them; raises NotFound for the key of no live ad-hoc sub-process, InvalidElements, InvalidVariables."""
        given = [checked(variables) for variables in self.variables]
        token = execution.find(self.element_instance_key)
        if token is None or not isinstance(token.element, AdHocSubProcess) or canceling.is_canceling(token):
            raise NotFound("live ad-hoc sub-process", self.element_instance_key)
        execution.audit(
            self.action,
            element_id=token.element.id,
            details={"elements": self.element_ids} | ({"variables": given} if any(given) else {}),
        )
        if self.cancel_remaining:
            canceling.terminate_children(token, then=token)
        try:
            started = token.element.start(token, self.element_ids)
        except ElementFailure as failure:
            raise InvalidElements(failure.message) from None
        for inner, variables in zip(started, given, strict=False):
            for name, value in variables.items():
                execution.variables.set_local(inner, name, value)
