"""BPMN XML to process graphs: the executable processes of a file, and everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from engine import extensions, xml
from engine.errors import DeploymentRefused
from engine.extensions import BPMN
from engine.problems import Problem
from engine.process import Process
from engine.process_reader import ProcessReader


@dataclass(slots=True)
class Diagram:
    """What a BPMN file holds: its executable processes by id, and what is wrong with it."""

    processes: dict[str, Process] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(content: bytes) -> dict[str, Process]:
    """Return the executable processes of a BPMN file by id; raises DeploymentRefused when it has errors."""
    diagram = read(content)
    errors = [problem for problem in diagram.problems if problem.severity == "error"]
    if errors:
        raise DeploymentRefused(errors)
    return diagram.processes


def read(content: bytes, resource: str | None = None) -> Diagram:
    """Return the processes of a BPMN file with its structural problems; raises DeploymentRefused for unusable XML."""
    root = xml.read(content, resource)
    diagram = Diagram()
    if root.tag != f"{BPMN}definitions":
        problem = Problem(
            "The file is no BPMN 2.0 diagram: its root is not bpmn:definitions.", line=1, resource=resource
        )
        diagram.problems.append(problem)
        return diagram
    executable = [node for node in root.findall(f"{BPMN}process") if node.get("isExecutable") == "true"]
    if not executable:
        diagram.problems.append(
            Problem("The diagram has no executable process (isExecutable=true).", line=1, resource=resource)
        )
    _unique_ids(root, diagram, resource)
    for node in executable:
        reader = ProcessReader(root, node, resource)
        process = reader.read()
        diagram.processes[process.process_id] = process
        diagram.problems += reader.problems
    return diagram


def _unique_ids(root: etree._Element, diagram: Diagram, resource: str | None) -> None:
    seen: set[str] = set()
    for node in root.iter(f"{BPMN}*"):
        element_id = node.get("id")
        if element_id and element_id in seen:
            diagram.problems.append(
                Problem("The id is used more than once.", element_id, extensions.line(node), "error", resource)
            )
        seen.add(element_id or "")


__all__ = ["Diagram", "parse", "read"]
