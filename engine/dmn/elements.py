"""The elements of a decision requirement graph (DMN 1.5, section 6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from feel.runtime import Code
from feel.types import Type


@dataclass(slots=True, eq=False)
class Element:
    """What has an id, a name by which others read its value, and a type."""

    id: str
    name: str
    type: Type | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that an element's logic reads; under `prefix.name` if it was imported."""

    element: Element
    prefix: str | None


@dataclass(slots=True, eq=False)
class InputData(Element):
    """A value that comes from outside."""


@dataclass(slots=True, eq=False)
class Decision(Element):
    """A value that is computed; `logic` is None where the model states none."""

    logic: Code | None = None
    requirements: list[Requirement] = field(default_factory=list)
    label: str | None = None


@dataclass(slots=True, eq=False)
class KnowledgeModel(Element):
    """A function that decisions call; `make` makes it in a scope."""

    make: Code | None = None
    requirements: list[Requirement] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class DecisionService(Element):
    """A part of the graph as a function."""

    outputs: list[Decision] = field(default_factory=list)
    inputs: list[Element] = field(default_factory=list)
    """Its parameters in order: input data first, then input decisions (DMN 1.5, section 10.4)."""
