"""XPath regular expressions, bounded in time: what `matches`, `replace`, `split` and `extract` use."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import regex

from feel.errors import FeelLimitExceeded
from feel.regex_syntax import RegexError, Translator, quote, without_space

if TYPE_CHECKING:
    from feel.runtime import Run

__all__ = ["Pattern", "RegexError", "compile_pattern"]

MAX_PATTERN = 2_000
_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": 0, "q": 0}
_DIGITS = tuple("0123456789")


class Pattern:
    """A compiled regular expression; every use is bounded by the time that is left."""

    def __init__(self, pattern: str, flags: str) -> None:
        if len(pattern) > MAX_PATTERN:
            raise RegexError(f"a regular expression may have at most {MAX_PATTERN} characters")
        unknown = set(flags) - set(_FLAGS)
        if unknown:
            raise RegexError(f"there is no flag `{min(unknown)}`; the flags are s m i x q")
        options = regex.V1 | regex.UNICODE
        for flag in flags:
            if flag != "s":
                options |= _FLAGS[flag]
        if "q" in flags:
            translated = "".join(quote(character) for character in pattern)
            self.groups = 0
        else:
            if "x" in flags:
                pattern = without_space(pattern)
            translator = Translator(pattern, "m" in flags, "s" in flags)
            translated = translator.translate()
            self.groups = translator.groups
        self.literal = "q" in flags
        try:
            self._regex = regex.compile(translated, options, cache_pattern=False)
        except (regex.error, RecursionError) as error:
            raise RegexError(f"the regular expression is wrong: {error}") from None

    def found_in(self, run: Run, text: str) -> bool:
        """Whether there is a match anywhere."""
        with _Bound(run) as seconds:
            return self._regex.search(text, timeout=seconds) is not None

    def replace_in(self, run: Run, text: str, replacement: str) -> str:
        """The text with every match replaced; raises RegexError for a pattern that matches nothing at all."""
        parts = [replacement] if self.literal else self._replacement(replacement)
        with _Bound(run) as seconds:
            if self._regex.fullmatch("", timeout=seconds):
                raise RegexError("a pattern that matches the empty string cannot be replaced")
            result: list[str] = []
            end = 0
            for match in self._regex.finditer(text, timeout=seconds):
                piece = "".join(part if isinstance(part, str) else (match.group(part) or "") for part in parts)
                run.budget.make_string(len(piece))
                run.budget.spend()
                result += (text[end : match.start()], piece)
                end = match.end()
            result.append(text[end:])
        run.budget.make_string(sum(map(len, result)))
        return "".join(result)

    def _replacement(self, replacement: str) -> list[str | int]:
        parts: list[str | int] = []
        index = 0
        while index < len(replacement):
            character = replacement[index]
            index += 1
            if character == "\\":
                if replacement[index : index + 1] not in ("\\", "$"):
                    raise RegexError("in a replacement a backslash is written \\\\")
                parts.append(replacement[index])
                index += 1
            elif character == "$":
                digits = ""
                while replacement[index : index + 1] in _DIGITS and (
                    not digits or int(digits + replacement[index]) <= self.groups
                ):
                    digits += replacement[index]
                    index += 1
                if not digits:
                    raise RegexError("in a replacement `$` is followed by a group's number, or written \\$")
                number = int(digits)
                parts.append(number if number <= self.groups else "")
            else:
                parts.append(character)
        return _merged(parts)

    def split(self, run: Run, text: str) -> list[str]:
        """The parts between matches."""
        with _Bound(run) as seconds:
            parts: list[str] = []
            end = 0
            for match in self._regex.finditer(text, timeout=seconds):
                if match.start() == match.end():
                    continue
                run.budget.make_list(1)
                parts.append(text[end : match.start()])
                end = match.end()
            parts.append(text[end:])
        run.budget.make_list(len(parts))
        return parts

    def all_in(self, run: Run, text: str) -> list[str]:
        """All matches."""
        with _Bound(run) as seconds:
            found = [match.group() for match in self._regex.finditer(text, timeout=seconds)]
        run.budget.make_list(len(found))
        return found


def _merged(parts: list[str | int]) -> list[str | int]:
    """Neighbouring strings in one."""
    result: list[str | int] = []
    for part in parts:
        last = result[-1] if result else None
        if isinstance(part, str) and isinstance(last, str):
            result[-1] = last + part
        else:
            result.append(part)
    return result


class _Bound:
    """Gives the seconds a match may take, and turns the library's timeout into our limit."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> float:
        self._run.budget.check_time()
        self._run.budget.spend(10)
        return max(0.001, min(self._run.budget.limits.regex_seconds, self._run.budget.remaining_seconds()))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is TimeoutError:
            raise FeelLimitExceeded("regular expression", "a regular expression took too long to match") from None


@lru_cache(maxsize=512)
def compile_pattern(pattern: str, flags: str) -> Pattern:
    """A pattern ready for use; raises RegexError."""
    return Pattern(pattern, flags)
