"""Sizes: how large each kind of shape is drawn."""

from __future__ import annotations

from processes.layout.model import Node
from processes.layout.picture import Picture
from processes.layout.text import Size, annotation_size, task_size, title_width

EVENT = Size(36, 36)
GATEWAY = Size(50, 50)
_BOUNDARY_STEP = 76


def node_size(node: Node, inner: Picture | None) -> Size:
    """Width and height of a shape; `inner` is the drawing of what an expanded sub-process holds."""
    if inner is not None:
        wide = max(inner.width, 140, 40 + _BOUNDARY_STEP * len(node.boundary), title_width(node.name) + 40)
        high = inner.height + (EVENT.height // 2 if node.boundary else 0)
        return Size(wide + wide % 2, high + high % 2)
    if node.is_event:
        return EVENT
    if node.is_gateway:
        return GATEWAY
    if node.tag == "textAnnotation":
        return annotation_size(node.name)
    if node.tag == "dataObjectReference":
        return Size(36, 50)
    if node.tag == "dataStoreReference":
        return Size(50, 50)
    size = task_size(node.name)
    wide = max(size.width, 40 + _BOUNDARY_STEP * len(node.boundary)) if len(node.boundary) > 1 else size.width
    return Size(wide, size.height)


def boundary_middle(width: int, index: int, count: int) -> int:
    """How far from the left end of its host's lower border a boundary event has its middle."""
    step = min(_BOUNDARY_STEP, (width - EVENT.width) // max(1, count))
    return width - 28 - (count - 1 - index) * step
