"""What a BPMN file's diagram interchange draws, and the faults that a reader of the picture would see in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC = "http://www.omg.org/spec/DD/20100524/DC"
_DI = "http://www.omg.org/spec/DD/20100524/DI"
_FRAMES = {"participant", "lane", "group"}
_SUB_PROCESSES = {"subProcess", "transaction", "adHocSubProcess"}
_SHAPES = {
    "startEvent",
    "endEvent",
    "boundaryEvent",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "callActivity",
    "textAnnotation",
    "participant",
    "lane",
} | _SUB_PROCESSES


@dataclass(frozen=True)
class Area:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Area) -> bool:
        """Whether the two have more than a border in common."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def holds(self, other: Area) -> bool:
        """Whether the other lies in this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )

    def borders_on(self, x: float, y: float) -> bool:
        """Whether the point lies on the border."""
        inside = self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height
        return inside and (x in (self.x, self.x + self.width) or y in (self.y, self.y + self.height))

    def smaller(self, by: float) -> Area:
        """The same rectangle without a rim."""
        return Area(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


class Drawing:
    """Shapes, names and edges of every plane of a file, by element id."""

    def __init__(self, xml: bytes) -> None:
        self.root = etree.fromstring(xml)
        self.elements = {
            element.get("id", ""): element
            for element in self.root.iter()
            if isinstance(element.tag, str) and etree.QName(element).namespace == BPMN and element.get("id")
        }
        self.shapes: dict[str, Area] = {}
        self.labels: dict[str, Area] = {}
        self.edges: dict[str, list[tuple[float, float]]] = {}
        self.plane_of: dict[str, str] = {}
        for plane in self.root.iter(f"{{{_BPMNDI}}}BPMNPlane"):
            for drawn in plane:
                self._read(drawn, plane.get("bpmnElement", ""))

    def _read(self, drawn: etree._Element, plane: str) -> None:
        element_id = drawn.get("bpmnElement", "")
        self.plane_of[element_id] = plane
        bounds = drawn.find(f"{{{_DC}}}Bounds")
        if bounds is not None:
            self.shapes[element_id] = _area(bounds)
        label = drawn.find(f"{{{_BPMNDI}}}BPMNLabel/{{{_DC}}}Bounds")
        if label is not None:
            self.labels[element_id] = _area(label)
        points = [(float(p.get("x", "")), float(p.get("y", ""))) for p in drawn.iterfind(f"{{{_DI}}}waypoint")]
        if points:
            self.edges[element_id] = points

    def kind(self, element_id: str) -> str:
        """The tag of an element without its namespace."""
        return etree.QName(self.elements[element_id]).localname

    def _within(self, inner: str, outer: str) -> bool:
        """Whether one element belongs in or on the other, so that their areas may meet."""
        element: etree._Element | None = self.elements[inner]
        while element is not None:
            if element.get("id") == outer:
                return True
            element = element.getparent()
        host = self.elements[inner].get("attachedToRef")
        return host is not None and self._within(host, outer)

    def faults(self) -> list[str]:
        """Everything wrong with the picture, each as a sentence."""
        return [
            *self.missing(),
            *self.overlapping_shapes(),
            *self.outside_their_lane(),
            *self.badly_attached(),
            *self.faulty_flows(),
            *self.hidden_labels(),
        ]

    def missing(self) -> Iterator[str]:
        """Elements that ought to be drawn and are not."""
        for element_id in self.elements:
            kind = self.kind(element_id)
            is_shape = kind in _SHAPES or kind.endswith(("Task", "Gateway")) or kind == "task"
            if is_shape and element_id not in self.shapes:
                yield f"{element_id} has no shape"
            if kind in {"sequenceFlow", "association", "messageFlow"} and element_id not in self.edges:
                yield f"{element_id} has no edge"

    def _solid(self) -> list[str]:
        return [key for key in self.shapes if self.kind(key) not in _FRAMES]

    def overlapping_shapes(self) -> Iterator[str]:
        """Pairs of shapes one on the other."""
        for one, two in combinations(self._solid(), 2):
            related = self._within(one, two) or self._within(two, one)
            if self.plane_of[one] == self.plane_of[two] and not related and self.shapes[one].meets(self.shapes[two]):
                yield f"{one} overlaps {two}"

    def outside_their_lane(self) -> Iterator[str]:
        """Shapes that reach out of the lane, pool or sub-process that they belong to."""
        for reference in self.root.iter(f"{{{BPMN}}}flowNodeRef"):
            lane, member = reference.getparent(), (reference.text or "").strip()
            if lane is not None and not self.shapes[lane.get("id", "")].holds(self.shapes[member]):
                yield f"{member} lies outside of lane {lane.get('name')}"
        for outer in self._solid():
            if self.kind(outer) in _SUB_PROCESSES:
                for inner in self._solid():
                    parent = self.elements[inner].getparent()
                    same_plane = self.plane_of[inner] == self.plane_of[outer]
                    held = self.shapes[outer].holds(self.shapes[inner])
                    if parent is self.elements[outer] and same_plane and not held:
                        yield f"{inner} lies outside of {outer}"
        pools = [self.shapes[key] for key in self.shapes if self.kind(key) == "participant"]
        for key in self._solid():
            if pools and self.plane_of[key] not in self.shapes and not any(p.holds(self.shapes[key]) for p in pools):
                yield f"{key} lies outside of every pool"

    def badly_attached(self) -> Iterator[str]:
        """Boundary events that do not sit on the lower border of their host."""
        for key in self._solid():
            host = self.elements[key].get("attachedToRef")
            if host is not None:
                event, area = self.shapes[key], self.shapes[host]
                middle = event.x + event.width / 2
                on_border = event.y + event.height / 2 == area.y + area.height
                if not on_border or not area.x <= middle <= area.x + area.width:
                    yield f"{key} is not on the border of {host}"

    def faulty_flows(self) -> Iterator[str]:
        """Sequence flows that do not join their shapes, are not drawn square, or run through another shape."""
        for key, points in self.edges.items():
            if self.kind(key) != "sequenceFlow":
                continue
            ends = (self.elements[key].get("sourceRef", ""), self.elements[key].get("targetRef", ""))
            for end, point in zip(ends, (points[0], points[-1]), strict=True):
                if not self.shapes[end].borders_on(*point):
                    yield f"{key} does not touch {end}"
            for one, two in pairwise(points):
                if one[0] != two[0] and one[1] != two[1]:
                    yield f"{key} is drawn aslant"
            for other in self._crossed(key, points):
                yield f"{key} runs through {other}"

    def _crossed(self, key: str, points: list[tuple[float, float]]) -> Iterator[str]:
        for other in self._solid():
            foreign = self.plane_of[other] == self.plane_of[key] and not self._within(key, other)
            if foreign and any(_line(*pair).meets(self.shapes[other].smaller(1)) for pair in pairwise(points)):
                yield other

    def hidden_labels(self) -> Iterator[str]:
        """Names that lie on a shape or on another name."""
        for key, label in self.labels.items():
            for other in self._solid():
                same_plane = self.plane_of[other] == self.plane_of[key]
                if same_plane and not self._within(key, other) and label.meets(self.shapes[other]):
                    yield f"the name of {key} lies on {other}"
        for one, two in combinations(self.labels, 2):
            if self.plane_of[one] == self.plane_of[two] and self.labels[one].meets(self.labels[two]):
                yield f"the name of {one} lies on the name of {two}"


def _area(bounds: etree._Element) -> Area:
    x, y, width, height = (float(bounds.get(key, "")) for key in ("x", "y", "width", "height"))
    return Area(x, y, width, height)


def _line(one: tuple[float, float], two: tuple[float, float]) -> Area:
    """A straight part of an edge as a very thin rectangle."""
    x, y = min(one[0], two[0]), min(one[1], two[1])
    return Area(x - 0.1, y - 0.1, abs(one[0] - two[0]) + 0.2, abs(one[1] - two[1]) + 0.2)
