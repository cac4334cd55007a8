"""Text: how much room a name needs on the canvas, by the modeler's own fonts."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

TASK_FONT = 12.0
LABEL_FONT = 11.0
LINE_RATIO = 1.2
_LATIN_WIDTH = 0.56


@dataclass(frozen=True)
class Size:
    """Width and height in canvas units (pixels at zoom 1)."""

    width: int
    height: int


def text_width(text: str, font: float) -> float:
    """Width of one line of text; wide East Asian characters count as one em, the others as 0.56 em."""
    ems = sum(1.0 if unicodedata.east_asian_width(char) in "WFA" else _LATIN_WIDTH for char in text)
    return ems * font


def label_size(text: str, least: int, most: int) -> Size:
    """Size of an external label whose lines are of about equal length, between `least` and `most` wide."""
    paragraphs = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    widths = [text_width(line, LABEL_FONT) for line in paragraphs]
    usable = most - LABEL_FONT
    lines = sum(max(1, math.ceil(width / usable)) for width in widths)
    balanced = max(width / max(1, math.ceil(width / usable)) for width in widths)
    # One character of slack keeps the modeler's line breaking from starting a line more than counted here.
    width = min(most, max(least, math.ceil(balanced + 1.3 * LABEL_FONT)))
    return Size(width, math.ceil(lines * LABEL_FONT * LINE_RATIO) + 1)


def task_size(text: str) -> Size:
    """Size of a task box: 100 by 80, wider up to 140 and then higher when the name is long."""
    for width in (100, 120, 140):
        usable = width - 10 - TASK_FONT
        lines = sum(max(1, math.ceil(text_width(line, TASK_FONT) / usable)) for line in text.splitlines() or [""])
        if lines <= 3:
            return Size(width, 80)
    return Size(140, max(80, math.ceil(lines * TASK_FONT * LINE_RATIO) + 40))


def annotation_size(text: str) -> Size:
    """Size of a text annotation, at most 160 wide."""
    widths = [text_width(line, TASK_FONT) for line in text.splitlines() or [""]]
    width = 160 if max(widths) > 75 else 100
    lines = sum(max(1, math.ceil(line / (width - 20))) for line in widths)
    return Size(width, max(30, math.ceil(lines * TASK_FONT * LINE_RATIO) + 12))
