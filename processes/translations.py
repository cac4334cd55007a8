"""Translations: diagrams, forms and decision tables with their names in the language of the reader."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, AnyStr

from lxml import etree

from processes.layout import fit_labels
from processes.wordings import catalogue, languages, translate

__all__ = ["catalogue", "form_labels", "languages", "translate", "translate_form", "translate_xml", "xml_labels"]

_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_DMN_PREFIX = "https://www.omg.org/spec/DMN/"
_FORM_TEXTS = ("label", "description", "text", "content", "title", "alt", "placeholder", "dateLabel", "timeLabel")
_FORM_MESSAGES = ("patternErrorMessage", "requiredErrorMessage")
_ADORNERS = ("prefixAdorner", "suffixAdorner")
# The names of these are addresses for messages and errors, not labels.
_ADDRESSES = {"message", "error", "signal", "escalation"}
_DMN_TEXTS = {"description", "annotationEntry"}

Translate = Callable[[str], str]


def form_labels(schema: Mapping[str, Any]) -> list[str]:
    """Every label of a form-js schema, each once, in the order of the form."""
    found: list[str] = []
    _walk_form(copy.deepcopy(dict(schema)), _collector(found))
    return list(dict.fromkeys(found))


def translate_form(schema: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """A copy of a form-js schema with its labels translated; keys and values stay."""
    translated = copy.deepcopy(dict(schema))
    _walk_form(translated, lambda text: translate(text, locale))
    return translated


def xml_labels(xml: str | bytes) -> list[str]:
    """Every label of a BPMN diagram or a DMN file, each once, in document order."""
    found: list[str] = []
    _walk_xml(_parse(xml), _collector(found))
    return list(dict.fromkeys(found))


def translate_xml(xml: AnyStr, locale: str) -> AnyStr:
    """A BPMN or DMN file with its labels translated, to be shown only: deployed lane names are group ids."""
    root = _parse(xml)
    _walk_xml(root, lambda text: translate(text, locale))
    fit_labels(root)
    if isinstance(xml, str):
        return etree.tostring(root, encoding="unicode")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _collector(found: list[str]) -> Translate:
    def collect(text: str) -> str:
        found.append(text.strip())
        return text

    return collect


def _walk_form(node: dict[str, Any], change: Translate) -> None:
    """Replace every label in a schema or component and in all that it holds."""
    _replace(node, _FORM_TEXTS, change)
    for nested, keys in (("validate", _FORM_MESSAGES), ("appearance", _ADORNERS)):
        if isinstance(node.get(nested), dict):
            _replace(node[nested], keys, change)
    for listed in ("values", "columns"):
        for option in node.get(listed) or []:
            if isinstance(option, dict):
                _replace(option, ("label",), change)
    for component in node.get("components") or []:
        _walk_form(component, change)


def _replace(node: dict[str, Any], keys: tuple[str, ...], change: Translate) -> None:
    for key in keys:
        value = node.get(key)
        if isinstance(value, str) and value.strip():
            node[key] = change(value)


def _parse(xml: str | bytes) -> etree._Element:
    content = xml.encode() if isinstance(xml, str) else xml
    parser = etree.XMLParser(resolve_entities=False, no_network=True, strip_cdata=False, encoding=_encoding(xml))
    return etree.fromstring(content, parser)


def _encoding(xml: str | bytes) -> str | None:
    """Text is encoded here, whatever its XML declaration says; bytes keep their own encoding."""
    return "utf-8" if isinstance(xml, str) else None


def _walk_xml(root: etree._Element, change: Translate) -> None:
    for element in _elements(root):
        name = etree.QName(element)
        if name.namespace == _BPMN:
            _walk_bpmn(element, name.localname, change)
        elif (name.namespace or "").startswith(_DMN_PREFIX):
            _walk_dmn(element, name.localname, change)


def _elements(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter() if isinstance(element.tag, str))


def _walk_bpmn(element: etree._Element, kind: str, change: Translate) -> None:
    if kind not in _ADDRESSES:
        _change_attribute(element, "name", change)
    if kind == "text" and element.text and element.text.strip():
        element.text = change(element.text)


def _walk_dmn(element: etree._Element, kind: str, change: Translate) -> None:
    _change_attribute(element, "label", change)
    if kind in {"definitions", "decision", "annotation"}:
        _change_attribute(element, "name", change)
    parent = element.getparent()
    inside = etree.QName(parent).localname if parent is not None else ""
    if (kind in _DMN_TEXTS or (kind == "text" and inside in _DMN_TEXTS)) and element.text and element.text.strip():
        element.text = change(element.text)


def _change_attribute(element: etree._Element, key: str, change: Translate) -> None:
    value = element.get(key)
    if value and value.strip():
        element.set(key, change(value))
