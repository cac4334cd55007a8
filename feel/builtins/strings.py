"""Functions of strings (DMN 1.5, table 74); positions count Unicode code points from 1."""

from __future__ import annotations

import base64
import uuid as uuids
from decimal import Decimal

from feel.builtins.registry import builtin
from feel.numbers import truncated
from feel.regex import RegexError, compile_pattern
from feel.runtime import Run
from feel.values import Value


@builtin("substring", "string: string", "start position: number", "length?: number?")
def substring(run: Run, text: str, start_position: Decimal, length: Decimal | None = None) -> Value:
    """The part from a position (from the end if negative) on."""
    start = truncated(start_position)
    if start is None or start == 0:
        return run.null("the start position is a number other than 0")
    size = len(text) if length is None else truncated(length)
    if size is None or size < 0:
        return run.null("the length is a number that is not negative")
    if start < 0 and -start > len(text):
        return run.null("the start position lies before the string")
    begin = start - 1 if start > 0 else len(text) + start
    return text[begin : begin + size]


@builtin("string length", "string: string")
def string_length(_run: Run, text: str) -> Value:
    """The number of code points."""
    return Decimal(len(text))


@builtin("upper case", "string: string")
def upper_case(run: Run, text: str) -> Value:
    """In capitals."""
    run.budget.make_string(len(text))
    return text.upper()


@builtin("lower case", "string: string")
def lower_case(run: Run, text: str) -> Value:
    """In small letters."""
    run.budget.make_string(len(text))
    return text.lower()


@builtin("substring before", "string: string", "match: string")
def substring_before(_run: Run, text: str, match: str) -> Value:
    """What stands before the first occurrence; empty if there is none."""
    return text.partition(match)[0] if match and match in text else ""


@builtin("substring after", "string: string", "match: string")
def substring_after(_run: Run, text: str, match: str) -> Value:
    """What stands after the first occurrence; empty if there is none."""
    return text.partition(match)[2] if match else text


@builtin("contains", "string: string", "match: string")
def contains(_run: Run, text: str, match: str) -> Value:
    """Whether the string holds the other."""
    return match in text


@builtin("starts with", "string: string", "match: string")
def starts_with(_run: Run, text: str, match: str) -> Value:
    """Whether the string begins with the other."""
    return text.startswith(match)


@builtin("ends with", "string: string", "match: string")
def ends_with(_run: Run, text: str, match: str) -> Value:
    """Whether the string ends with the other."""
    return text.endswith(match)


@builtin("matches", "input: string", "pattern: string", "flags?: string?")
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> Value:
    """Whether an XPath regular expression is found in the string."""
    try:
        return compile_pattern(pattern, flags or "").found_in(run, text)
    except RegexError as error:
        return run.null(str(error))


@builtin("replace", "input: string", "pattern: string", "replacement: string", "flags?: string?")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> Value:
    """The string with all matches of an XPath regular expression replaced; $1 means the first group."""
    try:
        return compile_pattern(pattern, flags or "").replace_in(run, text, replacement)
    except RegexError as error:
        return run.null(str(error))


@builtin("split", "string: string", "delimiter: string")
def split(run: Run, text: str, delimiter: str) -> Value:
    """The parts between matches of a regular expression."""
    try:
        return compile_pattern(delimiter, "").split(run, text)
    except RegexError as error:
        return run.null(str(error))


@builtin("extract", "string: string", "pattern: string")
def extract(run: Run, text: str, pattern: str) -> Value:
    """All matches of a regular expression (Camunda)."""
    try:
        return compile_pattern(pattern, "").all_in(run, text)
    except RegexError as error:
        return run.null(str(error))


@builtin("string join", "list: list", "delimiter?: string?")
def string_join(run: Run, items: list[Value], delimiter: str | None = None) -> Value:
    """The strings of a list in one, with a delimiter in between; nulls are left out."""
    if any(not (item is None or isinstance(item, str)) for item in items):
        return run.null("only strings can be joined")
    return join(run, items, delimiter or "", "", "")


@builtin("string join", "list: list", "delimiter: string?", "prefix: string?", "suffix: string?")
def string_join_framed(
    run: Run, items: list[Value], delimiter: str | None, prefix: str | None, suffix: str | None
) -> Value:
    """The same with something before and after (Camunda)."""
    if any(not (item is None or isinstance(item, str)) for item in items):
        return run.null("only strings can be joined")
    return join(run, items, delimiter or "", prefix or "", suffix or "")


def join(run: Run, items: list[Value], delimiter: str, prefix: str, suffix: str) -> str:
    """Joins strings within the budget; nulls are left out."""
    strings = [item for item in items if item is not None]
    size = sum(map(len, strings)) + len(delimiter) * len(strings) + len(prefix) + len(suffix)
    run.budget.make_string(size)
    return prefix + delimiter.join(strings) + suffix


@builtin("trim", "string: string")
def trim(_run: Run, text: str) -> Value:
    """Without white space at both ends (Camunda)."""
    return text.strip()


@builtin("is blank", "string: string")
def is_blank(_run: Run, text: str) -> Value:
    """Whether there is nothing but white space (Camunda)."""
    return not text.strip()


@builtin("to base64", "value: string")
def to_base64(run: Run, text: str) -> Value:
    """The UTF-8 bytes in base 64 (Camunda)."""
    run.budget.make_string(len(text) * 2)
    return base64.b64encode(text.encode()).decode("ascii")


@builtin("uuid")
def uuid(_run: Run) -> Value:
    """A new random identifier (Camunda)."""
    return str(uuids.uuid4())
