"""Walks over the tokens of one text; what every part of the parser needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from feel.errors import FeelSyntaxError
from feel.lexer import END, NAME, NUMBER, STRING, SYMBOL, tokenize
from feel.names import NameTable

MAX_TEXT = 100_000
MAX_TOKENS_IN_NAME = 64
MAX_RETREATS = 100

FULL_WIDTH = {
    **{chr(code + 0xFEE0): chr(code) for code in b"!+-*/=<>()[]{},:."},
    "\u3001": ",", "\u3002": ".", "\u3010": "[", "\u3011": "]", "\u201c": '"', "\u201d": '"', "\u2018": '"',
    "\u2019": '"', "\u00d7": "*", "\u00f7": "/", "\u2265": ">=", "\u2264": "<=", "\u2260": "!=",
}  # fmt: skip
"""What people type with a Chinese keyboard, and what FEEL wants instead."""

_Result = TypeVar("_Result")


class TokenReader:
    """A position in the tokens of a text."""

    def __init__(self, text: str, known: NameTable) -> None:
        if len(text) > MAX_TEXT:
            raise FeelSyntaxError.at(text, MAX_TEXT, f"an expression may have at most {MAX_TEXT} characters")
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self.known = known
        self._retreats = 0
        self._nesting = 0

    def at(self, symbol: str) -> bool:
        """Whether the current token is this symbol or keyword."""
        token = self.tokens[self.index]
        return token.text == symbol and token.kind in (SYMBOL, NAME) and not token.quoted

    def accept(self, symbol: str) -> bool:
        """Steps over the symbol or keyword if it comes next."""
        if self.at(symbol):
            self.index += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        """Steps over the symbol or keyword; raises FeelSyntaxError if something else comes next."""
        if not self.accept(symbol):
            raise self.unexpected((f"`{symbol}`",))

    def attempt(self, parse: Callable[[], _Result]) -> _Result | None:
        """Parses, or comes back to where it was and returns None when that is a syntax error."""
        index, nesting = self.index, self._nesting
        try:
            return parse()
        except FeelSyntaxError:
            self._retreats += 1
            if self._retreats > MAX_RETREATS:
                # Retreats inside retreats would double the work at each level.
                raise
            self.index, self._nesting = index, nesting
            return None

    def written(self, start: int, end: int) -> str:
        """The text from one token to before another, white space collapsed."""
        return " ".join(self.text[self.tokens[start].start : self.tokens[end - 1].end].split()).strip("`")

    def name_until(self, closing: tuple[str, ...]) -> str:
        """A new name: everything up to a closing symbol or keyword, which stays."""
        start = end = self.index
        while not ((token := self.tokens[end]).text in closing and token.kind in (SYMBOL, NAME)):
            symbol_in_name = token.kind == SYMBOL and end > start and token.text not in '(){}[],:"<>='
            if not (token.kind == NAME or (token.kind == NUMBER and end > start) or symbol_in_name):
                break
            end += 1
            if end - start > MAX_TOKENS_IN_NAME:
                break
        self.index = end
        if end == start:
            raise self.unexpected(("a name",))
        if self.tokens[end].text not in closing:
            raise self.unexpected(tuple(f"`{symbol}`" for symbol in closing))
        return self.written(start, end)

    def error(self, message: str, expected: tuple[str, ...]) -> FeelSyntaxError:
        """An error at the current token."""
        return FeelSyntaxError.at(self.text, self.tokens[self.index].start, message, expected)

    def unexpected(self, expected: tuple[str, ...]) -> FeelSyntaxError:
        """The error that says what stands here and what should."""
        token = self.tokens[self.index]
        if token.kind == END:
            found = "the expression ends here"
        elif token.kind == STRING:
            found = f'the text "{token.text[:60]}" cannot stand here'
        else:
            found = f"`{token.text[:60]}` cannot stand here"
        message = f"{found}; expected {' or '.join(expected)}" if expected else found
        for character in self.text[token.start : token.end]:
            if character in FULL_WIDTH and token.kind != STRING:
                message += f" (`{character}` is a full-width character; FEEL writes `{FULL_WIDTH[character]}`)"
                break
        return self.error(message, expected)
