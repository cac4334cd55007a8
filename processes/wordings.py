"""Wordings: every label of the library in the languages that there are catalogues for.

A label is its own message id; the catalogues are the PO files under `bpmn/locale/<language>/`, read once per language.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

_CATALOGUES = Path(__file__).resolve().parents[1] / "bpmn" / "locale"


def translate(text: str, locale: str) -> str:
    """The label in the locale's language, or the label itself when no catalogue has it."""
    return catalogue(locale.replace("-", "_").split("_")[0]).get(text.strip(), text)


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are catalogues for."""
    return tuple(sorted(path.name for path in _CATALOGUES.glob("*") if any(path.glob("*.po"))))


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All translated labels of a language, from its PO files in the order of their names."""
    labels: dict[str, str] = {}
    for path in sorted((_CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and message.string and not message.fuzzy:
                    labels[str(message.id)] = str(message.string)
    return labels


def wordings(text: str) -> list[str]:
    """The label and its translations, each once."""
    return list(dict.fromkeys([text, *(translate(text, language) for language in languages())]))
