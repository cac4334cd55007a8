"""Camunda 8's extension elements (`zeebe:`), read from a BPMN element."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.elements.definitions import (
    JobDefinition,
    ListenerDefinition,
    LoopDefinition,
    StandardLoopDefinition,
    UserTaskDefinition,
    VariableMapping,
)
from engine.job_creation import DEFAULT_RETRIES

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

#: Extension elements that we execute, by local name.
SUPPORTED = frozenset(
    {
        "adHoc",
        "assignmentDefinition",
        "calledDecision",
        "calledElement",
        "executionListeners",
        "formDefinition",
        "ioMapping",
        "loopCharacteristics",
        "priorityDefinition",
        "properties",
        "script",
        "subscription",
        "taskDefinition",
        "taskHeaders",
        "taskListeners",
        "taskSchedule",
        "userTask",
        "versionTag",
    }
)


def extension(node: etree._Element, name: str) -> etree._Element | None:
    """Return the `zeebe:` extension element of that name, or None."""
    return node.find(f"{BPMN}extensionElements/{ZEEBE}{name}")


def extensions(node: etree._Element) -> Iterator[etree._Element]:
    """Yield every `zeebe:` extension element of a BPMN element."""
    holder = node.find(f"{BPMN}extensionElements")
    if holder is not None:
        for child in holder:
            if isinstance(child.tag, str) and child.tag.startswith(ZEEBE):
                yield child


def local_name(node: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return etree.QName(node).localname


def line(node: etree._Element) -> int:
    """Return the line of the file on which an element stands; 0: unknown."""
    found = node.sourceline
    return found if isinstance(found, int) else 0


def mappings(node: etree._Element) -> tuple[tuple[VariableMapping, ...], tuple[VariableMapping, ...]]:
    """Return the input and the output mappings, in order."""
    holder = extension(node, "ioMapping")
    if holder is None:
        return (), ()

    def read(name: str) -> tuple[VariableMapping, ...]:
        return tuple(
            VariableMapping(child.get("source", ""), child.get("target", "")) for child in holder.findall(ZEEBE + name)
        )

    return read("input"), read("output")


def properties(node: etree._Element) -> tuple[tuple[str, str], ...]:
    """Return the `zeebe:properties` as name and value."""
    holder = extension(node, "properties")
    if holder is None:
        return ()
    return tuple((child.get("name", ""), child.get("value", "")) for child in holder.findall(ZEEBE + "property"))


def user_task(node: etree._Element) -> UserTaskDefinition:
    """Return who does a user task, until when and with which form."""
    assignment = extension(node, "assignmentDefinition")
    schedule = extension(node, "taskSchedule")
    priority = extension(node, "priorityDefinition")
    form = extension(node, "formDefinition")

    def value(holder: etree._Element | None, name: str) -> str | None:
        text = holder.get(name) if holder is not None else None
        return text or None

    return UserTaskDefinition(
        assignee=value(assignment, "assignee"),
        candidate_groups=value(assignment, "candidateGroups"),
        candidate_users=value(assignment, "candidateUsers"),
        due_date=value(schedule, "dueDate"),
        follow_up_date=value(schedule, "followUpDate"),
        priority=value(priority, "priority"),
        form_id=value(form, "formId"),
        external_form=value(form, "externalReference") or value(form, "formKey"),
    )


def job(node: etree._Element) -> JobDefinition | None:
    """Return the job that the element gives to a worker, or None when it has no task definition."""
    definition = extension(node, "taskDefinition")
    if definition is None:
        return None
    return JobDefinition(
        type=definition.get("type", ""),
        retries=definition.get("retries") or str(DEFAULT_RETRIES),
        headers=_headers(node),
    )


def loop(node: etree._Element) -> LoopDefinition | None:
    """Return the multi-instance loop of an activity, or None."""
    characteristics = node.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if characteristics is None:
        return None
    zeebe = extension(characteristics, "loopCharacteristics")
    condition = characteristics.find(f"{BPMN}completionCondition")
    return LoopDefinition(
        sequential=characteristics.get("isSequential") == "true",
        input_collection=(zeebe.get("inputCollection") if zeebe is not None else None) or None,
        cardinality=(characteristics.findtext(f"{BPMN}loopCardinality") or "").strip().removeprefix("=") or None,
        input_element=zeebe.get("inputElement") if zeebe is not None else None,
        output_collection=zeebe.get("outputCollection") if zeebe is not None else None,
        output_element=zeebe.get("outputElement") if zeebe is not None else None,
        completion_condition=(condition.text or "").strip() or None if condition is not None else None,
    )


#: Stands for what is no number of turns.
NO_COUNT = -1


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else NO_COUNT


def standard_loop(node: etree._Element) -> StandardLoopDefinition | None:
    """Return the standard loop of an activity, or None."""
    characteristics = node.find(f"{BPMN}standardLoopCharacteristics")
    if characteristics is None:
        return None
    maximum = (characteristics.get("loopMaximum") or "").strip()
    return StandardLoopDefinition(
        condition=(characteristics.findtext(f"{BPMN}loopCondition") or "").strip() or None,
        maximum=_count(maximum) if maximum else None,
        test_before=characteristics.get("testBefore") == "true",
    )


def listeners(node: etree._Element) -> tuple[ListenerDefinition, ...]:
    """Return the execution listeners and the task listeners of an element, in order."""
    headers = _headers(node)
    found = []
    for holder, child in (("executionListeners", "executionListener"), ("taskListeners", "taskListener")):
        group = extension(node, holder)
        for listener in group.findall(ZEEBE + child) if group is not None else ():
            job = JobDefinition(
                type=listener.get("type", ""), retries=listener.get("retries") or str(DEFAULT_RETRIES), headers=headers
            )
            found.append(ListenerDefinition(listener.get("eventType", ""), job))
    return tuple(found)


def _headers(node: etree._Element) -> tuple[tuple[str, str], ...]:
    headers = extension(node, "taskHeaders")
    pairs = [] if headers is None else headers.findall(ZEEBE + "header")
    return tuple((pair.get("key", ""), pair.get("value", "")) for pair in pairs)
