"""Diagram: writes positions into a BPMN file as its diagram interchange (BPMN DI)."""

from __future__ import annotations

from lxml import etree

from processes.layout.fitting import read_box, write_box
from processes.layout.geometry import draw
from processes.layout.model import (
    BPMN,
    BPMNDI,
    DC,
    DI,
    SUB_PROCESSES,
    Container,
    parse,
    read_container,
    read_pools,
)
from processes.layout.picture import Box, Picture
from processes.layout.pools import stack_pools

_SHAPE, _EDGE = f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge"
_DIAGRAM, _PLANE, _LABEL = f"{{{BPMNDI}}}BPMNDiagram", f"{{{BPMNDI}}}BPMNPlane", f"{{{BPMNDI}}}BPMNLabel"
_BOUNDS, _WAYPOINT = f"{{{DC}}}Bounds", f"{{{DI}}}waypoint"
_NAMES = {"bpmndi": BPMNDI, "dc": DC, "di": DI}
_GROUP_PADDING = 12


def tidy(xml: bytes) -> bytes:
    """The same BPMN file with every shape and edge laid out anew. Raises LayoutError if it is not BPMN XML."""
    root = parse(xml)
    old = {element.get("bpmnElement", ""): element for element in root.iter(_SHAPE, _EDGE)}
    collapsed = {key for key, element in old.items() if element.get("isExpanded") == "false"}
    pools = read_pools(root, collapsed)
    main = stack_pools(pools, root)
    _surround_groups(root, main, old)
    planes = [(_main_element(root), main, [pool.process for pool in pools if pool.process is not None])]
    for element in root.iter(*(f"{{{BPMN}}}{kind}" for kind in sorted(SUB_PROCESSES))):
        if element.get("id") in collapsed:
            inside = read_container(element, collapsed)
            if inside.nodes:
                planes.append((element.get("id", ""), draw(inside), [inside]))
    diagrams = {
        plane.get("bpmnElement", ""): diagram
        for diagram in reversed(list(root.iterfind(_DIAGRAM)))
        for plane in diagram.iterfind(_PLANE)
    }
    first = next(root.iterfind(_DIAGRAM), None)
    kept = []
    for plane_id, picture, containers in planes:
        diagram = diagrams.get(plane_id)
        if diagram is None and picture is main and first is not None:
            diagram = first
        kept.append(_write(root, diagram, plane_id, picture, containers, old))
    for diagram in list(root.iterfind(_DIAGRAM)):
        if diagram not in kept:
            root.remove(diagram)
    _indent(root, kept)
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8") + b"\n"


def _main_element(root: etree._Element) -> str:
    """Id of what the first diagram shows: the collaboration, or else the first process."""
    for kind in ("collaboration", "process"):
        for element in root.iterfind(f"{{{BPMN}}}{kind}"):
            return element.get("id", "")
    return ""


def _surround_groups(root: etree._Element, picture: Picture, old: dict[str, etree._Element]) -> None:
    """Draw each group around the shapes that it held before."""
    bounds = {key: element.find(_BOUNDS) for key, element in old.items()}
    before = {key: read_box(found) for key, found in bounds.items() if found is not None}
    for group in root.iter(f"{{{BPMN}}}group"):
        frame = before.get(group.get("id", ""))
        if frame is None:
            continue
        held = [
            box
            for key, box in picture.shapes.items()
            if key in before
            and frame.x <= before[key].center[0] <= frame.right
            and frame.y <= before[key].center[1] <= frame.bottom
            and before[key].width < frame.width
        ]
        if held:
            left, top = min(box.x for box in held) - _GROUP_PADDING, min(box.y for box in held) - _GROUP_PADDING
            right, bottom = max(box.right for box in held), max(box.bottom for box in held)
            frame = Box(left, top, right + _GROUP_PADDING - left, bottom + _GROUP_PADDING - top)
        picture.shapes[group.get("id", "")] = frame


def _write(
    root: etree._Element,
    diagram: etree._Element | None,
    plane_id: str,
    picture: Picture,
    containers: list[Container],
    old: dict[str, etree._Element],
) -> etree._Element:
    """Fill one diagram (made if there is none) with a picture; what is no position stays as it was."""
    if diagram is None:
        diagram = etree.Element(_DIAGRAM, nsmap=_NAMES)
        diagram.set("id", f"BPMNDiagram_{plane_id}")
        root.append(diagram)
    plane = diagram.find(_PLANE)
    if plane is None:
        plane = etree.Element(_PLANE, nsmap=_NAMES)
        plane.set("id", f"BPMNPlane_{plane_id}")
        diagram.insert(0, plane)
    plane.set("bpmnElement", plane_id)
    for element in list(plane.iterchildren(_SHAPE, _EDGE)):
        plane.remove(element)
    expanded = _expanded(containers)
    exclusive = {element.get("id") for element in root.iter(f"{{{BPMN}}}exclusiveGateway")}
    across = {element.get("id") for element in root.iter(f"{{{BPMN}}}participant", f"{{{BPMN}}}lane")}
    for key in picture.shapes:
        shape = _emptied(old.get(key), _SHAPE, key)
        if key in across:
            shape.set("isHorizontal", "true")
        if key in expanded:
            shape.set("isExpanded", "true")
        if key in exclusive:
            # Without it the modeler draws an empty diamond.
            shape.set("isMarkerVisible", "true")
        shape.insert(0, _box(picture.shapes[key]))
        _set_label(shape, picture.labels.get(key))
        plane.append(shape)
    for key, points in picture.edges.items():
        edge = _emptied(old.get(key), _EDGE, key)
        for index, (x, y) in enumerate(points):
            waypoint = etree.Element(_WAYPOINT, nsmap=_NAMES)
            waypoint.set("x", str(x))
            waypoint.set("y", str(y))
            edge.insert(index, waypoint)
        _set_label(edge, picture.labels.get(key))
        plane.append(edge)
    return diagram


def _expanded(containers: list[Container]) -> set[str]:
    found: set[str] = set()
    for container in containers:
        inside = [node.inside for node in container.nodes if node.inside is not None]
        found |= {child.id for child in inside} | _expanded(inside)
    return found


def _emptied(element: etree._Element | None, tag: str, key: str) -> etree._Element:
    """The old drawing of an element without its positions, or a new one."""
    if element is None or element.tag != tag:
        element = etree.Element(tag, nsmap=_NAMES)
        element.set("id", f"{key}_di")
        element.set("bpmnElement", key)
    for child in list(element.iterchildren(_BOUNDS, _WAYPOINT)):
        element.remove(child)
    return element


def _box(box: Box) -> etree._Element:
    bounds = etree.Element(_BOUNDS, nsmap=_NAMES)
    write_box(bounds, box)
    return bounds


def _set_label(element: etree._Element, box: Box | None) -> None:
    label = element.find(_LABEL)
    if label is None and box is not None:
        label = etree.SubElement(element, _LABEL)
    if label is None:
        return
    for bounds in list(label.iterchildren(_BOUNDS)):
        label.remove(bounds)
    if box is not None:
        label.insert(0, _box(box))
    elif not label.attrib and len(label) == 0:
        element.remove(label)


def _indent(root: etree._Element, diagrams: list[etree._Element]) -> None:
    for diagram in diagrams:
        before = diagram.getprevious()
        if before is not None:
            before.tail = "\n  "
        etree.indent(diagram, level=1)
        diagram.tail = "\n  " if diagram.getnext() is not None else "\n"
