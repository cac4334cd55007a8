"""The syntax of XPath regular expressions (XPath 2.0 Functions and Operators, section 7.6.1), checked and translated.

Only what the XPath grammar has is let through to the matching library, rewritten to its syntax: so nothing means
something else than the standard says, and no extension of the library is reachable.
"""

from __future__ import annotations

import regex

MAX_REPEAT = 1_000
MAX_TOTAL_REPEAT = 10_000
MAX_GROUPS = 99

_NAME_START = r":A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F"
_NAME_START += r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
_NAME_PART = _NAME_START + r"\-.0-9\u00B7\u0300-\u036F\u203F-\u2040"
_CLASSES = {
    "d": r"\p{Nd}", "D": r"\P{Nd}", "s": r"[ \t\n\r]", "S": r"[^ \t\n\r]",
    "w": r"[^\p{P}\p{Z}\p{C}]", "W": r"[\p{P}\p{Z}\p{C}]",
    "i": f"[{_NAME_START}]", "I": f"[^{_NAME_START}]", "c": f"[{_NAME_PART}]", "C": f"[^{_NAME_PART}]",
}  # fmt: skip
_ESCAPED = "nrt\\|.?*+(){}-[]^$"
_SPECIAL = set("\\.^$*+?{}[]|()&~#- \t\n\r\v\f\"'/<>=!:;,@%`")


class RegexError(ValueError):
    """The pattern is not an XPath regular expression, or is larger than allowed."""


class Translator:
    """Reads a pattern once, left to right, and writes the library's syntax."""

    def __init__(self, pattern: str, multiline: bool, dotall: bool) -> None:
        self.pattern = pattern
        self.index = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.repeats = 1
        self.multiline = multiline
        self.dotall = dotall

    def translate(self) -> str:
        """The whole pattern."""
        result = self._alternatives(0, 1)
        if self.index < len(self.pattern):
            raise self._error("a `)` closes nothing")
        return result

    def _error(self, message: str) -> RegexError:
        return RegexError(f"the regular expression is wrong at character {self.index + 1}: {message}")

    def _peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.index)

    def _accept(self, text: str) -> bool:
        if self._peek(text):
            self.index += len(text)
            return True
        return False

    def _alternatives(self, depth: int, factor: int) -> str:
        if depth > 50:
            raise self._error("groups are nested too deeply")
        branches = [self._branch(depth, factor)]
        while self._accept("|"):
            branches.append(self._branch(depth, factor))
        return "|".join(branches)

    def _branch(self, depth: int, factor: int) -> str:
        parts: list[str] = []
        while self.index < len(self.pattern) and not (self._peek("|") or self._peek(")")):
            start = self.index
            atom, quantifiable = self._atom(depth, factor)
            quantifier, most = self._quantifier()
            if quantifier:
                if not quantifiable:
                    self.index = start
                    raise self._error("nothing stands here that could be repeated")
                self._count(most * factor)
                if self._quantifier()[0]:
                    raise self._error("a repetition is repeated")
            parts.append(atom + quantifier)
        return "".join(parts)

    def _count(self, repeats: int) -> None:
        self.repeats += repeats
        if self.repeats > MAX_TOTAL_REPEAT:
            raise self._error("it repeats too much")

    def _quantifier(self) -> tuple[str, int]:
        for symbol in "*+?":
            if self._accept(symbol):
                return symbol + self._reluctant(), 1
        if not self._accept("{"):
            return "", 0
        end = self.pattern.find("}", self.index)
        body = self.pattern[self.index : end] if end >= 0 else ""
        low, comma, high = body.partition(",")
        if not low.isascii() or not low.isdigit() or (high and not (high.isascii() and high.isdigit())):
            raise self._error("a repetition is written {n}, {n,} or {n,m}")
        if len(low) > 6 or len(high) > 6 or int(low) > MAX_REPEAT or int(high or 0) > MAX_REPEAT:
            raise self._error(f"at most {MAX_REPEAT} repetitions can be asked for")
        if high and int(high) < int(low):
            raise self._error("the upper bound is below the lower")
        self.index = end + 1
        return f"{{{low}{comma}{high}}}" + self._reluctant(), max(int(low), int(high or low), 1)

    def _reluctant(self) -> str:
        return "?" if self._accept("?") else ""

    def _atom(self, depth: int, factor: int) -> tuple[str, bool]:
        character = self.pattern[self.index]
        self.index += 1
        if character == "(":
            return self._group(depth, factor), True
        if character == "[":
            return self._class(depth), True
        if character == "\\":
            return self._escape(in_class=False), True
        if character == ".":
            return (r"[\s\S]" if self.dotall else r"[^\n\r]"), True
        if character == "^":
            return ("^" if self.multiline else r"\A"), False
        if character == "$":
            return ("$" if self.multiline else r"\Z"), False
        if character in "*+?{}]":
            self.index -= 1
            raise self._error(f"`{character}` has nothing to work on; as a plain character write \\{character}")
        return quote(character), True

    def _group(self, depth: int, factor: int) -> str:
        capturing = not self._accept("?:")
        number = 0
        if capturing:
            if self._peek("?"):
                raise self._error("only (...) and (?:...) are groups")
            self.groups += 1
            number = self.groups
            if number > MAX_GROUPS:
                raise self._error("there are too many groups")
        # What a group repeats multiplies: look ahead is not possible, so the bound is on the sum of what is written.
        body = self._alternatives(depth + 1, factor)
        if not self._accept(")"):
            raise self._error("a `(` is never closed")
        if capturing:
            self.closed.add(number)
        return f"({body})" if capturing else f"(?:{body})"

    def _escape(self, in_class: bool) -> str:
        if self.index >= len(self.pattern):
            raise self._error("a backslash stands at the end")
        character = self.pattern[self.index]
        self.index += 1
        if character in _CLASSES:
            return _CLASSES[character]
        if character in "pP" and self._accept("{"):
            return self._property(character)
        if character in "nrt":
            return "\\" + character
        if character in _ESCAPED:
            return quote(character)
        if character.isascii() and character.isdigit() and character != "0" and not in_class:
            return self._back_reference(character)
        self.index -= 1
        raise self._error(f"`\\{character}` means nothing")

    def _back_reference(self, digit: str) -> str:
        number = int(digit)
        while self.index < len(self.pattern) and self.pattern[self.index] in "0123456789":
            longer = number * 10 + int(self.pattern[self.index])
            if longer > self.groups:
                break
            number = longer
            self.index += 1
        if number not in self.closed:
            raise self._error(f"there is no closed group {number} before")
        return f"(?:\\{number})"

    def _property(self, letter: str) -> str:
        end = self.pattern.find("}", self.index)
        name = self.pattern[self.index : end] if end >= 0 else ""
        self.index = end + 1
        if name.startswith("Is"):
            name = "InBlock:" + name[2:]
            spelled = f"\\{letter}{{Block={name[8:]}}}"
        else:
            spelled = f"\\{letter}{{{name}}}"
        if not name.replace("-", "").replace(":", "").isalnum():
            raise self._error("a property is written \\p{Lu} or \\p{IsGreek}")
        try:
            regex.compile(spelled, regex.V1)
        except regex.error:
            raise self._error(f"there is no property {name}") from None
        return spelled

    def _class(self, depth: int) -> str:
        if depth > 50:
            raise self._error("classes are nested too deeply")
        negated = self._accept("^")
        parts: list[str] = []
        subtracted = ""
        previous: str | None = None
        while not self._peek("]") or not parts:
            if self.index >= len(self.pattern):
                raise self._error("a `[` is never closed")
            if self._peek("-[") and parts:
                self.index += 2
                subtracted = "--" + self._class(depth + 1)
                if not self._peek("]"):
                    raise self._error("a subtraction is the last thing in a class")
                break
            if self._peek("-") and previous is not None and not self._peek("-]"):
                self.index += 1
                end = self._class_character()
                if end is None or end < previous:
                    raise self._error("the range goes backwards")
                parts[-1] = f"{quote(previous)}-{quote(end)}"
                previous = None
                continue
            start = self.index
            previous = self._class_character()
            if previous is not None:
                parts.append(quote(previous))
            else:
                self.index = start + 1
                parts.append(self._escape(in_class=True))
        self.index += 1
        inner = "".join(parts)
        body = f"[^{inner}]" if negated else f"[{inner}]"
        return f"[{body}{subtracted}]" if subtracted else body

    def _class_character(self) -> str | None:
        """The single character that stands next in a class; None if it is a class escape, which is not consumed."""
        character = self.pattern[self.index]
        if character == "\\":
            escaped = self.pattern[self.index + 1 : self.index + 2]
            if escaped in ("n", "r", "t"):
                self.index += 2
                return {"n": "\n", "r": "\r", "t": "\t"}[escaped]
            if escaped and escaped in _ESCAPED:
                self.index += 2
                return escaped
            return None
        if character == "[":
            raise self._error("`[` inside a class is written \\[")
        self.index += 1
        return character


def quote(character: str) -> str:
    return "\\" + character if character in _SPECIAL and character not in "\n\r\t\v\f" else character


def without_space(pattern: str) -> str:
    """Flag x: white space outside classes does not count."""
    result: list[str] = []
    in_class = 0
    escaped = False
    for character in pattern:
        if not in_class and character in " \t\n\r":
            continue
        result.append(character)
        if not escaped and character == "[":
            in_class += 1
        elif not escaped and character == "]":
            in_class = max(0, in_class - 1)
        escaped = character == "\\" and not escaped
    return "".join(result)
