"""Model: what a diagram shows, read out of BPMN XML without its old positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"

_EVENTS = {"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"}
_GATEWAYS = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"}
SUB_PROCESSES = {"subProcess", "transaction", "adHocSubProcess"}
_TASKS = {
    "task",
    "userTask",
    "manualTask",
    "serviceTask",
    "scriptTask",
    "businessRuleTask",
    "sendTask",
    "receiveTask",
    "callActivity",
    "callChoreography",
}
_ARTIFACTS = {"textAnnotation", "dataObjectReference", "dataStoreReference"}


class LayoutError(Exception):
    """The file is not BPMN XML that can be laid out; the message says why."""


@dataclass
class Node:
    """One thing drawn as a shape: flow node, event sub-process, text annotation or data object."""

    id: str
    tag: str
    name: str
    lane: str | None = None
    host: str | None = None
    loose: bool = False
    inside: Container | None = None
    boundary: list[Node] = field(default_factory=list)

    @property
    def is_event(self) -> bool:
        """Whether it is drawn as a circle with its name outside."""
        return self.tag in _EVENTS

    @property
    def is_gateway(self) -> bool:
        """Whether it is drawn as a diamond with its name outside."""
        return self.tag in _GATEWAYS

    @property
    def is_artifact(self) -> bool:
        """Whether it takes no part in the flow of tokens."""
        return self.tag in _ARTIFACTS

    @property
    def named_outside(self) -> bool:
        """Whether its name stands beside the shape, not in it."""
        return bool(self.name) and (self.is_event or self.is_gateway or self.tag.startswith("data"))


@dataclass
class Flow:
    """One thing drawn as an edge: sequence flow, association or data association."""

    id: str
    source: str
    target: str
    name: str
    tag: str = "sequenceFlow"


@dataclass
class Lane:
    """A lane; an inner lane names its parent."""

    id: str
    name: str
    parent: str | None
    leaf: bool


@dataclass
class Container:
    """A process or an expanded sub-process with everything drawn directly in it."""

    id: str
    nodes: list[Node] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)

    def node(self, node_id: str) -> Node:
        """The node with this id. Raises KeyError."""
        return {node.id: node for node in self.all_nodes()}[node_id]

    def all_nodes(self) -> Iterator[Node]:
        """Its nodes and the boundary events attached to them."""
        for node in self.nodes:
            yield node
            yield from node.boundary


@dataclass
class Pool:
    """A participant, or the bare process of a file without collaboration (then id is None)."""

    id: str | None
    name: str
    process: Container | None


def parse(xml: bytes) -> etree._Element:
    """The root element of a BPMN file. Raises LayoutError; entities and network access are refused."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, strip_cdata=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise LayoutError(f"not well-formed XML: {error}") from error
    if root.tag != f"{{{BPMN}}}definitions":
        raise LayoutError("the root element is not bpmn:definitions")
    return root


def local(element: etree._Element) -> str:
    """The tag without its namespace, or an empty string for what is not a BPMN element."""
    name = etree.QName(element) if isinstance(element.tag, str) else None
    return name.localname if name is not None and name.namespace == BPMN else ""


def read_pools(root: etree._Element, collapsed: set[str]) -> list[Pool]:
    """Pools from top to bottom; sub-processes whose id is in `collapsed` are drawn as a closed box."""
    processes = {child.get("id", ""): child for child in root if local(child) == "process"}
    pools: list[Pool] = []
    for participant in root.iterfind(f"{{{BPMN}}}collaboration/{{{BPMN}}}participant"):
        process = processes.pop((participant.get("processRef") or "").split(":")[-1], None)
        inside = read_container(process, collapsed) if process is not None else None
        pools.append(Pool(participant.get("id", ""), participant.get("name", ""), inside))
    if not pools:
        pools = [Pool(None, "", read_container(process, collapsed)) for process in processes.values()]
    return pools


def read_container(element: etree._Element, collapsed: set[str]) -> Container:
    """A process or sub-process element with all its levels of expanded sub-processes."""
    container = Container(element.get("id", ""))
    lane_of = _read_lanes(element, container, None)
    for child in element:
        kind = local(child)
        if kind in _EVENTS | _GATEWAYS | _TASKS | SUB_PROCESSES | _ARTIFACTS:
            container.nodes.append(_read_node(child, kind, lane_of, collapsed))
            container.flows.extend(_data_flows(child))
        elif kind in {"sequenceFlow", "association"}:
            source, target = child.get("sourceRef", ""), child.get("targetRef", "")
            container.flows.append(Flow(child.get("id", ""), source, target, child.get("name", ""), kind))
    _attach_boundary_events(container)
    known = {node.id for node in container.all_nodes()}
    container.flows = [flow for flow in container.flows if flow.source in known and flow.target in known]
    return container


def _read_lanes(element: etree._Element, container: Container, parent: str | None) -> dict[str, str]:
    lane_of: dict[str, str] = {}
    sets = f"{{{BPMN}}}laneSet" if parent is None else f"{{{BPMN}}}childLaneSet"
    for lane in element.iterfind(f"{sets}/{{{BPMN}}}lane"):
        lane_id = lane.get("id", "")
        leaf = lane.find(f"{{{BPMN}}}childLaneSet/{{{BPMN}}}lane") is None
        container.lanes.append(Lane(lane_id, lane.get("name", ""), parent, leaf))
        for reference in lane.iterfind(f"{{{BPMN}}}flowNodeRef"):
            lane_of[(reference.text or "").strip()] = lane_id
        lane_of.update(_read_lanes(lane, container, lane_id))
    return lane_of


def _read_node(element: etree._Element, kind: str, lane_of: dict[str, str], collapsed: set[str]) -> Node:
    node_id = element.get("id", "")
    name = element.get("name", "")
    if kind == "textAnnotation":
        name = (element.findtext(f"{{{BPMN}}}text") or "").strip()
    node = Node(node_id, kind, name, lane_of.get(node_id), element.get("attachedToRef"))
    node.loose = element.get("triggeredByEvent") == "true"
    if kind in SUB_PROCESSES and node_id not in collapsed:
        node.inside = read_container(element, collapsed)
    return node


def _data_flows(element: etree._Element) -> Iterator[Flow]:
    for kind in ("dataInputAssociation", "dataOutputAssociation"):
        for association in element.iterfind(f"{{{BPMN}}}{kind}"):
            end = "sourceRef" if kind == "dataInputAssociation" else "targetRef"
            other = (association.findtext(f"{{{BPMN}}}{end}") or "").strip()
            ends = (other, element.get("id", "")) if end == "sourceRef" else (element.get("id", ""), other)
            yield Flow(association.get("id", ""), *ends, "", kind)


def _attach_boundary_events(container: Container) -> None:
    by_id = {node.id: node for node in container.nodes}
    for node in container.nodes:
        if node.host in by_id:
            by_id[node.host].boundary.append(node)
    container.nodes = [node for node in container.nodes if node.host not in by_id]
