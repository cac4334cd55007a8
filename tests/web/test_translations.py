"""Every word of the pages is there in Chinese."""

from __future__ import annotations

import re
import string
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "web" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "N_": None, "ngettext": (1, 2)}


def catalogue() -> Catalog:
    """Return the Chinese catalogue."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh")


def words() -> dict[str, str]:
    """Return every message of the code and templates, with the file it stands in."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str, str] = {}
    for filename, _, message, _, _ in extract_from_dir(ROOT, methods, options, keywords=KEYWORDS):
        found.setdefault(message if isinstance(message, str) else message[0], filename)
    return found


def placeholders(text: str) -> set[str]:
    """Return the names that are filled in: `%(name)s` and `{name}`."""
    fields = {name for _, name, _, _ in string.Formatter().parse(text) if name} if "{" in text else set()
    return fields | set(re.findall(r"%\((\w+)\)", text))


def test_every_word_has_a_chinese_translation() -> None:
    translated = {message.id if isinstance(message.id, str) else message.id[0]: message for message in catalogue()}

    found = words()
    missing = {
        word: place for word, place in found.items() if word not in translated or not all(translated[word].string)
    }

    assert len(found) > 100
    assert missing == {}


def test_a_translation_fills_in_the_same_names() -> None:
    for message in catalogue():
        if not message.id:
            continue
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        translations = [message.string] if isinstance(message.string, str) else list(message.string)
        names = set().union(*(placeholders(text) for text in originals))
        for translation in translations:
            assert placeholders(translation) <= names, message.id
            if isinstance(message.id, str):
                assert placeholders(translation) == names, message.id
