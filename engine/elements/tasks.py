"""Tasks that the engine or a machine does: plain, script, business rule, job, receive and send tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from engine import expressions, job_creation, rules, subscriptions, throwing
from engine.elements.base import Element
from engine.elements.definitions import Details, JobDefinition, MessageDefinition

if TYPE_CHECKING:
    from engine.process import Process
    from engine.tokens import Token


class PlainTask(Element):
    """An undefined or manual task: the engine passes through (Camunda 8's rule), history shows the visit."""

    kind: ClassVar[str] = "task"


class ManualTask(PlainTask):
    """Done by a person without the system; the engine passes through."""

    kind: ClassVar[str] = "manualTask"


class ScriptTask(Element):
    """Evaluates one FEEL expression into a variable."""

    kind: ClassVar[str] = "scriptTask"

    def __init__(self, process: Process, details: Details, expression: str, result_variable: str) -> None:
        super().__init__(process, details)
        self.expression = expression
        self.result_variable = result_variable

    def enter(self, task: Token) -> bool:
        """Evaluate and store."""
        value = expressions.evaluate(task, self.expression, "script")
        store_result(task, self.result_variable, value)
        return True


class BusinessRuleTask(Element):
    """Makes a DMN decision and stores its result."""

    kind: ClassVar[str] = "businessRuleTask"

    def __init__(self, process: Process, details: Details, decision_id: str, result_variable: str) -> None:
        super().__init__(process, details)
        self.decision_id = decision_id
        self.result_variable = result_variable

    def enter(self, task: Token) -> bool:
        """Decide and store."""
        decision_id = str(expressions.evaluate(task, self.decision_id, "decision id"))
        store_result(task, self.result_variable, rules.decide(task, decision_id))
        return True


class JobTask(Element):
    """Work for a machine: waits until a worker completes its job."""

    def __init__(self, process: Process, details: Details, kind: str, job: JobDefinition) -> None:
        super().__init__(process, details)
        self.kind = kind  # type: ignore[misc]  # a service task, or any task or throw event that names a job type
        self.job = job

    def enter(self, task: Token) -> bool:
        """Create the job."""
        job_creation.create(task, self.job)
        return False


class SendTask(Element):
    """Publishes a message, as a message throw event does."""

    kind: ClassVar[str] = "sendTask"

    def __init__(self, process: Process, details: Details, message: MessageDefinition) -> None:
        super().__init__(process, details)
        self.message = message

    def enter(self, task: Token) -> bool:
        """Publish."""
        throwing.throw_message(task, self.message)
        return True


class ReceiveTask(Element):
    """Waits for a message, as a message catch event does."""

    kind: ClassVar[str] = "receiveTask"

    def __init__(self, process: Process, details: Details, message: MessageDefinition) -> None:
        super().__init__(process, details)
        self.definitions = (message,)

    def enter(self, task: Token) -> bool:
        """Open the subscription."""
        subscriptions.open_event(task, self)
        return False

    def caught(self, host: Token, variables: dict[str, Any]) -> None:
        """Take over from the event-based gateway that waited for this task's message."""
        host.execution.take_over(host, self, variables)


def store_result(task: Token, name: str, value: Any) -> None:
    """Put an element's result where its outputs look for it, or, without outputs, into the scopes around."""
    variables = task.execution.variables
    if task.element.details.outputs:
        variables.set_local(task, name, value)
    else:
        variables.merge(task, {name: value})
