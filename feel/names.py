"""Recognises known names in the token stream: longest known name wins, spacing inside a name does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from feel.lexer import KEYWORDS, NAME, NUMBER, Token, is_plain_name, name_parts

BUILT_IN_NAMES = ("date and time", "years and months duration", "get or else", "end of working day")
TYPE_NAMES = ("date and time", "years and months duration", "days and time duration")


class NameTable:
    """Known names that plain reading (words up to the next symbol or keyword) would not find."""

    __slots__ = ("_by_first_part",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first_part: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self.add(name)

    def __bool__(self) -> bool:
        return bool(self._by_first_part)

    def add(self, name: str) -> None:
        """Makes a name known; plain names need no entry."""
        parts = name_parts(name)
        if not parts or (" ".join(parts) == name and is_plain_name(name)):
            return
        candidates = self._by_first_part.setdefault(parts[0], [])
        if (parts, name) not in candidates:
            candidates.append((parts, name))
            candidates.sort(key=lambda candidate: -len(candidate[0]))

    def longest(self, tokens: list[Token], index: int) -> tuple[str, int] | None:
        """The longest known name that starts at a token and its number of tokens."""
        token = tokens[index]
        if token.kind not in (NAME, NUMBER):
            return None
        for parts, name in self._by_first_part.get(token.text, ()):
            end = index + len(parts)
            if end <= len(tokens) and all(tokens[at].text == part for at, part in enumerate(parts, index)):
                return name, len(parts)
        return None


BUILT_INS = NameTable(BUILT_IN_NAMES)
TYPES = NameTable(TYPE_NAMES)


@lru_cache(maxsize=512)
def known_names(names: frozenset[str]) -> NameTable:
    """The table for a set of names, kept because the same set comes with many expressions."""
    return NameTable(names)


def plain_name(tokens: list[Token], index: int) -> tuple[str, int]:
    """The name that words (and whole numbers after the first word) spell from a token on; its number of tokens."""
    first = tokens[index]
    if first.quoted:
        return first.text, 1
    end = index + 1
    while ((token := tokens[end]).kind == NAME and token.text not in KEYWORDS and not token.quoted) or (
        token.kind == NUMBER and token.text.isdigit()
    ):
        end += 1
    return " ".join(token.text for token in tokens[index:end]), end - index
