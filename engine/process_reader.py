"""Reading one BPMN process: its elements, lanes, flows and scopes, and a problem for what is not executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from engine import extensions, time_to_live
from engine.elements.ad_hoc import AdHocSubProcess
from engine.elements.base import Element
from engine.elements.complex_gateway import ComplexGateway
from engine.elements.definitions import (
    CancelDefinition,
    CompensateDefinition,
    ConditionalDefinition,
    Details,
    ErrorDefinition,
    EscalationDefinition,
    LinkDefinition,
    MessageDefinition,
    SequenceFlow,
    SignalDefinition,
    TimerDefinition,
)
from engine.elements.events import BoundaryEvent, IntermediateCatchEvent, StartEvent
from engine.elements.gateways import EventBasedGateway, ExclusiveGateway, InclusiveGateway, ParallelGateway
from engine.elements.multi_instance import INNER, MultiInstanceBody
from engine.elements.scopes import CallActivity, EventSubProcess, ProcessScope, SubProcess, Transaction
from engine.elements.standard_loop import StandardLoopBody
from engine.elements.tasks import BusinessRuleTask, JobTask, ManualTask, PlainTask, ReceiveTask, ScriptTask, SendTask
from engine.elements.throw_events import EndEvent, IntermediateThrowEvent
from engine.elements.user_task import UserTaskElement
from engine.event_reader import EventReader
from engine.extensions import BPMN, extension, local_name
from engine.problems import Problem
from engine.process import Process
from feel.durations import Duration

#: What an intermediate event can wait for.
CAUGHT_IN_FLOW = TimerDefinition | MessageDefinition | SignalDefinition | ConditionalDefinition | LinkDefinition
#: What can be caught at the border of an activity.
CAUGHT_AT_BORDER = (
    TimerDefinition
    | MessageDefinition
    | SignalDefinition
    | ConditionalDefinition
    | ErrorDefinition
    | EscalationDefinition
    | CompensateDefinition
    | CancelDefinition
)

#: What carries no behaviour: read elsewhere, or only drawn.
_PASSIVE = frozenset(
    {
        "association",
        "auditing",
        "activationCondition",
        "category",
        "completionCondition",
        "dataInputAssociation",
        "dataObject",
        "dataObjectReference",
        "dataOutputAssociation",
        "dataStoreReference",
        "documentation",
        "extensionElements",
        "group",
        "incoming",
        "ioSpecification",
        "laneSet",
        "monitoring",
        "multiInstanceLoopCharacteristics",
        "outgoing",
        "property",
        "sequenceFlow",
        "standardLoopCharacteristics",
        "supportedInterfaceRef",
        "textAnnotation",
    }
)


class ProcessReader:
    """Reads one process element."""

    def __init__(self, definitions: etree._Element, node: etree._Element, resource: str | None) -> None:
        self.definitions = definitions
        self.node = node
        self.resource = resource
        self.problems: list[Problem] = []
        self.process = Process(node.get("id") or "process", node.get("name") or node.get("id") or "process")
        global_elements = {child.get("id") or "": child for child in definitions}
        self.events = EventReader(global_elements, self.problem)
        self.lanes = self._lanes()
        self.makers: dict[str, Callable[[etree._Element, Details], Element | None]] = {
            "startEvent": self._start_event,
            "endEvent": self._end_event,
            "intermediateCatchEvent": self._catch_event,
            "intermediateThrowEvent": self._throw_event,
            "boundaryEvent": self._boundary_event,
            "task": lambda node, details: PlainTask(self.process, details),
            "manualTask": lambda node, details: ManualTask(self.process, details),
            "userTask": self._user_task,
            "serviceTask": self._service_task,
            "scriptTask": self._script_task,
            "businessRuleTask": self._business_rule_task,
            "sendTask": self._send_task,
            "receiveTask": self._receive_task,
            "callActivity": self._call_activity,
            "subProcess": self._sub_process,
            "transaction": lambda node, details: Transaction(self.process, details),
            "adHocSubProcess": self._ad_hoc_sub_process,
            "exclusiveGateway": lambda node, details: ExclusiveGateway(self.process, details),
            "parallelGateway": lambda node, details: ParallelGateway(self.process, details),
            "inclusiveGateway": lambda node, details: InclusiveGateway(self.process, details),
            "complexGateway": self._complex_gateway,
            "eventBasedGateway": self._event_based_gateway,
        }

    def problem(self, node: etree._Element, message: str, element_id: str | None = None) -> None:
        """Note an error at an element."""
        place = element_id or node.get("id")
        self.problems.append(Problem(message, place, extensions.line(node), "error", self.resource))

    def read(self) -> Process:
        """Read the process with everything inside it."""
        process = self.process
        details = self._details(self.node, None)
        process.root = ProcessScope(process, details)
        process.root.listeners = extensions.listeners(self.node)
        process.documentation = details.documentation
        process.title_expression = dict(details.properties).get("title")
        process.listed = dict(details.properties).get("startable") != "false"
        process.time_to_live = self._time_to_live(details)
        tag = extension(self.node, "versionTag")
        process.version_tag = tag.get("value") if tag is not None else None
        process.lanes = list(dict.fromkeys(self.lanes.values()))
        self._read_scope(self.node, process.root)
        self._connect()
        return process

    def _time_to_live(self, details: Details) -> Duration | None:
        text = dict(details.properties).get(time_to_live.PROPERTY, "")
        try:
            return time_to_live.parse(text) if text.strip() else None
        except time_to_live.InvalidTimeToLive as error:
            self.problem(self.node, str(error))
            return None

    # --- the tree

    def _lanes(self) -> dict[str, str]:
        lanes: dict[str, str] = {}
        for lane in self.node.iter(f"{BPMN}lane"):
            name = (lane.get("name") or "").strip()
            for reference in lane.findall(f"{BPMN}flowNodeRef"):
                if name and reference.text:
                    lanes[reference.text.strip()] = name
        return lanes

    def _details(self, node: etree._Element, scope: Element | None) -> Details:
        element_id = node.get("id") or ""
        if not element_id:
            self.problem(node, f"The {local_name(node)} has no id.")
            element_id = f"{local_name(node)}-{extensions.line(node)}"
        inputs, outputs = extensions.mappings(node)
        # What stands in a sub-process is done by the lane that the sub-process stands in.
        lane = self.lanes.get(element_id) or (scope.details.lane if scope is not None else None)
        return Details(
            id=element_id,
            name=" ".join((node.get("name") or "").split()),
            scope_id=scope.details.id if scope is not None else None,
            line=extensions.line(node),
            documentation=(node.findtext(f"{BPMN}documentation") or "").strip(),
            lane=lane,
            inputs=inputs,
            outputs=outputs,
            properties=extensions.properties(node),
        )

    def _read_scope(self, node: etree._Element, scope: Element) -> None:
        self._check_extensions(node)
        for child in node:
            if not isinstance(child.tag, str) or not child.tag.startswith(BPMN):
                continue
            name = local_name(child)
            if name == "sequenceFlow":
                self._sequence_flow(child)
            if name in _PASSIVE:
                continue
            maker = self.makers.get(name)
            if maker is None:
                self.problem(child, f"The element type {name} is not executed by this server.")
                continue
            if child.get("id") in self.process.task_specs:
                continue  # reported as a duplicate id
            self._check_extensions(child)
            self._element(child, maker, scope)

    def _element(
        self, node: etree._Element, maker: Callable[[etree._Element, Details], Element | None], scope: Element
    ) -> None:
        details = self._details(node, scope)
        body = self._loop_body(node, details)
        if body is None:
            element = maker(node, details)
        else:
            body.default_flow_id = node.get("default")
            element = maker(node, replace(details, id=INNER.format(details.id), scope_id=details.id))
            if element is not None:
                element.id = details.id
        if element is None:
            # A loop around nothing is nothing.
            self.process.task_specs.pop(details.id, None)
            return
        for quantity in ("startQuantity", "completionQuantity"):
            if node.get(quantity, "1") != "1":
                self.problem(
                    node, f"The attribute {quantity} is not executed by this server: one token comes and goes."
                )
        element.listeners = extensions.listeners(node)
        whole = body or element
        whole.for_compensation = node.get("isForCompensation") == "true"
        if body is None:
            element.default_flow_id = node.get("default")
        element.needs_all = node.get("parallelMultiple") == "true" or node.get("eventGatewayType") == "Parallel"
        if element.is_scope:
            self._read_scope(node, element)

    def _loop_body(self, node: etree._Element, details: Details) -> Element | None:
        # Mappings belong to each turn, everything else to the activity as a whole.
        outer = replace(details, inputs=(), outputs=())
        loop = extensions.loop(node)
        if loop is not None:
            if (loop.input_collection is None) == (loop.cardinality is None):
                self.problem(
                    node, "A multi-instance activity needs either an input collection or a number (loopCardinality)."
                )
            elif loop.input_collection is None and loop.input_element is not None:
                self.problem(node, "An input element needs an input collection.")
            return MultiInstanceBody(self.process, outer, loop)
        standard = extensions.standard_loop(node)
        if standard is not None:
            if standard.condition is None and standard.maximum is None:
                self.problem(node, "A standard loop needs a condition or a maximum.")
            if standard.maximum is not None and standard.maximum < 0:
                self.problem(node, "The maximum of a standard loop must be a whole number.")
            return StandardLoopBody(self.process, outer, standard)
        return None

    def _check_extensions(self, node: etree._Element) -> None:
        for child in extensions.extensions(node):
            name = local_name(child)
            if name not in extensions.SUPPORTED:
                self.problem(node, f"The extension zeebe:{name} is not executed by this server.")

    def _sequence_flow(self, node: etree._Element) -> None:
        condition = node.find(f"{BPMN}conditionExpression")
        text = (condition.text or "").strip() if condition is not None else ""
        flow = SequenceFlow(
            id=node.get("id") or f"flow-{extensions.line(node)}",
            source_id=node.get("sourceRef", ""),
            target_id=node.get("targetRef", ""),
            name=node.get("name") or "",
            condition=text or None,
            line=extensions.line(node),
        )
        self.process.flows[flow.id] = flow

    def _connect(self) -> None:
        process = self.process
        for flow in process.flows.values():
            source = process.task_specs.get(flow.source_id)
            target = process.task_specs.get(flow.target_id)
            if source is None or target is None:
                missing = flow.source_id if source is None else flow.target_id
                if not any(problem.element_id == missing for problem in self.problems):
                    sentence = f"The sequence flow leads from or to “{missing}”, which is not in the process."
                    self.problems.append(Problem(sentence, flow.id, flow.line, "error", self.resource))
                continue
            if source.details.scope_id != target.details.scope_id:
                sentence = "A sequence flow must not cross the border of a sub-process."
                self.problems.append(Problem(sentence, flow.id, flow.line, "error", self.resource))
                continue
            source.outgoing.append(flow)
            target.incoming.append(flow)
            # SpiffWorkflow's own graph, by spec name.
            source.connect(target)
        for element in list(process.elements):
            if isinstance(element, BoundaryEvent):
                host = process.task_specs.get(element.host_id)
                if host is None:
                    sentence = "The boundary event is attached to nothing."
                    self.problems.append(Problem(sentence, element.id, element.details.line, "error", self.resource))
                else:
                    host.boundary_events.append(element)
                    if isinstance(element.definition, CompensateDefinition):
                        self._compensation(element, host)
            elif isinstance(element, EventSubProcess):
                around = process.element(element.details.scope_id or "")
                around.event_starts += process.start_events(element)

    def _compensation(self, event: BoundaryEvent, host: Element) -> None:
        """Find the handler that the boundary event's association leads to."""
        targets = [
            association.get("targetRef")
            for association in self.node.iter(f"{BPMN}association")
            if association.get("sourceRef") == event.id
        ]
        handler = self.process.task_specs.get(targets[0]) if len(targets) == 1 else None
        if handler is None or not handler.for_compensation:
            sentence = "A compensation event needs an association to one activity that is for compensation."
            self.problems.append(Problem(sentence, event.id, event.details.line, "error", self.resource))
        else:
            host.compensation_handler_id = handler.id

    # --- events

    def _start_event(self, node: etree._Element, details: Details) -> Element:
        event = StartEvent(
            self.process, details, self.events.definitions(node), interrupting=node.get("isInterrupting") != "false"
        )
        form = extension(node, "formDefinition")
        event.form_id = form.get("formId") if form is not None else None
        return event

    def _end_event(self, node: etree._Element, details: Details) -> Element:
        job = extensions.job(node)
        if job:
            return JobTask(self.process, details, "endEvent", job)
        return EndEvent(self.process, details, self.events.definitions(node))

    def _throw_event(self, node: etree._Element, details: Details) -> Element:
        job = extensions.job(node)
        if job:
            return JobTask(self.process, details, "intermediateThrowEvent", job)
        return IntermediateThrowEvent(self.process, details, self.events.definitions(node))

    def _catch_event(self, node: etree._Element, details: Details) -> Element | None:
        definitions = self.events.definitions(node)
        if not definitions or not all(isinstance(definition, CAUGHT_IN_FLOW) for definition in definitions):
            self.problem(node, "An intermediate catch event must wait for a timer, message, signal, condition or link.")
            return None
        return IntermediateCatchEvent(self.process, details, definitions)

    def _boundary_event(self, node: etree._Element, details: Details) -> Element | None:
        definitions = self.events.definitions(node)
        if not definitions or not all(isinstance(definition, CAUGHT_AT_BORDER) for definition in definitions):
            self.problem(
                node,
                "A boundary event must catch a timer, message, signal, condition, error, escalation, "
                "compensation or cancellation.",
            )
            return None
        interrupting = node.get("cancelActivity") != "false"
        if not interrupting and any(isinstance(found, ErrorDefinition | CancelDefinition) for found in definitions):
            self.problem(node, "This always ends its activity, so its boundary event must be interrupting.")
        host_id = node.get("attachedToRef", "")
        return BoundaryEvent(self.process, details, definitions, host_id=host_id, interrupting=interrupting)

    # --- activities

    def _user_task(self, node: etree._Element, details: Details) -> Element:
        return UserTaskElement(self.process, details, extensions.user_task(node))

    def _service_task(self, node: etree._Element, details: Details) -> Element | None:
        job = extensions.job(node)
        if job is None or not job.type:
            self.problem(node, "A service task needs a job type (zeebe:taskDefinition).")
            return None
        return JobTask(self.process, details, "serviceTask", job)

    def _script_task(self, node: etree._Element, details: Details) -> Element | None:
        job = extensions.job(node)
        if job is not None:
            return JobTask(self.process, details, "scriptTask", job)
        script = extension(node, "script")
        if script is None or not script.get("expression") or not script.get("resultVariable"):
            self.problem(node, "A script task needs a FEEL expression and a result variable (zeebe:script).")
            return None
        expression = script.get("expression", "")
        text = expression if expression.startswith("=") else f"={expression}"
        return ScriptTask(self.process, details, text, script.get("resultVariable", ""))

    def _business_rule_task(self, node: etree._Element, details: Details) -> Element | None:
        job = extensions.job(node)
        if job is not None:
            return JobTask(self.process, details, "businessRuleTask", job)
        called = extension(node, "calledDecision")
        if called is None or not called.get("decisionId") or not called.get("resultVariable"):
            self.problem(node, "A business rule task needs a decision and a result variable (zeebe:calledDecision).")
            return None
        return BusinessRuleTask(self.process, details, called.get("decisionId", ""), called.get("resultVariable", ""))

    def _send_task(self, node: etree._Element, details: Details) -> Element | None:
        job = extensions.job(node)
        if job is not None:
            return JobTask(self.process, details, "sendTask", job)
        return SendTask(self.process, details, self.events.message(node, node.get("messageRef")))

    def _receive_task(self, node: etree._Element, details: Details) -> Element:
        task = ReceiveTask(self.process, details, self.events.message(node, node.get("messageRef")))
        task.instantiates = node.get("instantiate") == "true"
        return task

    def _call_activity(self, node: etree._Element, details: Details) -> Element | None:
        called = extension(node, "calledElement")
        if called is None or not called.get("processId"):
            self.problem(node, "A call activity needs the id of the process it calls (zeebe:calledElement).")
            return None
        return CallActivity(
            self.process,
            details,
            called.get("processId", ""),
            propagate_parent=called.get("propagateAllParentVariables", "true") != "false",
            propagate_child=called.get("propagateAllChildVariables", "true") != "false",
            binding=called.get("bindingType", "latest"),
            version_tag=called.get("versionTag"),
        )

    def _sub_process(self, node: etree._Element, details: Details) -> Element:
        kind = EventSubProcess if node.get("triggeredByEvent") == "true" else SubProcess
        return kind(self.process, details)

    def _ad_hoc_sub_process(self, node: etree._Element, details: Details) -> Element:
        zeebe = extension(node, "adHoc")
        return AdHocSubProcess(
            self.process,
            details,
            active_elements=(zeebe.get("activeElementsCollection") if zeebe is not None else None) or None,
            completion_condition=(node.findtext(f"{BPMN}completionCondition") or "").strip() or None,
            cancel_remaining=node.get("cancelRemainingInstances") != "false",
        )

    # --- gateways with attributes

    def _complex_gateway(self, node: etree._Element, details: Details) -> Element:
        condition = (node.findtext(f"{BPMN}activationCondition") or "").strip() or None
        return ComplexGateway(self.process, details, condition)

    def _event_based_gateway(self, node: etree._Element, details: Details) -> Element:
        gateway = EventBasedGateway(self.process, details)
        gateway.instantiates = node.get("instantiate") == "true"
        if node.get("eventGatewayType") == "Parallel" and not gateway.instantiates:
            self.problem(
                node, "Only an event-based gateway that starts an instance (instantiate=true) can wait for all events."
            )
        return gateway
