"""Who may do what."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from people import permissions


@dataclass(frozen=True)
class Person:
    username: str = "wang.fang"
    role: str = "staff"
    group_ids: frozenset[str] = frozenset({"业务接待员"})


@dataclass(frozen=True)
class Task:
    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Process:
    starter_groups: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instance:
    started_by: str = "li.na"


@pytest.mark.parametrize(
    ("task", "allowed"),
    [
        (Task(), True),
        (Task(candidate_groups=("业务接待员",)), True),
        (Task(candidate_groups=("结算员",)), False),
        (Task(candidate_users=("wang.fang",), candidate_groups=("结算员",)), True),
        (Task(candidate_users=("li.na",)), False),
        (Task(assignee="wang.fang", candidate_groups=("结算员",)), True),
        (Task(assignee="li.na", candidate_groups=("结算员",)), False),
    ],
)
def test_a_task_is_for_its_assignee_its_candidates_or_without_any_for_everybody(task: Task, allowed: bool) -> None:
    assert permissions.may_work(Person(), task) is allowed


def test_an_administrator_may_work_on_everything() -> None:
    assert permissions.may_work(Person(role="admin"), Task(assignee="li.na", candidate_groups=("结算员",)))


@pytest.mark.parametrize("role", ["manager", "process owner"])
def test_other_roles_give_no_right_to_do_others_work(role: str) -> None:
    assert not permissions.may_work(Person(role=role), Task(candidate_groups=("结算员",)))


@pytest.mark.parametrize(
    ("person", "process", "allowed"),
    [
        (Person(), Process(), True),
        (Person(), Process(starter_groups=("业务接待员", "业务员")), True),
        (Person(), Process(starter_groups=("人事管理人员",)), False),
        (Person(role="process owner"), Process(starter_groups=("人事管理人员",)), False),
        (Person(role="manager"), Process(starter_groups=("人事管理人员",)), True),
        (Person(role="admin"), Process(starter_groups=("人事管理人员",)), True),
    ],
)
def test_a_process_is_started_by_its_starters_and_by_managers(person: Person, process: Process, allowed: bool) -> None:
    assert permissions.may_start(person, process) is allowed


@pytest.mark.parametrize(
    ("person", "process", "took_part", "allowed"),
    [
        (Person(), Process(groups=("业务接待员",)), False, True),
        (Person(), Process(groups=("人事管理人员",)), False, False),
        (Person(), Process(groups=("人事管理人员",)), True, True),
        (Person(username="li.na"), Process(groups=("人事管理人员",)), False, True),
        (Person(role="manager"), Process(groups=("人事管理人员",)), False, True),
        (Person(role="process owner"), Process(groups=("人事管理人员",)), False, True),
        (Person(role="admin"), Process(groups=("人事管理人员",)), False, True),
    ],
)
def test_a_case_is_seen_by_those_who_take_part_in_it(
    person: Person, process: Process, took_part: bool, allowed: bool
) -> None:
    assert permissions.may_see_instance(person, process, Instance(), took_part=took_part) is allowed


def test_each_role_has_its_own_rights() -> None:
    rights = {
        role: (
            permissions.may_manage(Person(role=role)),
            permissions.may_deploy(Person(role=role)),
            permissions.may_administer(Person(role=role)),
            permissions.may_act_as_machine(Person(role=role)),
        )
        for role in ("staff", "process owner", "manager", "admin", "worker")
    }

    assert rights == {
        "staff": (False, False, False, False),
        "process owner": (False, True, False, False),
        "manager": (True, False, False, True),
        "admin": (True, True, True, True),
        "worker": (False, False, False, True),
    }


def test_another_system_has_no_tasks_and_no_cases() -> None:
    other = Person(role="worker", username="li.na")
    assert not permissions.takes_part(other)
    for task in (Task(), Task(assignee="li.na"), Task(candidate_users=("li.na",))):
        assert not permissions.may_work(other, task)
    assert not permissions.may_start(other, Process())
    assert not permissions.may_see_instance(other, Process(groups=("业务接待员",)), Instance(), took_part=True)
