"""Cuts FEEL text into tokens (DMN 1.5, grammar rules 27-37 and 61-66)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from feel.errors import FeelSyntaxError

NUMBER, STRING, NAME, SYMBOL, END = "number", "string", "name", "symbol", "end"

KEYWORDS = frozenset(
    [
        "and",
        "or",
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "between",
        "instance",
        "function",
        "external",
        "null",
        "true",
        "false",
    ]
)
WHITESPACE = "\t\n\v\f\r \u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
_NAME_START = (
    "?A-Z_a-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u167f\u1681-\u180d\u180f-\u1fff"
    "\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
_NAME_PART = _NAME_START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"

_TOKEN = re.compile(
    rf"""
    (?P<space>[{WHITESPACE}]+|//[^\n]*|/\*.*?\*/)
    |(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[{_NAME_START}][{_NAME_PART}]*)
    |(?P<quoted>`[^`\n]*`)
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<symbol>\*\*|\.\.|!=|<=|>=|->|[-+*/=<>()\[\]{{}},:.@'])
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


class Token(NamedTuple):
    """One token: `text` as written (a string's value, decoded), from `start` to before `end` in code points."""

    kind: str
    text: str
    start: int
    end: int
    quoted: bool = False


def tokenize(text: str) -> list[Token]:
    """All tokens of the text and an END token; raises FeelSyntaxError for an unclosed string or comment."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        start, end = match.span()
        written = match.group()
        if kind == "space":
            continue
        if kind == "string":
            tokens.append(Token(STRING, unescape(written[1:-1]), start, end))
        elif kind == "quoted":
            tokens.append(Token(NAME, written[1:-1], start, end, True))
        elif kind == "symbol":
            if written == "/" and text.startswith("/*", start):
                raise FeelSyntaxError.at(text, start, "the comment that starts here is never closed", ("*/",))
            tokens.append(Token(SYMBOL, written, start, end))
        elif kind == "other":
            if written == '"':
                raise FeelSyntaxError.at(text, start, "the string that starts here is never closed", ('"',))
            # Kept as a symbol: it may be part of a known name; otherwise the parser refuses it.
            tokens.append(Token(SYMBOL, written, start, end))
        else:
            tokens.append(Token(NUMBER if kind == "number" else NAME, written, start, end))
    tokens.append(Token(END, "", len(text), len(text)))
    return tokens


def unescape(body: str) -> str:
    """The value of a string literal's inside; surrogate pairs written as two escapes become one code point."""
    if "\\" not in body:
        return body

    def replacement(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) > 1:
            code = int(escape[1:], 16)
            return chr(code) if code <= 0x10FFFF else match.group()
        return _SIMPLE_ESCAPES.get(escape, match.group())

    value = _ESCAPE.sub(replacement, body)
    if any("\ud800" <= character <= "\udfff" for character in value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


@lru_cache(maxsize=8192)
def name_parts(name: str) -> tuple[str, ...]:
    """The texts of the tokens that make up a known name, so that spacing does not matter when it is looked up."""
    return tuple(token.text for token in tokenize(name.replace('"', ""))[:-1])


def is_plain_name(name: str) -> bool:
    """Whether a name can be read without being known: words and whole numbers, no symbols, no keywords."""
    parts = tokenize(name.replace('"', ""))[:-1]
    return (
        bool(parts)
        and parts[0].kind == NAME
        and all(part.kind == NAME or (part.kind == NUMBER and part.text.isdigit()) for part in parts)
        and not any(part.text in KEYWORDS for part in parts)
    )
