"""The components of a bpmn.io form, read from its JSON schema into a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TEXT = frozenset({"textfield", "textarea"})
ONE_OF = frozenset({"radio", "select"})
MANY_OF = frozenset({"checklist", "taglist"})
#: Components that hold one value under their key.
KEYED = TEXT | ONE_OF | MANY_OF | {"number", "checkbox", "datetime", "expression", "filepicker"}
#: Components that hold other components.
CONTAINERS = frozenset({"group", "dynamiclist"})
#: Components that only show something.
SHOWN = frozenset({"text", "html", "image", "table", "iframe", "button", "spacer", "separator", "documentPreview"})
KNOWN = KEYED | CONTAINERS | SHOWN

#: One step into the data: a name, or the index of a row.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """One component; `properties` is its part of the schema."""

    type: str
    id: str
    properties: Mapping[str, Any]
    components: tuple[Component, ...] = ()

    @property
    def key(self) -> str:
        """The name of its value, empty if it has none; a dot leads into a nested object."""
        return _text(self.properties.get("key")) if self.type in KEYED else ""

    @property
    def label(self) -> str:
        """What people call it: its label, for dates their own, else its key."""
        for name in ("label", "dateLabel", "timeLabel"):
            if text := _text(self.properties.get(name)):
                return text
        return self.key or self.id

    @property
    def steps(self) -> Path:
        """The names that it adds to the path of its parent."""
        name = self.key if self.type in KEYED else _text(self.properties.get("path"))
        return tuple(name.split(".")) if name else ()

    @property
    def repeats(self) -> bool:
        """It is a list of rows, each with the same components."""
        return self.type == "dynamiclist"

    @property
    def hide(self) -> str | None:
        """The FEEL condition under which it is hidden; None: never."""
        conditional = self.properties.get("conditional")
        condition = conditional.get("hide") if isinstance(conditional, Mapping) else None
        return condition if isinstance(condition, str) and condition.startswith("=") else None

    @property
    def validate(self) -> Mapping[str, Any]:
        """Its validation rules."""
        rules = self.properties.get("validate")
        return rules if isinstance(rules, Mapping) else {}

    @property
    def required(self) -> bool:
        """A value must be given."""
        return self.validate.get("required") is True


def read(schema: Mapping[str, Any]) -> tuple[Component, ...]:
    """Return the components of a form schema; what is not a component is left out (see `check`)."""
    return _components(schema, "")


def _components(parent: Mapping[str, Any], path: str) -> tuple[Component, ...]:
    children = parent.get("components")
    if not isinstance(children, list):
        return ()
    return tuple(
        _component(child, f"{path}{index}") for index, child in enumerate(children) if isinstance(child, Mapping)
    )


def _component(properties: Mapping[str, Any], place: str) -> Component:
    return Component(
        type=_text(properties.get("type")),
        # Ids are optional in a schema; the place is unique as well.
        id=_text(properties.get("id")) or f"#{place}",
        properties=properties,
        components=_components(properties, f"{place}."),
    )


def every(components: tuple[Component, ...]) -> Iterator[Component]:
    """Yield all components, parents before their children."""
    for component in components:
        yield component
        yield from every(component.components)


def input_names(components: tuple[Component, ...]) -> frozenset[str]:
    """Return the names of the process variables that the form may write."""
    names: set[str] = set()
    for component in components:
        if component.type in KEYED or component.repeats:
            names.update(str(step) for step in component.steps[:1])
        elif component.steps and any(child.type in KEYED or child.repeats for child in every(component.components)):
            names.add(str(component.steps[0]))
        else:
            names |= input_names(component.components)
    return frozenset(names)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
