"""What a person who copies, backs up or restores a database can act on."""

from __future__ import annotations


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
