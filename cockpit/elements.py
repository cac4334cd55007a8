"""Elements: what a deployed diagram calls its steps, for sentences about a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine import definitions
from engine.elements.events import BoundaryEvent, StartEvent


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a diagram, as far as sentences speak of it."""

    id: str
    #: The BPMN tag, e.g. `userTask`.
    kind: str
    name: str
    #: The activity that a boundary event sits on.
    attached_to: str | None
    #: A boundary event or the start of an event sub-process ends what it interrupts.
    interrupting: bool
    #: The sub-process, or the process, that the element is inside of.
    scope_id: str | None
    #: The elements that its outgoing sequence flows lead to.
    targets: tuple[str, ...]


Elements = Mapping[str, Element]

_QUOTED = re.compile("“([^”]+)”")

#: Between the names of the events that a nameless event-based gateway waits for.
EITHER = " / "


def name_of(elements: Elements, element_id: str) -> str:
    """Return what the diagram calls an element; empty when it calls it nothing.

    An event-based gateway without a name goes by the events that it waits for.
    """
    element = elements.get(element_id)
    if element is None:
        return element_id
    if not element.name and element.kind == "eventBasedGateway":
        return EITHER.join(elements[target].name for target in element.targets if target in elements)
    return element.name


def with_names(elements: Elements, text: str) -> str:
    """Return a sentence of the engine with the ids that it quotes replaced by what the diagram calls them."""
    return _QUOTED.sub(lambda quoted: f"“{name_of(elements, quoted[1]) or quoted[1]}”", text)


def kind_of(elements: Elements, element_id: str) -> str:
    """Return the BPMN tag of an element; empty when the diagram does not have it."""
    element = elements.get(element_id)
    return element.kind if element is not None else ""


def elements_of(session: Session, definition_keys: Iterable[int]) -> dict[int, Elements]:
    """Return the elements of each definition by element id, from the engine's parsed diagrams."""
    return {key: _elements(session, key) for key in definition_keys}


def _elements(session: Session, definition_key: int) -> Elements:
    found: dict[str, Element] = {}
    for element in definitions.process(session, definition_key).elements:
        details = element.details
        if details.id != element.id:
            # What a multi-instance activity does per item; its body goes by the same name.
            continue
        found[details.id] = Element(
            id=details.id,
            kind=element.kind,
            name=" ".join(details.name.split()),
            attached_to=element.host_id if isinstance(element, BoundaryEvent) else None,
            interrupting=element.interrupting if isinstance(element, BoundaryEvent | StartEvent) else True,
            scope_id=details.scope_id,
            targets=tuple(flow.target_id for flow in element.outgoing),
        )
    return found
