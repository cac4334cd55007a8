"""What the cockpit refuses: each refusal is one exception with a sentence for a person."""

from __future__ import annotations


class CockpitError(Exception):
    """Base of everything that the cockpit refuses."""


class ReasonMissing(CockpitError):
    """A case is ended by hand only with a reason, because the people who worked on it will ask."""

    def __init__(self) -> None:
        super().__init__("Say why: the reason is kept in the history of the case.")


class InvalidValue(CockpitError):
    """What was entered for a variable is not JSON, or the variable has no usable name."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class UnknownAssignee(CockpitError):
    """The task cannot be given to somebody who is not there or cannot sign in."""

    def __init__(self, username: str) -> None:
        super().__init__(f"There is no active user {username}.")
        self.username = username


class NothingChosen(CockpitError):
    """A manager has said why, but not what shall happen."""

    def __init__(self) -> None:
        super().__init__("Choose at least one step that is left, reached or started.")


class NoCaseChosen(CockpitError):
    """A manager has said what shall be done with several cases, but not with which."""

    def __init__(self) -> None:
        super().__init__("Nothing was done: tick at least one case.")


class CaseChanged(CockpitError):
    """Between looking and acting somebody else, or a deadline, has changed the case: nothing was done."""

    def __init__(self) -> None:
        super().__init__("The case has changed since you looked at it. Nothing was done: look again.")
