"""What can go wrong with an expression, one class for each thing a caller can act on."""

from __future__ import annotations


class FeelError(Exception):
    """The base of everything that this package raises."""


class FeelSyntaxError(FeelError):
    """The text is not FEEL: says where (line and column count from 1) and what was expected there."""

    def __init__(self, message: str, position: int, line: int, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.message = message
        self.position = position
        self.line = line
        self.column = column
        self.expected = expected

    @classmethod
    def at(cls, text: str, position: int, message: str, expected: tuple[str, ...] = ()) -> FeelSyntaxError:
        """Makes the error for a position (offset in code points) in a text."""
        before = text[:position]
        line = before.count("\n") + 1
        column = position - (before.rfind("\n") + 1) + 1
        return cls(message, position, line, column, expected)

    def pointer(self, text: str) -> str:
        """The offending line with a caret under the offending character, for a fixed-width display."""
        lines = text.split("\n")
        return f"{lines[self.line - 1]}\n{' ' * (self.column - 1)}^"


class FeelLimitExceeded(FeelError):
    """An evaluation used more steps, depth, memory or time than its limits allow; `limit` names which."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class FeelAssertionFailed(FeelError):
    """The built-in function `assert` found its condition not to be true."""
