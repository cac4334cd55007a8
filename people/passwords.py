"""Passwords: argon2 hashes, verified in the same time whether or not the user exists."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: Shortest password that a person may choose, in characters (NIST SP 800-63B, section 5.1.1.2).
MINIMUM_LENGTH = 8

#: Longest password that is looked at, in characters, so that nobody makes the server hash a novel.
MAXIMUM_LENGTH = 200

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password` with today's parameters."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Return whether `password` is the one that was hashed."""
    try:
        return _hasher.verify(password_hash, password[:MAXIMUM_LENGTH])
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Return whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def waste_time(password: str) -> None:
    """Take as long as `matches` does, for a user who does not exist."""
    matches(_decoy(), password)


@cache
def _decoy() -> str:
    return hash_password("nobody's password")
