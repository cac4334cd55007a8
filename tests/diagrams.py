"""Small BPMN files for tests, written as a list of elements and arrows."""

from __future__ import annotations

import itertools
from xml.sax.saxutils import escape, quoteattr

from processes.service import Resource

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' id="definitions" targetNamespace="tests">'
)


def diagram(*elements: str, process_id: str = "p", extra: str = "", extensions: str = "") -> Resource:
    """Return a BPMN file with one executable process; `extra` stands beside it: messages, errors, signals."""
    head = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    body = "\n".join(elements)
    text = (
        f'{_HEAD}\n{extra}\n<bpmn:process id="{process_id}" name="{process_id}" isExecutable="true">\n{head}{body}\n'
        "</bpmn:process>\n</bpmn:definitions>"
    )
    return Resource(f"{process_id}.bpmn", text.encode())


def node(tag: str, element_id: str, inside: str = "", extensions: str = "", **attributes: str) -> str:
    """Return any element; `extensions` is zeebe XML."""
    given = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    held = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    return f'<bpmn:{tag} id="{element_id}"{given}>{held}{inside}</bpmn:{tag}>'


def start(element_id: str = "start", inside: str = "", **attributes: str) -> str:
    """Return a start event."""
    return node("startEvent", element_id, inside, **attributes)


def end(element_id: str = "end", inside: str = "") -> str:
    """Return an end event."""
    return node("endEvent", element_id, inside)


def user(element_id: str, extensions: str = "", inside: str = "", **attributes: str) -> str:
    """Return a user task."""
    return node("userTask", element_id, inside, f"<zeebe:userTask/>{extensions}", **attributes)


def script(element_id: str, expression: str, result: str, extensions: str = "") -> str:
    """Return a script task."""
    held = f'<zeebe:script expression={quoteattr("=" + expression)} resultVariable="{result}"/>'
    return node("scriptTask", element_id, extensions=held + extensions)


def service(element_id: str, job_type: str = "work", retries: str = "3", extensions: str = "") -> str:
    """Return a service task."""
    held = f'<zeebe:taskDefinition type={quoteattr(job_type)} retries="{retries}"/>{extensions}'
    return node("serviceTask", element_id, extensions=held)


def gateway(kind: str, element_id: str, **attributes: str) -> str:
    """Return a gateway: `exclusive`, `parallel`, `inclusive` or `eventBased`."""
    return node(f"{kind}Gateway", element_id, **attributes)


def flow(source: str, target: str, condition: str | None = None, flow_id: str | None = None) -> str:
    """Return an arrow; its id is `source-target`."""
    held = (
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">={escape(condition)}</bpmn:conditionExpression>'
        if condition is not None
        else ""
    )
    name = flow_id or f"{source}-{target}"
    return f'<bpmn:sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{held}</bpmn:sequenceFlow>'


def chain(*ids: str) -> str:
    """Return arrows from each element to the next."""
    return "\n".join(flow(source, target) for source, target in itertools.pairwise(ids))


def boundary(element_id: str, host: str, inside: str, *, interrupting: bool = True) -> str:
    """Return a boundary event."""
    return node(
        "boundaryEvent", element_id, inside, attachedToRef=host, cancelActivity="true" if interrupting else "false"
    )


def timer(kind: str, text: str) -> str:
    """Return a timer definition: kind `Date`, `Duration` or `Cycle`."""
    return f"<bpmn:timerEventDefinition><bpmn:time{kind}>{escape(text)}</bpmn:time{kind}></bpmn:timerEventDefinition>"


def message(name: str, key: str | None = None) -> str:
    """Return a global message; its id is `message-<name>`."""
    held = (
        f"<bpmn:extensionElements><zeebe:subscription correlationKey={quoteattr(key)}/></bpmn:extensionElements>"
        if key
        else ""
    )
    return f'<bpmn:message id="message-{name}" name="{name}">{held}</bpmn:message>'


def catches(kind: str, name: str) -> str:
    """Return an event definition that refers to a global `message`, `signal`, `error` or `escalation` of that name."""
    return f'<bpmn:{kind}EventDefinition {kind}Ref="{kind}-{name}"/>'


def signal(name: str) -> str:
    """Return a global signal."""
    return f'<bpmn:signal id="signal-{name}" name="{name}"/>'


def error(code: str) -> str:
    """Return a global error; its id is `error-<code>`."""
    return f'<bpmn:error id="error-{code}" name="{code}" errorCode="{code}"/>'


def escalation(code: str) -> str:
    """Return a global escalation; its id is `escalation-<code>`."""
    return f'<bpmn:escalation id="escalation-{code}" name="{code}" escalationCode="{code}"/>'


def sub_process(element_id: str, *elements: str, event: bool = False, inside: str = "", extensions: str = "") -> str:
    """Return a sub-process, or with `event` an event sub-process."""
    attributes = {"triggeredByEvent": "true"} if event else {}
    return node("subProcess", element_id, inside + "\n".join(elements), extensions, **attributes)


def loop(collection: str, *, sequential: bool = False, condition: str | None = None, **names: str) -> str:
    """Return multi-instance characteristics; names: inputElement, outputCollection, outputElement."""
    given = "".join(f" {name}={quoteattr(value)}" for name, value in names.items())
    held = f"<bpmn:completionCondition>={escape(condition)}</bpmn:completionCondition>" if condition else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{"true" if sequential else "false"}">'
        f"<bpmn:extensionElements><zeebe:loopCharacteristics inputCollection={quoteattr('=' + collection)}{given}/>"
        f"</bpmn:extensionElements>{held}</bpmn:multiInstanceLoopCharacteristics>"
    )


def mapping(inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    """Return an ioMapping: target name to FEEL text without `=`."""
    rows = [("input", target, source) for target, source in (inputs or {}).items()]
    rows += [("output", target, source) for target, source in (outputs or {}).items()]
    lines = "".join(
        f"<zeebe:{kind} source={quoteattr('=' + source)} target={quoteattr(target)}/>" for kind, target, source in rows
    )
    return f"<zeebe:ioMapping>{lines}</zeebe:ioMapping>"
