"""Reads a decision requirement graph and ties its elements together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.dmn.boxed import load_expression_in, load_function
from engine.dmn.elements import Decision, DecisionService, Element, InputData, KnowledgeModel, Requirement
from engine.dmn.item_definitions import find_type, load_item_definitions
from engine.dmn.loading import Loading, nearest_id, typed
from engine.dmn.xml import Element as Xml
from engine.dmn.xml import child, children, name_of, type_ref
from feel.types import FunctionType, Type

_REQUIREMENTS = {
    "informationRequirement": ("requiredInput", "requiredDecision"),
    "knowledgeRequirement": ("requiredKnowledge",),
}


@dataclass(slots=True, eq=False)
class Graph:
    """All elements of one model by id, its types, its imports by namespace with their prefix."""

    namespace: str
    name: str
    loading: Loading
    elements: dict[str, Element] = field(default_factory=dict)
    imports: dict[str, tuple[str, Graph]] = field(default_factory=dict)


def load_graph(root: Xml, imported: Mapping[str, Graph]) -> Graph:
    """Reads the graph of a model; problems are noted in its loading state."""
    imports: dict[str, tuple[str, Graph]] = {}
    missing: list[Xml] = []
    names: set[str] = set()
    types: dict[str, Type] = {}
    for element in children(root, "import"):
        if "DMN" not in element.get("importType", "DMN"):
            continue
        other = imported.get(element.get("namespace", ""))
        if other is None:
            missing.append(element)
            continue
        prefix = name_of(element)
        imports[other.namespace] = (prefix, other)
        names |= other.loading.names
        types |= {f"{prefix}.{name}" if prefix else name: item for name, item in other.loading.types.items()}
    loading = Loading(root, frozenset(names), types)
    for element in missing:
        loading.problem(element, f"the imported model {element.get('namespace')} is not there")
    graph = Graph(root.get("namespace", ""), root.get("name", ""), loading, {}, imports)
    load_item_definitions(loading)
    _read_elements(graph, root)
    _tie_elements(graph, root)
    _refuse_circles(graph)
    return graph


def _read_elements(graph: Graph, root: Xml) -> None:
    loading = graph.loading
    for xml in children(root, "inputData", "decision", "businessKnowledgeModel", "decisionService"):
        identifier = xml.get("id") or name_of(xml)
        if identifier in graph.elements:
            loading.problem(xml, f"the id `{identifier}` is used twice")
            continue
        variable = child(xml, "variable")
        # A decision's own name is what others call it; its variable's name may be left out.
        name = (name_of(variable) if variable is not None else "") or name_of(xml)
        target = find_type(loading, xml, type_ref(variable))
        graph.elements[identifier] = _read_element(loading, xml, identifier, name, target)


def _read_element(loading: Loading, xml: Xml, identifier: str, name: str, target: Type | None) -> Element:
    kind = xml.tag.rpartition("}")[2]
    if kind == "inputData":
        return InputData(identifier, name, target)
    if kind == "decision":
        code = load_expression_in(loading, xml, identifier)
        logic = None if code is None else typed(code, target, f"the value of the decision `{name}`", nearest_id(xml))
        return Decision(identifier, name, target, logic, label=name_of(xml))
    if kind == "businessKnowledgeModel":
        encapsulated = child(xml, "encapsulatedLogic")
        make = None
        if encapsulated is not None:
            result = target.result if isinstance(target, FunctionType) else target
            make = load_function(loading, encapsulated, identifier, name, result)
        return KnowledgeModel(identifier, name, target, make)
    return DecisionService(identifier, name, target)


def _tie_elements(graph: Graph, root: Xml) -> None:
    for xml in children(root, "decision", "businessKnowledgeModel", "decisionService"):
        element = graph.elements[xml.get("id") or name_of(xml)]
        if isinstance(element, DecisionService):
            _tie_service(graph, xml, element)
        elif isinstance(element, (Decision, KnowledgeModel)):
            element.requirements = _requirements(graph, xml)


def _requirements(graph: Graph, xml: Xml) -> list[Requirement]:
    result: list[Requirement] = []
    for requirement in children(xml, *_REQUIREMENTS):
        for reference in children(requirement, "requiredInput", "requiredDecision", "requiredKnowledge"):
            found = find_element(graph, reference.get("href", ""))
            if found is None:
                graph.loading.problem(reference, f"there is no element {reference.get('href')}")
            else:
                result.append(found)
    return result


def _tie_service(graph: Graph, xml: Xml, service: DecisionService) -> None:
    for kind in ("inputData", "inputDecision", "outputDecision"):
        for reference in children(xml, kind):
            found = find_element(graph, reference.get("href", ""))
            if found is None:
                graph.loading.problem(reference, f"there is no element {reference.get('href')}")
            elif kind != "outputDecision":
                service.inputs.append(found.element)
            elif isinstance(found.element, Decision):
                service.outputs.append(found.element)
    if not service.outputs:
        graph.loading.problem(xml, "the decision service has no output decision")


def find_element(graph: Graph, href: str) -> Requirement | None:
    """The element that a reference means: `#id` in this model, `namespace#id` in an imported one."""
    namespace, _, identifier = href.rpartition("#")
    if not namespace or namespace == graph.namespace:
        element = graph.elements.get(identifier)
        if element is not None:
            return Requirement(element, None)
    if namespace in graph.imports:
        prefix, other = graph.imports[namespace]
        element = other.elements.get(identifier)
        return None if element is None else Requirement(element, prefix or None)
    return None


def _refuse_circles(graph: Graph) -> None:
    """A decision that requires itself, directly or not, could never be evaluated."""
    state: dict[int, str] = {}
    for element in graph.elements.values():
        if not isinstance(element, Decision) or id(element) in state:
            continue
        path: list[tuple[Element, int]] = [(element, 0)]
        while path:
            current, place = path.pop()
            required = _required_decisions(current)
            state[id(current)] = "open"
            if place == len(required):
                state[id(current)] = "done"
                continue
            path.append((current, place + 1))
            following = required[place]
            if state.get(id(following)) == "open":
                graph.loading.problem(graph.loading.root, f"the decision `{following.name}` requires itself")
                return
            if id(following) not in state:
                path.append((following, 0))


def _required_decisions(element: Element) -> list[Element]:
    if not isinstance(element, Decision):
        return []
    return [requirement.element for requirement in element.requirements if isinstance(requirement.element, Decision)]
