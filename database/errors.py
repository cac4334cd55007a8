"""What those who write to a database, or copy, back up or restore one, can act on."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError


class OutcomeUnknown(SQLAlchemyError):
    """The connection broke while a transaction was being committed: all of it may have happened, or nothing."""

    def __init__(self) -> None:
        super().__init__("The connection to the database broke during the commit. Look whether it was done.")


class ReplicaUnfit(Exception):
    """What was asked as a replica is none of this database, or is too far behind; the message says which."""


class DatabaseRefused(Exception):
    """The work was not begun, or all of it was taken back; the message says why and what to do."""


class NotEmpty(DatabaseRefused):
    """The target holds rows already."""


class WrongRevision(DatabaseRefused):
    """The tables are not those that this version of the program works with."""


class Unstorable(DatabaseRefused):
    """A value of the source cannot be kept by the target's kind of database."""


class Damaged(DatabaseRefused):
    """What was read back is not what was written, or a backup file is not whole."""
