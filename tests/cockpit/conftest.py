"""The company of the control room's tests: who works there, and how cases come about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session, sessionmaker

from database import transaction
from engine import clock
from engine.execution import Command, create_instance, execute
from engine.models import Incident, IncidentState, ProcessDefinition, UserTask, UserTaskState
from engine.user_tasks import AssignUserTask, CompleteUserTask
from engine.worker import run_due
from people.models import User
from processes.service import Resource, deploy
from tests.cockpit.diagrams import CALLER, CHILD, REPAIR
from tests.conftest import MakeUser


@dataclass(frozen=True)
class Company:
    """Deployed processes and the people who work on them."""

    sessions: sessionmaker[Session]
    receptionist: User
    colleague: User
    washer: User
    outsider: User
    manager: User
    owner: User

    def start(self, process_id: str = "repair", actor: str = "wang.fang", **variables: Any) -> int:
        """Start a case and return its key."""
        with self.sessions() as session, transaction(session):
            definition = session.scalars(
                select(ProcessDefinition)
                .where(ProcessDefinition.process_id == process_id)
                .order_by(ProcessDefinition.version.desc())
            ).first()
            assert definition is not None
            return create_instance(session, definition, variables, actor=actor).instance_key

    def repair(self, plate: str = "沪A12345", **variables: Any) -> int:
        """Start the repair of a car and return the key of the case."""
        return self.start(plate=plate, customer="李雷", **variables)

    def task(self, instance_key: int, element_id: str) -> UserTask:
        """Return the newest open task at an element."""
        with self.sessions() as session:
            found = session.scalars(
                select(UserTask)
                .where(
                    UserTask.instance_key == instance_key,
                    UserTask.element_id == element_id,
                    UserTask.state == UserTaskState.CREATED,
                )
                .order_by(UserTask.key.desc())
            ).first()
            assert found is not None, f"no open task at {element_id}"
            return found

    def complete(self, instance_key: int, element_id: str, actor: str = "wang.fang", **variables: Any) -> None:
        """Complete the open task at an element."""
        task = self.task(instance_key, element_id)
        with self.sessions() as session, transaction(session):
            execute(session, instance_key, CompleteUserTask(task.key, variables), actor=actor)

    def execute(self, instance_key: int, command: Command, actor: str = "chen.guoqiang") -> None:
        """Give the case a command."""
        with self.sessions() as session, transaction(session):
            execute(session, instance_key, command, actor=actor)

    def assign(self, instance_key: int, element_id: str, assignee: str) -> None:
        """Let somebody take the open task at an element."""
        task = self.task(instance_key, element_id)
        with self.sessions() as session, transaction(session):
            execute(session, instance_key, AssignUserTask(task.key, assignee), actor=assignee)

    def incident(self, instance_key: int) -> Incident | None:
        """Return the open incident of a case."""
        with self.sessions() as session:
            return session.scalars(
                select(Incident).where(Incident.instance_key == instance_key, Incident.state == IncidentState.ACTIVE)
            ).first()

    def wait(self, *, worker: bool = True, **by: float) -> None:
        """Let time pass, with a worker that keeps the deadlines or without one."""
        with self.sessions() as session, transaction(session):
            clock.advance(session, timedelta(**by))
        if worker:
            run_due(self.sessions)


@pytest.fixture
def company(sessions: sessionmaker[Session], make_user: MakeUser) -> Company:
    """A repair shop with its processes deployed."""
    people = Company(
        sessions,
        receptionist=make_user("wang.fang", "业务接待员", name="王芳"),
        colleague=make_user("li.na", "业务接待员", name="李娜"),
        washer=make_user("zhao.lei", "洗车工作人员", name="赵磊"),
        outsider=make_user("chen.hr", "人事部门", name="陈人事"),
        manager=make_user("zhou.jie", "业务主管", role="manager", name="周杰"),
        owner=make_user("sun.owner", role="process owner", name="孙流程"),
    )
    with sessions() as session, transaction(session):
        resources = [
            Resource(f"{name}.bpmn", xml) for name, xml in (("repair", REPAIR), ("caller", CALLER), ("child", CHILD))
        ]
        deploy(session, resources, "sun.owner")
    return people


Statements = Callable[[Session], AbstractContextManager[list[tuple[str, Any]]]]


@pytest.fixture
def statements() -> Statements:
    """Note the statements, with their parameters, that a session sends to the database in a block."""

    @contextmanager
    def note(session: Session) -> Iterator[list[tuple[str, Any]]]:
        sent: list[tuple[str, Any]] = []

        def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            sent.append((statement, parameters))

        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", keep)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", keep)

    return note
