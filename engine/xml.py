"""Reading XML from strangers: no entities, no external documents, no size without limit."""

from __future__ import annotations

from lxml import etree

from engine.errors import DeploymentRefused
from engine.problems import Problem

#: Most bytes of one resource.
SIZE_LIMIT = 4_000_000


def read(content: bytes, resource: str | None = None) -> etree._Element:
    """Return the root element; raises DeploymentRefused for XML that is broken, too large, or has a document type."""
    if len(content) > SIZE_LIMIT:
        raise _refused(f"The file has {len(content):,} bytes; at most {SIZE_LIMIT:,} are accepted.", 0, resource)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(f"The file is not well-formed XML: {error.msg}.", error.lineno or 0, resource) from None
    except ValueError as error:
        raise _refused(f"The file cannot be read: {error}.", 0, resource) from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise _refused("The file has a document type declaration, which is not accepted.", 1, resource)
    return root


def as_text(content: bytes) -> str:
    """Return a readable file as text: to the letter where it is UTF-8, else without the encoding that it declared."""
    tree = read(content).getroottree()
    if (tree.docinfo.encoding or "UTF-8").upper() in ("UTF-8", "US-ASCII"):
        return content.decode()
    return etree.tostring(tree, encoding="unicode")


def _refused(message: str, line: int, resource: str | None) -> DeploymentRefused:
    return DeploymentRefused([Problem(message, line=line or None, resource=resource)])
