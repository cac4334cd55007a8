"""Safe reading of DMN XML: no document types, no entities, nothing fetched, bounded size."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.dmn.errors import DecisionModelError
from engine.problems import Problem

MAX_BYTES = 10_000_000
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
    if len(xml) > MAX_BYTES:
        raise DecisionModelError([Problem(f"the file is larger than {MAX_BYTES // 1_000_000} MB")])
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise DecisionModelError([Problem(f"this is not XML: {error}", line=line)]) from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise DecisionModelError([Problem("a document type (DOCTYPE) is not allowed", line=1)])
    if local_name(root) != "definitions" or namespace_of(root) not in NAMESPACES:
        raise DecisionModelError([Problem("this is not a DMN 1.1 to 1.5 file", line=line_of(root))])
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
