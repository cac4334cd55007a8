"""What the people room refuses: each refusal is one exception with a sentence for a person."""

from __future__ import annotations

from datetime import datetime


class PeopleError(Exception):
    """Base of everything that the people room refuses."""


class Forbidden(PeopleError):
    """The user may not do this."""

    def __init__(self, message: str = "You may not do this.") -> None:
        super().__init__(message)


class SignInRefused(PeopleError):
    """The username or the password is wrong, or the user is deactivated; which of them is not told."""

    def __init__(self) -> None:
        super().__init__("The username or the password is wrong.")


class TooManyAttempts(PeopleError):
    """Too many failed attempts to sign in as this user from this address."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many failed attempts to sign in; try again later.")
        self.until = until


class UserNotFound(PeopleError):
    """There is no user of that name."""

    def __init__(self, username: str) -> None:
        super().__init__(f"There is no user {username}.")
        self.username = username


class GroupNotFound(PeopleError):
    """There is no group of that name."""

    def __init__(self, group_id: str) -> None:
        super().__init__(f"There is no group {group_id}.")
        self.group_id = group_id


class UsernameTaken(PeopleError):
    """A user of that name exists already."""

    def __init__(self, username: str) -> None:
        super().__init__(f"There is a user {username} already.")
        self.username = username


class InvalidUser(PeopleError):
    """A value given for a user cannot be taken; `field` says which one."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidOrganisation(PeopleError):
    """The organisation file does not have the declared shape."""
