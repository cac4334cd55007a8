"""DMN XML: the namespaces, and the ways to its elements."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.dmn.errors import DecisionModelError
from engine.errors import DeploymentRefused
from engine.problems import Problem
from engine.xml import read as read_safely

NAMESPACES = frozenset(
    (
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    )
)
"""DMN 1.1 to 1.5."""

Element = etree._Element


def read(xml: bytes) -> Element:
    """The root element; raises DecisionModelError if this is no DMN file or one that is not safe to read."""
    try:
        root = read_safely(xml)
    except DeploymentRefused as refused:
        raise DecisionModelError(list(refused.problems)) from None
    if local_name(root) != "definitions" or namespace_of(root) not in NAMESPACES:
        raise DecisionModelError([Problem("This is not a DMN 1.1 to 1.5 file.", line=line_of(root))])
    return root


def line_of(element: Element) -> int | None:
    """The line of an element in its file, from 1."""
    line = element.sourceline
    return line if isinstance(line, int) else None


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def namespace_of(element: Element) -> str | None:
    """The namespace of an element."""
    return etree.QName(element).namespace


def children(element: Element, *names: str) -> Iterator[Element]:
    """The DMN child elements, all or those of these names."""
    for child in element:
        if (
            isinstance(child.tag, str)
            and namespace_of(child) in NAMESPACES
            and (not names or local_name(child) in names)
        ):
            yield child


def child(element: Element, name: str) -> Element | None:
    """The first DMN child element of that name."""
    return next(children(element, name), None)


def text_of(element: Element | None) -> str | None:
    """The content of an element's `text` child; None if there is none or it is empty."""
    if element is None:
        return None
    text = child(element, "text")
    content = (text.text or "").strip() if text is not None else ""
    return content or None


def name_of(element: Element) -> str:
    """The `name` attribute, white space collapsed."""
    return " ".join(element.get("name", "").split())


def type_ref(element: Element | None) -> str | None:
    """The `typeRef` of an element, as an attribute or (DMN 1.1) a child element."""
    if element is None:
        return None
    written = element.get("typeRef")
    if written is None:
        nested = child(element, "typeRef")
        written = nested.text if nested is not None else None
    return " ".join(written.split()) if written and written.strip() else None
