"""Deployment: the gate that every resource passes, and the versions that come out of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database import advisory
from engine import checks, clock, decisions, parser, starts, xml
from engine.errors import DeploymentRefused
from engine.keys import new_key
from engine.known_names import FormFields
from engine.models import (
    DecisionDefinition,
    DecisionRequirements,
    Deployment,
    FormDefinition,
    ProcessDefinition,
)
from engine.problems import Problem
from engine.process import Process
from engine.variables import LONGEST_NAME
from engine.xml import SIZE_LIMIT
from tasks import forms


@dataclass(frozen=True, slots=True)
class Resource:
    """A file to deploy; its name's ending says what it is: .bpmn, .dmn or .form."""

    name: str
    content: bytes


@dataclass(slots=True)
class Deployed:
    """What a deployment has made, or found unchanged."""

    key: int
    processes: list[ProcessDefinition] = field(default_factory=list)
    forms: list[FormDefinition] = field(default_factory=list)
    decisions: list[DecisionDefinition] = field(default_factory=list)
    requirements: list[DecisionRequirements] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    #: Resources whose newest version has the same content already.
    unchanged: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Read:
    """Resources after reading, before anything is stored."""

    processes: list[tuple[Resource, Process]] = field(default_factory=list)
    forms: list[tuple[Resource, str, dict[str, Any]]] = field(default_factory=list)
    models: list[tuple[Resource, decisions.DecisionModel]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def check(session: Session, resources: Sequence[Resource], groups: Iterable[str] | None = None) -> list[Problem]:
    """Return every problem that deploying these resources together would meet; `groups`: those that exist."""
    return _check(session, _read(resources), groups)


def deploy(
    session: Session, resources: Sequence[Resource], actor: str = "", groups: Iterable[str] | None = None
) -> Deployed:
    """Deploy resources as one unit: all of them, or none; raises DeploymentRefused with every problem found.

    A resource whose newest version has the same content is not deployed again.
    """
    read = _read(resources)
    # One deployment at a time: each counts its versions on from what it finds.
    advisory.hold(session, advisory.Kind.DEPLOYMENT)
    problems = _check(session, read, groups)
    errors = [problem for problem in problems if problem.severity == "error"]
    if not resources:
        errors = [Problem("There is nothing to deploy.")]
    if errors:
        raise DeploymentRefused(errors)
    now = clock.now(session)
    deployment = Deployment(key=new_key(), created_at=now, created_by=actor)
    session.add(deployment)
    session.flush()
    deployed = Deployed(deployment.key, warnings=problems)
    for resource, form_id, schema in read.forms:
        _store_form(session, deployed, resource, form_id, schema)
    for resource, model in read.models:
        _store_decisions(session, deployed, resource, model)
    session.flush()
    for resource, process in read.processes:
        _store_process(session, deployed, resource, process)
    session.flush()
    return deployed


def _read(resources: Sequence[Resource]) -> _Read:
    read = _Read()
    for resource in resources:
        try:
            _read_one(read, resource)
        except DeploymentRefused as refusal:
            read.problems += refusal.problems
    return read


def _read_one(read: _Read, resource: Resource) -> None:
    ending = resource.name.rsplit(".", 1)[-1].lower()
    if ending in ("bpmn", "xml"):
        diagram = parser.read(resource.content, resource.name)
        read.problems += diagram.problems
        read.processes += [(resource, process) for process in diagram.processes.values()]
    elif ending == "dmn":
        try:
            model = decisions.parse(resource.content)
            read.models.append((resource, model))
            read.problems += [
                Problem(found.message, found.element_id, found.line, "warning", resource.name)
                for found in model.warnings
            ]
        except decisions.DecisionModelError as error:
            read.problems += [
                Problem(problem.message, problem.element_id, problem.line, "error", resource.name)
                for problem in error.problems
            ]
    elif ending == "form":
        _read_form(read, resource)
    else:
        read.problems.append(Problem("Only .bpmn, .dmn and .form resources can be deployed.", resource=resource.name))


def _read_form(read: _Read, resource: Resource) -> None:
    problem: str | None = None
    schema: object = None
    if len(resource.content) > SIZE_LIMIT:
        problem = f"The file has {len(resource.content):,} bytes; at most {SIZE_LIMIT:,} are accepted."
    else:
        try:
            schema = json.loads(resource.content)
        except (ValueError, RecursionError) as error:
            problem = f"The form is no JSON: {error}."
    if problem is None and not isinstance(schema, dict):
        problem = "A form is a JSON object."
    if problem is None and isinstance(schema, dict) and not isinstance(schema.get("id"), str):
        problem = "The form has no id."
    if problem is not None:
        read.problems.append(Problem(problem, resource=resource.name))
        return
    assert isinstance(schema, dict)
    read.problems += [
        Problem(found.message, found.element_id, found.line, found.severity, resource.name)
        for found in forms.check(schema)
    ]
    read.forms.append((resource, schema["id"], schema))


def _check(session: Session, read: _Read, groups: Iterable[str] | None) -> list[Problem]:
    problems = list(read.problems) + list(_long_ids(read))
    broken = {problem.resource for problem in problems if problem.severity == "error"}
    known = checks.Known(
        forms=frozenset(session.scalars(select(FormDefinition.form_id).distinct()))
        | {form_id for _, form_id, _ in read.forms},
        decisions=frozenset(session.scalars(select(DecisionDefinition.decision_id).distinct()))
        | {decision_id for _, model in read.models for decision_id in model.decisions},
        processes=frozenset(session.scalars(select(ProcessDefinition.process_id).distinct()))
        | {process.process_id for _, process in read.processes},
        groups=frozenset(groups) if groups is not None else None,
        fields_of=_fields_of(session, read),
    )
    seen: dict[str, str] = {}
    for resource, process in read.processes:
        if process.process_id in seen:
            problems.append(
                Problem(
                    f"The process id “{process.process_id}” is also used in {seen[process.process_id]}.",
                    process.process_id,
                    resource=resource.name,
                )
            )
        seen[process.process_id] = resource.name
        if resource.name not in broken:
            problems += checks.check(process, known, resource.name)
    return problems


def _long_ids(read: _Read) -> Iterator[Problem]:
    """Yield a problem for each id that no index of the database takes."""
    found = [(resource, process.process_id) for resource, process in read.processes]
    found += [(resource, form_id) for resource, form_id, _ in read.forms]
    found += [(resource, name) for resource, model in read.models for name in (model.id or "", *model.decisions)]
    for resource, name in found:
        if len(name) > LONGEST_NAME:
            sentence = f"An id may have {LONGEST_NAME} characters; “{name[:20]}…” has {len(name)}."
            yield Problem(sentence, resource=resource.name)


def _fields_of(session: Session, read: _Read) -> FormFields:
    """Look the fields of a form up: in the same deployment, else in its newest version."""
    together = {form_id: schema for _, form_id, schema in read.forms}

    def fields_of(form_id: str) -> frozenset[str] | None:
        schema = together.get(form_id)
        if schema is None:
            newest = select(FormDefinition.schema).where(FormDefinition.form_id == form_id)
            schema = session.scalar(newest.order_by(FormDefinition.version.desc()).limit(1))
        return None if schema is None else forms.input_names(forms.read(schema))

    return fields_of


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _store_form(session: Session, deployed: Deployed, resource: Resource, form_id: str, schema: dict[str, Any]) -> None:
    newest = session.scalar(
        select(FormDefinition).where(FormDefinition.form_id == form_id).order_by(FormDefinition.version.desc()).limit(1)
    )
    checksum = _checksum(resource.content)
    if newest is not None and newest.checksum == checksum:
        deployed.unchanged.append(resource.name)
        deployed.forms.append(newest)
        return
    form = FormDefinition(
        key=new_key(),
        form_id=form_id,
        version=newest.version + 1 if newest else 1,
        resource_name=resource.name,
        schema=schema,
        checksum=checksum,
        deployment_key=deployed.key,
        created_at=clock.now(session),
    )
    session.add(form)
    deployed.forms.append(form)


def _store_decisions(session: Session, deployed: Deployed, resource: Resource, model: decisions.DecisionModel) -> None:
    requirements_id = model.id or resource.name
    newest = session.scalar(
        select(DecisionRequirements)
        .where(DecisionRequirements.requirements_id == requirements_id)
        .order_by(DecisionRequirements.version.desc())
        .limit(1)
    )
    checksum = _checksum(resource.content)
    if newest is not None and newest.checksum == checksum:
        deployed.unchanged.append(resource.name)
        deployed.requirements.append(newest)
        deployed.decisions += session.scalars(
            select(DecisionDefinition).where(DecisionDefinition.requirements_key == newest.key)
        )
        return
    requirements = DecisionRequirements(
        key=new_key(),
        requirements_id=requirements_id,
        version=newest.version + 1 if newest else 1,
        name=model.name or requirements_id,
        resource_name=resource.name,
        xml=xml.as_text(resource.content),
        checksum=checksum,
        deployment_key=deployed.key,
        created_at=clock.now(session),
    )
    session.add(requirements)
    session.flush()
    deployed.requirements.append(requirements)
    for decision_id, name in model.decisions.items():
        version = session.scalar(
            select(func.max(DecisionDefinition.version)).where(DecisionDefinition.decision_id == decision_id)
        )
        decision = DecisionDefinition(
            key=new_key(),
            decision_id=decision_id,
            version=(version or 0) + 1,
            name=name,
            requirements_key=requirements.key,
        )
        session.add(decision)
        deployed.decisions.append(decision)


def _store_process(session: Session, deployed: Deployed, resource: Resource, process: Process) -> None:
    newest = session.scalar(
        select(ProcessDefinition)
        .where(ProcessDefinition.process_id == process.process_id)
        .order_by(ProcessDefinition.version.desc())
        .limit(1)
    )
    checksum = _checksum(resource.content)
    if newest is not None and newest.checksum == checksum:
        deployed.unchanged.append(resource.name)
        deployed.processes.append(newest)
        return
    start = process.none_start
    lane = start.details.lane if start is not None else None
    definition = ProcessDefinition(
        key=new_key(),
        process_id=process.process_id,
        version=newest.version + 1 if newest else 1,
        name=process.title,
        version_tag=process.version_tag,
        resource_name=resource.name,
        xml=xml.as_text(resource.content),
        checksum=checksum,
        start_form_id=start.form_id if start is not None else None,
        startable=start is not None and process.listed,
        starter_groups=[lane] if lane else [],
        groups=process.groups,
        deployment_key=deployed.key,
        created_at=clock.now(session),
    )
    session.add(definition)
    session.flush()
    try:
        starts.replace(session, definition, process)
    except starts.StartNotSchedulable as error:
        raise DeploymentRefused([Problem(str(error), error.element_id, None, "error", resource.name)]) from None
    deployed.processes.append(definition)
