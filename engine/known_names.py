"""Which variables a process can have, where its forms and mappings tell: what else an expression reads is a slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.elements.base import Element
from engine.elements.definitions import MessageDefinition, SignalDefinition
from engine.elements.events import StartEvent
from engine.elements.multi_instance import MultiInstanceBody
from engine.elements.scopes import CallActivity
from engine.elements.tasks import BusinessRuleTask, JobTask, ScriptTask
from engine.elements.throw_events import ThrowEvent
from engine.elements.user_task import UserTaskElement
from engine.process import Process

#: The names of the fields of a form by its id; null: the form is not known.
FormFields = Callable[[str], frozenset[str] | None]

#: What the engine itself sets: in loops, and for conditions of multi-instance and complex gateways.
_SET_BY_THE_ENGINE = frozenset(
    {
        "activationCount",
        "loopCounter",
        "numberOfActiveInstances",
        "numberOfCompletedInstances",
        "numberOfInstances",
        "numberOfTerminatedInstances",
    }
)


def known_names(process: Process, fields_of: FormFields) -> frozenset[str] | None:
    """Return every name that a variable of the process can have; None where somebody may bring what nobody foretells.

    That is so without a start form, at a user task without a form, and where a worker, a message, a signal or a called
    process may bring variables that no output mapping picks from.
    """
    names: set[str] = set(_SET_BY_THE_ENGINE)
    if process.none_start is None:
        return None
    for element in process.elements:
        if _brings_anything(process, element):
            return None
        for form_id in _forms(element):
            fields = None if form_id.startswith("=") else fields_of(form_id)
            if fields is None:
                return None
            names |= fields
        names.update(_declared(element))
    return frozenset(names)


def _brings_anything(process: Process, element: Element) -> bool:
    if element.listeners:
        return True
    if element is process.none_start:
        return element.form_id is None
    if element.details.outputs:
        return False
    if isinstance(element, UserTaskElement):
        return not element.task.form_id
    if isinstance(element, CallActivity):
        return element.propagate_child
    return picks_from_outside(element)


def picks_from_outside(element: Element) -> bool:
    """Return whether a worker, a message, a signal or a called process hands the element variables of its own."""
    if isinstance(element, ThrowEvent):
        return False
    arriving = any(isinstance(definition, MessageDefinition | SignalDefinition) for definition in element.definitions)
    return arriving or isinstance(element, JobTask | CallActivity)


def _forms(element: Element) -> Iterator[str]:
    form_id = element.task.form_id if isinstance(element, UserTaskElement) else None
    if isinstance(element, StartEvent):
        form_id = element.form_id
    if form_id:
        yield form_id


def _declared(element: Element) -> Iterator[str]:
    for mapping in (*element.details.inputs, *element.details.outputs):
        yield mapping.target.split(".")[0]
    if isinstance(element, ScriptTask | BusinessRuleTask):
        yield element.result_variable
    if isinstance(element, MultiInstanceBody):
        yield from filter(None, (element.loop.input_element, element.loop.output_collection))
