"""One case as its page shows it, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cockpit import history
from cockpit.actors import Actors, Named, actors, everybody
from cockpit.history import Action, Decided, Part, Step, Trouble
from cockpit.situation import Situation, situation
from cockpit.variables import Scope, scopes
from cockpit.visibility import instance_for, visible
from engine.models import ProcessDefinition, ProcessInstance, ProcessState
from people.models import User
from people.permissions import may_manage


@dataclass(frozen=True, slots=True)
class Parent:
    """The case that called this one."""

    key: int
    title: str
    process_name: str
    #: The user may open it.
    visible: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known of one case."""

    instance: ProcessInstance
    process_name: str
    parent: Parent | None
    situation: Situation
    scopes: Sequence[Scope]
    steps: Part[Step]
    actions: Part[Action]
    incidents: Sequence[Trouble]
    decisions: Sequence[Decided]
    actors: Actors
    #: To whom a task can be given; empty for somebody who may not reassign.
    assignees: Sequence[Named]

    @property
    def live(self) -> bool:
        """The case still runs."""
        return self.instance.state == ProcessState.ACTIVE

    @property
    def title(self) -> str:
        """What people call the case; the process's name when its diagram gives no title."""
        return self.instance.title or self.process_name


def case(session: Session, user: User, instance_key: int) -> Case:
    """Return the case for its page; raises NotFound, or Forbidden when `user` may not see it."""
    instance = instance_for(session, user, instance_key)
    process_name = session.execute(
        select(ProcessDefinition.name).where(ProcessDefinition.key == instance.definition_key)
    ).scalar_one()
    waits = situation(session, instance)
    steps, actions = history.steps(session, instance), history.actions(session, instance)
    incidents = history.incidents(session, instance)
    usernames = {instance.started_by, *(step.who for step in steps.items), *(act.actor for act in actions.items)}
    usernames |= {str(act.details["assignee"]) for act in actions.items if act.details.get("assignee")}
    usernames |= {incident.resolved_by for incident in incidents}
    groups: set[str] = set()
    for task in waits.tasks:
        usernames |= {task.assignee, *task.candidate_users}
        groups |= set(task.candidate_groups)
    return Case(
        instance=instance,
        process_name=process_name or instance.process_id,
        parent=_parent(session, user, instance),
        situation=waits,
        scopes=scopes(session, instance),
        steps=steps,
        actions=actions,
        incidents=incidents,
        decisions=history.decisions(session, instance),
        actors=actors(session, usernames, groups),
        assignees=everybody(session) if waits.tasks and may_manage(user) else [],
    )


def _parent(session: Session, user: User, instance: ProcessInstance) -> Parent | None:
    if instance.parent_key is None:
        return None
    row = session.execute(
        select(ProcessInstance.key, ProcessInstance.title, ProcessDefinition.name, visible(session, user))
        .join(ProcessDefinition, ProcessDefinition.key == ProcessInstance.definition_key)
        .where(ProcessInstance.key == instance.parent_key)
    ).one_or_none()
    return Parent(*row) if row is not None else None
