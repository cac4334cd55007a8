"""Text: how much room a name needs on the canvas, by the modeler's own fonts, in every language that it is shown in."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from processes.wordings import wordings

TASK_FONT = 12.0
LABEL_FONT = 11.0
LINE_RATIO = 1.2
_LATIN_WIDTH = 0.56
# What may stand alone on a line: a run of letters, or one character of a script that breaks anywhere.
_PIECE = re.compile(r"[!-~À-ɏ]+|[^\s]")


@dataclass(frozen=True)
class Size:
    """Width and height in canvas units (pixels at zoom 1)."""

    width: int
    height: int


def text_width(text: str, font: float) -> float:
    """Width of one line of text; wide East Asian characters count as one em, the others as 0.56 em."""
    ems = sum(1.0 if unicodedata.east_asian_width(char) in "WFA" else _LATIN_WIDTH for char in text)
    return ems * font


def line_count(text: str, font: float, usable: float) -> int:
    """Number of lines when the text is broken between words, or between Chinese characters."""
    lines = 0
    for paragraph in text.splitlines() or [""]:
        lines += 1
        filled, end = 0.0, 0
        for piece in _PIECE.finditer(paragraph):
            gap = text_width(paragraph[end : piece.start()], font)
            wide = text_width(piece.group(), font)
            if filled and filled + gap + wide > usable:
                lines, filled = lines + 1, wide
            else:
                filled += gap + wide
            end = piece.end()
    return lines


def label_size(text: str, least: int, most: int) -> Size:
    """Size of an external label, between `least` and `most` wide, that holds the text in every language."""
    return _largest(text, lambda wording: _label_size(wording, least, most))


def own_label_size(text: str, least: int, most: int) -> Size:
    """Size of an external label for this one wording."""
    return _label_size(text, least, most)


def task_size(text: str) -> Size:
    """Size of a task box: 100 by 80, wider up to 140 and then higher when the name is long in some language."""
    return _largest(text, _task_size)


def annotation_size(text: str) -> Size:
    """Size of a text annotation, at most 160 wide."""
    width = 160 if text_width(text, TASK_FONT) > 75 else 100
    return Size(width, max(30, math.ceil(line_count(text, TASK_FONT, width - 20) * TASK_FONT * LINE_RATIO) + 12))


def title_width(text: str) -> int:
    """Width of the longest wording of a name that stands on one line."""
    return math.ceil(max(text_width(wording, TASK_FONT) for wording in wordings(text)))


def _largest(text: str, measure: Callable[[str], Size]) -> Size:
    sizes = [measure(wording) for wording in wordings(text)]
    return Size(max(size.width for size in sizes), max(size.height for size in sizes))


@cache
def _label_size(text: str, least: int, most: int) -> Size:
    # The modeler may begin a new line one character earlier than counted here.
    slack = LABEL_FONT * (1.3 if any(unicodedata.east_asian_width(char) in "WF" for char in text) else 0.7)
    longest = max((text_width(piece, LABEL_FONT) for piece in _PIECE.findall(text)), default=0.0)
    width = max(most, math.ceil(longest + slack))
    lines = line_count(text, LABEL_FONT, width - slack)
    while width - 1 >= max(least, longest + slack) and line_count(text, LABEL_FONT, width - 1 - slack) == lines:
        width -= 1
    return Size(width, math.ceil(lines * LABEL_FONT * LINE_RATIO) + 1)


@cache
def _task_size(text: str) -> Size:
    lines = 1
    for width in (100, 120, 140):
        lines = line_count(text, TASK_FONT, width - 10 - TASK_FONT)
        if lines <= 3:
            return Size(width, 80)
    return Size(140, max(80, math.ceil(lines * TASK_FONT * LINE_RATIO) + 40))
