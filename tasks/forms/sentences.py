"""Sentences about a value: kept as message id and values, so that the page can say them in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def mark(message: str) -> str:
    """Return `message` unchanged; marks it for the translation catalogue."""
    return message


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in English with named placeholders, e.g. `At least %(value)s.`."""

    message: str
    values: dict[str, str] = field(default_factory=dict)
    #: The sentence was written by the author of the form, so that it is translated as a label of the library.
    from_form: bool = False

    def __str__(self) -> str:
        return self.in_language(lambda message: message)

    def in_language(self, translate: Callable[[str], str]) -> str:
        """Return the sentence as `translate` words it, with the placeholders filled."""
        message = translate(self.message)
        return message if self.from_form else message % self.values
