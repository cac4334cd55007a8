"""The regular expressions of forms: written for the browser (ECMAScript), applied here with a time limit."""

from __future__ import annotations

from functools import lru_cache

import regex

#: Wall-clock time of one match, seconds; a pattern that backtracks for ever is stopped then.
MATCH_SECONDS = 0.25

#: As HTML 5 defines a valid e-mail address (HTML Living Standard, 4.10.5.1.5).
EMAIL = (
    r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"
)
#: An international number: + or 00, country code, at most 15 digits (ITU-T E.164, 6.2).
PHONE = r"^(\+|00)[1-9]\d{5,14}$"

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_"}


class PatternFailed(Exception):
    """A pattern does not compile, or took too long on a value."""


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Return the compiled pattern; raises PatternFailed if it is not a regular expression."""
    try:
        return regex.compile(_translated(pattern), regex.VERSION0)
    except regex.error as error:
        raise PatternFailed(str(error)) from error


def matches(pattern: str, value: str) -> bool:
    """Return whether `pattern` occurs in `value`, as JavaScript's `test`; raises PatternFailed."""
    try:
        return compiled(pattern).search(value, timeout=MATCH_SECONDS) is not None
    except TimeoutError as error:
        raise PatternFailed(f"it took longer than {MATCH_SECONDS} seconds") from error


def _translated(pattern: str) -> str:
    """Word an ECMAScript pattern for Python: `$` is only the very end, `\\d` and `\\w` are ASCII."""
    result: list[str] = []
    in_class = False
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern):
            position += 1
            result.append(_escape(pattern[position], in_class))
        elif character == "$" and not in_class:
            result.append(r"\Z")
        elif in_class and character == "[":
            result.append(r"\[")
        else:
            if character == "[":
                in_class = True
            elif character == "]":
                in_class = False
            result.append(character)
        position += 1
    return "".join(result)


def _escape(letter: str, in_class: bool) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and not in_class:
        return f"[^{_CLASSES[letter.lower()]}]"
    return letter if letter == "/" else f"\\{letter}"
