"""What is wrong with a process graph, found before anybody runs it: the deployment gate's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import feel
from engine import event_checks
from engine.elements.ad_hoc import AdHocSubProcess
from engine.elements.base import Element
from engine.elements.complex_gateway import ComplexGateway
from engine.elements.definitions import (
    ConditionalDefinition,
    ErrorDefinition,
    EscalationDefinition,
    EventDefinition,
    LinkDefinition,
    MessageDefinition,
    SignalDefinition,
    TimerDefinition,
)
from engine.elements.events import BoundaryEvent, IntermediateCatchEvent, StartEvent
from engine.elements.gateways import EventBasedGateway, ExclusiveGateway, InclusiveGateway
from engine.elements.multi_instance import MultiInstanceBody
from engine.elements.scopes import CallActivity, EventSubProcess, Scope, SubProcess
from engine.elements.standard_loop import StandardLoopBody
from engine.elements.tasks import BusinessRuleTask, JobTask, PlainTask, ReceiveTask, ScriptTask, SendTask
from engine.elements.throw_events import EndEvent, ThrowEvent
from engine.elements.user_task import UserTaskElement
from engine.known_names import FormFields, known_names, picks_from_outside
from engine.problems import Problem, Severity
from engine.process import Process


@dataclass(frozen=True, slots=True)
class Known:
    """Ids that a process may refer to: deployed already, or in the same deployment; None: not to be checked."""

    forms: frozenset[str] | None = None
    decisions: frozenset[str] | None = None
    processes: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    #: The fields of a form by its id: with them, variables that nothing sets are found.
    fields_of: FormFields | None = None


def check(process: Process, known: Known, resource: str | None = None) -> list[Problem]:
    """Return every problem of a process graph."""
    problems: list[Problem] = []

    def report(element: Element, message: str, severity: Severity = "error") -> None:
        place = element.id if element is not process.root else process.process_id
        problems.append(Problem(message, place, element.details.line, severity, resource))

    names = known_names(process, known.fields_of) if known.fields_of is not None else None
    for element in process.elements:
        for message in _structure(process, element):
            report(element, message)
        # What comes from outside is known to the element that picks from it, and to nobody else.
        visible = None if picks_from_outside(element) else names
        for what, text, literal_allowed in texts(element):
            for message, severity in _parse(what, text, literal_allowed, visible):
                report(element, message, severity)
        for message in _references(element, known):
            report(element, message)
    for flow in process.flows.values():
        if flow.condition is not None:
            text = flow.condition.removeprefix("=")
            for message, severity in _parse("condition", f"={text}", False, names):
                problems.append(Problem(message, flow.id, flow.line, severity, resource))
    for element in _unreachable(process):
        report(element, "No token can ever reach this element.", "warning")
    if known.groups is not None:
        for group in process.groups:
            if group not in known.groups:
                report(process.root, f"There is no group “{group}”; nobody will see its tasks.", "warning")
    return problems


def texts(element: Element) -> Iterator[tuple[str, str, bool]]:
    """Yield every text of an element that may be FEEL: what it is, the text, and whether it may be a plain text."""
    for mapping in element.details.inputs:
        yield f"input mapping “{mapping.target}”", mapping.source, True
    for mapping in element.details.outputs:
        yield f"output mapping “{mapping.target}”", mapping.source, True
    for definition in element.definitions:
        yield from _definition_texts(definition)
    if isinstance(element, SendTask):
        yield "message name", element.message.name, True
        if element.message.correlation_key:
            yield "correlation key", element.message.correlation_key, True
    if isinstance(element, UserTaskElement):
        task = element.task
        for what, given in (
            ("assignee", task.assignee),
            ("candidate groups", task.candidate_groups),
            ("candidate users", task.candidate_users),
            ("due date", task.due_date),
            ("follow-up date", task.follow_up_date),
            ("priority", task.priority),
            ("form id", task.form_id),
        ):
            if given:
                yield what, given, True
    if isinstance(element, ScriptTask):
        yield "script", element.expression, False
    if isinstance(element, BusinessRuleTask):
        yield "decision id", element.decision_id, True
    for listener in element.listeners:
        yield "job type of a listener", listener.job.type, True
        yield "job retries of a listener", listener.job.retries, True
    if isinstance(element, JobTask):
        yield "job type", element.job.type, True
        yield "job retries", element.job.retries, True
    if isinstance(element, CallActivity):
        yield "called process", element.called_process, True
    if isinstance(element, StandardLoopBody) and element.loop.condition:
        yield "loop condition", f"={element.loop.condition.removeprefix('=')}", False
    if isinstance(element, ComplexGateway) and element.activation_condition:
        yield "activation condition", f"={element.activation_condition.removeprefix('=')}", False
    if isinstance(element, AdHocSubProcess):
        if element.active_elements:
            yield "active elements", element.active_elements, False
        if element.completion_condition:
            yield "completion condition", f"={element.completion_condition.removeprefix('=')}", False
    if isinstance(element, MultiInstanceBody):
        loop = element.loop
        if loop.input_collection:
            yield "input collection", loop.input_collection, False
        if loop.cardinality:
            yield "loop cardinality", f"={loop.cardinality}", False
        if loop.output_element:
            yield "output element", loop.output_element, False
        if loop.completion_condition:
            yield "completion condition", f"={loop.completion_condition.removeprefix('=')}", False


def _definition_texts(definition: EventDefinition) -> Iterator[tuple[str, str, bool]]:
    match definition:
        case TimerDefinition(kind, text):
            yield f"timer {kind}", text, True
        case MessageDefinition(name, key):
            yield "message name", name, True
            if key:
                yield "correlation key", key, True
        case SignalDefinition(name):
            yield "signal name", name, True
        case ErrorDefinition(code) | EscalationDefinition(code):
            if code:
                yield "code", code, True
        case ConditionalDefinition(condition):
            yield "condition", f"={condition.removeprefix('=')}", False


def _parse(what: str, text: str, literal_allowed: bool, names: frozenset[str] | None) -> Iterator[tuple[str, Severity]]:
    if not text.startswith("="):
        if not literal_allowed:
            yield f"The {what} must be a FEEL expression: write a = before it.", "error"
        return
    try:
        findings = feel.check(feel.parse(text[1:]), names)
    except feel.FeelError as error:
        yield f"The {what} is no valid FEEL: {error}", "error"
        return
    for finding in findings:
        # A variable may still come from a program, and a test may be on its way to something; the rest is a mistake.
        doubtful = finding.kind in ("never true", "unknown variable")
        yield f"The {what}: {finding}", "warning" if doubtful else "error"


#: The moments at which listeners can be called: of any element, and of the changes of a user task.
_MOMENTS = frozenset({"start", "end"})
_CHANGES = frozenset({"creating", "assigning", "updating", "completing", "canceling"})


def _listeners(element: Element) -> Iterator[str]:
    for listener in element.listeners:
        known = _MOMENTS | _CHANGES if isinstance(element, UserTaskElement) else _MOMENTS
        if listener.event not in known:
            yield f"A listener for “{listener.event}” is not executed by this server."
        if not listener.job.type:
            yield "A listener needs a job type."


def _structure(process: Process, element: Element) -> Iterator[str]:
    yield from _listeners(element)
    if isinstance(element, Scope):
        yield from _starts(process, element)
    if isinstance(element, EndEvent) and element.outgoing:
        yield "An end event has no outgoing flow."
    if isinstance(element, StartEvent) and element.incoming:
        yield "A start event has no incoming flow."
    if isinstance(element, BoundaryEvent) and element.incoming:
        yield "A boundary event has no incoming flow."
    if isinstance(element, ExclusiveGateway | InclusiveGateway) and len(element.outgoing) > 1:
        for flow in element.outgoing:
            if flow.condition is None and flow.id != element.default_flow_id:
                yield f"The flow “{flow.name or flow.id}” has no condition and is not the default."
    if isinstance(element, EventSubProcess) and (element.incoming or element.outgoing):
        yield "An event sub-process has no flows: its start event starts it."
    if isinstance(element, MultiInstanceBody | StandardLoopBody) and isinstance(element.inner, EventSubProcess):
        yield "An event sub-process is no loop."
    if element.for_compensation and (element.incoming or element.outgoing):
        yield "An activity for compensation has no flows: the event that it is associated with starts it."
    if element.boundary_events and not isinstance(element, _HAS_BORDER):
        yield "Only an activity has boundary events."
    if element.default_flow_id and element.default_flow_id not in {flow.id for flow in element.outgoing}:
        yield f"The default flow “{element.default_flow_id}” does not leave this element."
    if element.instantiates and element.incoming:
        yield "What starts an instance has no incoming flow."
    if isinstance(element, EventBasedGateway):
        if len(element.outgoing) < 2:
            yield "An event-based gateway needs at least two following events."
        for flow in element.outgoing:
            target = process.element(flow.target_id)
            if not isinstance(target, IntermediateCatchEvent | ReceiveTask):
                yield f"“{target.details.name or target.id}” follows an event-based gateway but is no catching event."
    yield from event_checks.check(process, element)


#: What boundary events can be attached to: activities, without event sub-processes.
_HAS_BORDER = (
    AdHocSubProcess
    | BusinessRuleTask
    | CallActivity
    | JobTask
    | MultiInstanceBody
    | PlainTask
    | ReceiveTask
    | ScriptTask
    | SendTask
    | StandardLoopBody
    | SubProcess
    | UserTaskElement
)


def _starts(process: Process, scope: Scope) -> Iterator[str]:
    starts = process.start_events(scope)
    triggered = [event for event in starts if event.definition is not None]
    if isinstance(scope, AdHocSubProcess):
        if starts:
            yield "An ad-hoc sub-process has no start event."
        if not scope.startable():
            yield "An ad-hoc sub-process needs an activity that can be started."
    elif isinstance(scope, EventSubProcess):
        if len(starts) != 1 or not triggered:
            yield "An event sub-process needs exactly one start event, with a trigger."
    elif len(starts) - len(triggered) > 1:
        yield "There is more than one start event without a trigger."
    elif scope is process.root:
        if not starts and not process.triggers():
            yield "There is no start event."
    elif triggered or len(starts) != 1:
        yield "A sub-process needs exactly one start event, without a trigger."


def _references(element: Element, known: Known) -> Iterator[str]:
    form_ids: list[str | None] = []
    if isinstance(element, UserTaskElement):
        form_ids.append(element.task.form_id)
    if isinstance(element, StartEvent):
        form_ids.append(element.form_id)
    for form_id in form_ids:
        if form_id and _missing(form_id, known.forms):
            yield f"The form “{form_id}” does not exist."
    if isinstance(element, BusinessRuleTask) and _missing(element.decision_id, known.decisions):
        yield f"The decision “{element.decision_id}” does not exist."
    if isinstance(element, CallActivity) and _missing(element.called_process, known.processes):
        yield f"The process “{element.called_process}” does not exist."


def _missing(name: str, known: frozenset[str] | None) -> bool:
    # What FEEL gives is known only when an instance gets there.
    return known is not None and not name.startswith("=") and name not in known


def _unreachable(process: Process) -> Iterator[Element]:
    reached: set[str] = set()
    stack: list[Element] = [process.root]
    while stack:
        element = stack.pop()
        if element.name in reached:
            continue
        reached.add(element.name)
        nexts = [process.element(flow.target_id) for flow in element.outgoing if flow.target_id in process.task_specs]
        nexts += element.boundary_events
        if isinstance(element, MultiInstanceBody | StandardLoopBody):
            nexts.append(element.inner)
        if isinstance(element, AdHocSubProcess):
            nexts += element.startable().values()
        if element is process.root:
            nexts += [trigger for trigger in process.elements if trigger.instantiates]
        if element.is_scope:
            nexts += process.start_events(element)
            nexts += [
                other
                for other in process.elements
                if isinstance(other, EventSubProcess) and other.details.scope_id == element.details.id
            ]
        if isinstance(element, ThrowEvent) and isinstance(element.definition, LinkDefinition):
            nexts += [
                other
                for other in event_checks.catching_links(process, element)
                if other.definition == element.definition
            ]
        if element.compensation_handler_id is not None:
            nexts.append(process.element(element.compensation_handler_id))
        stack += nexts
    for element in process.elements:
        if element.name not in reached:
            yield element


__all__ = ["Known", "check", "texts"]
