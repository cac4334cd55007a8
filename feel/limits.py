"""How much one evaluation may use, so that no expression can hang or exhaust the server."""

from __future__ import annotations

import time
from dataclasses import dataclass

from feel.errors import FeelLimitExceeded

DEADLINE_CHECK_STEPS = 256
MAX_RESULT_DEPTH = 100
LONG_STRING_BITS = 12
"""Working through a string costs a step for each 4,096 code points."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The upper bounds of one evaluation."""

    steps: int = 2_000_000
    """Loop turns, function calls and list items visited."""
    depth: int = 100
    """Calls of user-defined functions inside one another."""
    list_size: int = 100_000
    """Items of one list, entries of one context."""
    string_size: int = 1_000_000
    """Code points of one string."""
    memory: int = 10_000_000
    """Code points and list items made during the whole evaluation, and of its result written out."""
    seconds: float = 1.0
    """Wall-clock time, seconds."""
    regex_seconds: float = 0.25
    """Wall-clock time of one regular expression match, seconds."""


DEFAULT_LIMITS = Limits()


class Budget:
    """What is left of the limits while one evaluation runs."""

    __slots__ = ("_deadline", "_memory", "_next_check", "depth", "limits", "steps")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.steps = 0
        self.depth = 0
        self._memory = limits.memory
        self._next_check = DEADLINE_CHECK_STEPS
        self._deadline = time.monotonic() + limits.seconds

    def spend(self, steps: int = 1) -> None:
        """Counts steps; raises FeelLimitExceeded when steps or time are used up."""
        self.steps += steps
        if self.steps >= self._next_check:
            self._check()

    def _check(self) -> None:
        self._next_check = self.steps + DEADLINE_CHECK_STEPS
        if self.steps > self.limits.steps:
            raise FeelLimitExceeded("steps", f"the expression took more than {self.limits.steps} steps")
        self.check_time()

    def check_time(self) -> None:
        """Raises FeelLimitExceeded when the time is used up."""
        if time.monotonic() > self._deadline:
            raise FeelLimitExceeded("time", f"the expression ran longer than {self.limits.seconds} seconds")

    def remaining_seconds(self) -> float:
        """The time left, seconds, never negative."""
        return max(0.0, self._deadline - time.monotonic())

    def make_string(self, size: int) -> None:
        """Accounts for a new string of this many code points, before it is made."""
        self.spend(size >> LONG_STRING_BITS)
        if size > self.limits.string_size:
            raise FeelLimitExceeded(
                "string size", f"a string would be longer than {self.limits.string_size} characters"
            )
        self._allocate(size)

    def read_string(self, size: int) -> None:
        """Accounts for going through a string of this many code points."""
        self.spend(size >> LONG_STRING_BITS)

    def make_list(self, size: int) -> None:
        """Accounts for a new list or context of this many items, before it is made."""
        if size > self.limits.list_size:
            raise FeelLimitExceeded("list size", f"a list would have more than {self.limits.list_size} items")
        self._allocate(size)
        self.spend(size)

    def _allocate(self, size: int) -> None:
        self._memory -= size
        if self._memory < 0:
            raise FeelLimitExceeded(
                "memory", f"the expression made more than {self.limits.memory} characters and items"
            )

    def enter_call(self) -> None:
        """Goes one function call deeper; the caller decreases `depth` on the way out."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise FeelLimitExceeded("depth", f"functions call one another more than {self.limits.depth} deep")

    def check_result(self, value: object) -> None:
        """Raises FeelLimitExceeded if the value would be too large or deep written out, shared parts repeated."""
        if isinstance(value, (list, dict)) and self._written_size(value, {}, 0) > self.limits.memory:
            message = f"the result has more than {self.limits.memory} characters and items"
            raise FeelLimitExceeded("result size", message)

    def _written_size(self, value: object, known: dict[int, int], depth: int) -> int:
        if isinstance(value, str):
            return len(value) + 1
        if not isinstance(value, (list, dict)):
            return 1
        size = known.get(id(value))
        if size is None:
            if depth > MAX_RESULT_DEPTH:
                raise FeelLimitExceeded("depth", f"the result is nested more than {MAX_RESULT_DEPTH} deep")
            parts = value.values() if isinstance(value, dict) else value
            size = 1 + sum(self._written_size(part, known, depth + 1) for part in parts)
            size += sum(map(len, value)) if isinstance(value, dict) else 0
            known[id(value)] = size
        return size
