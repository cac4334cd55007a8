"""Why a fault came to no result."""

from __future__ import annotations


class LeftOut(Exception):
    """The fault cannot be tried on this machine; the message says what is missing."""


class Stuck(Exception):
    """What should have come about by itself did not; the message says what."""
