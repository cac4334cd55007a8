"""Fitting: a name's box takes the size of its wording and stays with what it names."""

from __future__ import annotations

from itertools import pairwise

from lxml import etree

from processes.layout.model import BPMN, BPMNDI, DC, DI
from processes.layout.picture import Box, Point
from processes.layout.text import Size, own_label_size

WIDEST_LABEL = 90
WIDEST_ON_LINE = 120
NARROW_LABEL = 66
BOUNDARY_LABEL = 70
_NARROWEST = 20


def fitted_size(name: str, room: int) -> Size:
    """Size of the box for one wording of a name, in a box for all wordings that is `room` wide."""
    return own_label_size(name, _NARROWEST, max(room, _NARROWEST))


def room_along(one: Point, two: Point) -> int:
    """How wide a name may be beside this straight part of a line."""
    if one[1] != two[1]:
        return NARROW_LABEL
    return max(NARROW_LABEL, min(WIDEST_ON_LINE, abs(two[0] - one[0]) - 8))


def nearest_part(box: Box, points: list[Point]) -> tuple[Point, Point]:
    """The straight part of the line that a name's box belongs to."""
    return min(pairwise(points), key=lambda ends: _distance(box, *ends))


def beside_shape(box: Box, shape: Box, size: Size) -> Box:
    """The name's box in another size: it keeps its middle or its left end, and the border next to the shape."""
    centered = abs(box.center[0] - shape.center[0]) <= 2
    x = shape.center[0] - size.width // 2 if centered else box.x
    y = box.bottom - size.height if box.bottom <= shape.y else box.y
    return Box(x, y, size.width, size.height)


def beside_line(box: Box, points: list[Point], size: Size) -> Box:
    """The name's box in another size: it keeps the border next to its line and the end where the line begins."""
    (x1, y1), (x2, y2) = nearest_part(box, points)
    if y1 == y2:
        x = box.x if x2 >= x1 else box.right - size.width
        y = box.bottom - size.height if box.center[1] < y1 else box.y
    else:
        x = box.right - size.width if box.center[0] < x1 else box.x
        y = box.y if y2 >= y1 else box.bottom - size.height
    return Box(x, y, size.width, size.height)


def _distance(box: Box, one: Point, two: Point) -> int:
    """How far a straight part of a line is from a box, along both axes together."""
    left, right = sorted((one[0], two[0]))
    upper, lower = sorted((one[1], two[1]))
    return max(0, left - box.right, box.x - right) + max(0, upper - box.bottom, box.y - lower)


def fit_labels(root: etree._Element) -> None:
    """Give the names beside shapes and edges boxes of the size that their present wording needs."""
    elements = {element.get("id"): element for element in root.iter(f"{{{BPMN}}}*")}
    for drawn in root.iter(f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge"):
        element = elements.get(drawn.get("bpmnElement"))
        name = element.get("name", "") if element is not None else ""
        bounds = drawn.find(f"{{{BPMNDI}}}BPMNLabel/{{{DC}}}Bounds")
        if element is None or bounds is None or not name:
            continue
        box = read_box(bounds)
        points = [(_number(p, "x"), _number(p, "y")) for p in drawn.iterfind(f"{{{DI}}}waypoint")]
        shape = drawn.find(f"{{{DC}}}Bounds")
        if len(points) > 1:
            size = fitted_size(name, room_along(*nearest_part(box, points)))
            write_box(bounds, beside_line(box, points, size))
        elif shape is not None:
            at_boundary = etree.QName(element).localname == "boundaryEvent"
            size = fitted_size(name, BOUNDARY_LABEL if at_boundary else WIDEST_LABEL)
            write_box(bounds, beside_shape(box, read_box(shape), size))


def _number(element: etree._Element, key: str) -> int:
    return round(float(element.get(key, "0")))


def read_box(bounds: etree._Element) -> Box:
    """The box that a Bounds element tells."""
    x, y, width, height = (_number(bounds, key) for key in ("x", "y", "width", "height"))
    return Box(x, y, width, height)


def write_box(bounds: etree._Element, box: Box) -> None:
    """Let a Bounds element tell a box."""
    for key, value in (("x", box.x), ("y", box.y), ("width", box.width), ("height", box.height)):
        bounds.set(key, str(value))
