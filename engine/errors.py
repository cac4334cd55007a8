"""What a caller of the engine can act on: each refusal is one exception with a sentence for a person."""

from __future__ import annotations

from collections.abc import Sequence

from engine.problems import Problem


class EngineError(Exception):
    """Base of everything the engine refuses."""


class NotFound(EngineError):
    """The thing named does not exist."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"There is no {kind} {key}.")
        self.kind = kind
        self.key = key


class NotActive(EngineError):
    """The thing named is no longer in a state in which the command makes sense: somebody was faster, or it ended."""

    def __init__(self, kind: str, key: object, state: str) -> None:
        super().__init__(f"The {kind} {key} is {state}, so this cannot be done any more.")
        self.kind = kind
        self.key = key
        self.state = state


class Suspended(NotActive):
    """The instance is suspended: nothing happens in it until somebody resumes it."""

    def __init__(self, key: int) -> None:
        EngineError.__init__(self, f"The process instance {key} is suspended. Resume it first.")
        self.kind, self.key, self.state = "process instance", key, "suspended"


class NotSuspended(NotActive):
    """There is nothing to resume."""

    def __init__(self, key: int) -> None:
        EngineError.__init__(self, f"The process instance {key} is not suspended.")
        self.kind, self.key, self.state = "process instance", key, "not suspended"


class NotEnded(NotActive):
    """Only an instance that has ended can be restarted."""

    def __init__(self, key: int) -> None:
        EngineError.__init__(self, f"The process instance {key} is still running. Modify it, or cancel it first.")
        self.kind, self.key, self.state = "process instance", key, "active"


class StateUnreadable(NotActive):
    """The stored tokens of an instance cannot be read: it can only be cancelled, and started anew elsewhere."""

    def __init__(self, key: int, reason: str) -> None:
        EngineError.__init__(self, f"The state of the process instance {key} cannot be read: {reason}. Cancel it.")
        self.kind, self.key, self.state = "process instance", key, "unreadable"
        self.reason = reason


class MigrationRefused(EngineError):
    """The instance does not fit the target version by this plan; nothing was migrated."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class AlreadyAssigned(EngineError):
    """The user task belongs to somebody else."""

    def __init__(self, key: int, assignee: str) -> None:
        super().__init__(f"The user task {key} is assigned to {assignee}.")
        self.assignee = assignee


class CalledByAnother(EngineError):
    """The instance was started by a call activity, so only its caller can be cancelled."""

    def __init__(self, key: int, parent_key: int) -> None:
        super().__init__(f"The process instance {key} was called by {parent_key}; cancel that one.")
        self.parent_key = parent_key


class DuplicateMessage(EngineError):
    """A message with the same name, correlation key and message id is still buffered."""


class InvalidVariables(EngineError):
    """The variables of a command are not a JSON object or are too large."""


class InvalidElements(EngineError):
    """The elements that a command names are not where they would have to be."""


class EndlessExchange(EngineError):
    """Messages or signals that processes throw would go on to throw others without end."""


class DeploymentRefused(EngineError):
    """A resource has problems; nothing was deployed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ClockNotControllable(EngineError):
    """The configuration does not allow the clock to be set."""


class ElementFailure(Exception):
    """Something inside an instance cannot be done; becomes an incident at the element, never a rollback."""

    def __init__(self, kind: str, message: str, *, expression: str | None = None, variables: object = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.expression = expression
        self.variables = variables
