"""Who may do what: pure functions of a user and the thing in question; pages and API ask the same ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from people.models import Role


class Person(Protocol):
    """What the rules need to know of a user."""

    @property
    def username(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def group_ids(self) -> frozenset[str]: ...


class Work(Protocol):
    """What the rules need to know of a user task."""

    @property
    def assignee(self) -> str | None: ...
    @property
    def candidate_groups(self) -> Collection[str]: ...
    @property
    def candidate_users(self) -> Collection[str]: ...


class Procedure(Protocol):
    """What the rules need to know of a process definition."""

    @property
    def starter_groups(self) -> Collection[str]: ...
    @property
    def groups(self) -> Collection[str]: ...


class Case(Protocol):
    """What the rules need to know of a process instance."""

    @property
    def started_by(self) -> str: ...


def takes_part(user: Person) -> bool:
    """Whether `user` is a person, who has tasks and cases; another system has neither."""
    return user.role != Role.WORKER


def may_work(user: Person, task: Work) -> bool:
    """Whether `user` may claim or complete `task`; a task without any candidate is everybody's."""
    if not takes_part(user):
        return False
    if user.role == Role.ADMIN or task.assignee == user.username or user.username in task.candidate_users:
        return True
    if not task.candidate_groups and not task.candidate_users:
        return True
    return not user.group_ids.isdisjoint(task.candidate_groups)


def may_start(user: Person, definition: Procedure) -> bool:
    """Whether `user` may start an instance of `definition`; without a group at its start everybody may."""
    if not takes_part(user):
        return False
    if user.role in (Role.ADMIN, Role.MANAGER) or not definition.starter_groups:
        return True
    return not user.group_ids.isdisjoint(definition.starter_groups)


def may_see_instance(user: Person, definition: Procedure, instance: Case, *, took_part: bool = False) -> bool:
    """Whether `user` may open `instance` of `definition`; `took_part`: the user has or had a task in it."""
    if not takes_part(user):
        return False
    if took_part or may_see_all(user) or instance.started_by == user.username:
        return True
    return not user.group_ids.isdisjoint(definition.groups)


def may_see_all(user: Person) -> bool:
    """Whether `user` sees every instance, whoever takes part in it."""
    return user.role in (Role.MANAGER, Role.PROCESS_OWNER, Role.ADMIN)


def may_manage(user: Person) -> bool:
    """Whether `user` may reassign, retry, cancel and change variables in every instance."""
    return user.role in (Role.MANAGER, Role.ADMIN)


def may_act_as_machine(user: Person) -> bool:
    """Whether `user` may do jobs, publish messages and broadcast signals: they move any case on, or start one."""
    return user.role in (Role.WORKER, Role.MANAGER, Role.ADMIN)


def may_deploy(user: Person) -> bool:
    """Whether `user` may deploy processes, decisions and forms."""
    return user.role in (Role.PROCESS_OWNER, Role.ADMIN)


def may_set_calendar(user: Person) -> bool:
    """Whether `user` may say when the company works."""
    return may_deploy(user)


def may_administer(user: Person) -> bool:
    """Whether `user` may change users and groups."""
    return user.role == Role.ADMIN
