"""Random processes under random commands: the engine, which stores and loads at every command, against a reference.

`make test` tries 200 examples; `BATON_PROPERTY_EXAMPLES=10000 python -m pytest tests/engine/test_property.py` many.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import create_engine, session_factory, transaction
from engine import clock, state
from engine.configuration import EngineConfiguration
from engine.execution import Hierarchy
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.models import (
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    InstanceState,
    Job,
    JobState,
    MessageSubscription,
    ProcessInstance,
    ProcessState,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskGroup,
    UserTaskState,
    Variable,
)
from engine.user_tasks import CompleteUserTask
from tests.conftest import MONDAY
from tests.databases import Databases
from tests.engine.blocks import (
    Block,
    Call,
    Choice,
    Drawing,
    Guarded,
    Inclusive,
    Loop,
    Many,
    Parallel,
    Reference,
    Script,
    Sequence,
    Sub,
    Task,
)
from tests.play import Case, Player

EXAMPLES = int(os.environ.get("BATON_PROPERTY_EXAMPLES", "200"))

# --- random processes and commands

X = st.integers(0, 3)
ACTIVITIES = st.just(Task()) | st.builds(Many, st.integers(0, 3), st.booleans())
LEAVES = ACTIVITIES | st.builds(Script, st.booleans())


def _larger(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    subs = st.builds(Sub, inner, st.sampled_from([None, True, False]))
    calls = st.builds(Call, inner)
    return st.one_of(
        *[st.builds(kind, several) for kind in (Sequence, Choice, Parallel, Inclusive)],
        st.builds(Loop, inner),
        subs,
        calls,
        st.builds(Guarded, ACTIVITIES | subs | calls, st.booleans(), st.integers(1, 5)),
    )


BLOCKS: st.SearchStrategy[Block] = st.recursive(LEAVES, _larger, max_leaves=7)
COMMANDS = st.one_of(
    st.tuples(st.just("complete"), st.integers(0, 7), X),
    st.tuples(st.just("complete"), st.integers(0, 7), X),
    st.tuples(st.just("advance"), st.integers(1, 4), X),
    st.tuples(st.just("message"), st.integers(0, 3), X),
    st.tuples(st.just("resolve"), st.integers(0, 3), X),
)

_number = count()


@pytest.fixture(scope="module")
def player(databases: Databases, empty_database: str) -> Iterator[Player]:
    """One database for all examples: each deploys processes of its own."""
    url = databases.copy(empty_database)
    engine = create_engine(url)
    sessions = session_factory(engine, **EngineConfiguration(clock_control=True).info())
    with sessions() as session, transaction(session):
        clock.pin(session, MONDAY)
    yield Player(sessions)
    engine.dispose()
    databases.drop(url)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None, print_blob=True)
@given(block=BLOCKS, x=X, commands=st.lists(COMMANDS, max_size=10))
@example(block=Loop(Parallel((Inclusive((Task(), Task())), Task()))), x=0, commands=[("complete", 0, 0)])
@example(
    block=Guarded(Sub(Task(), True), True, 1), x=0, commands=[("message", 0, 0), ("advance", 2, 0), ("complete", 0, 0)]
)
def test_the_engine_does_what_the_rules_say_and_leaves_nothing_behind(
    player: Player, block: Block, x: int, commands: list[tuple[str, int, int]]
) -> None:
    drawing = Drawing(f"r{next(_number)}")
    drawing.draw(block)
    player.deploy(*drawing.resources)
    case = player.start(drawing.process_id, {"x": x, "case": drawing.prefix})
    reference = Reference(drawing.prefix, block, x, player.now)
    try:
        agree(case, reference)
        for command, number, value in commands:
            give(case, reference, drawing, command, number, value)
            agree(case, reference)
        finish(case, reference, drawing)
    finally:
        if case.state == ProcessState.ACTIVE:
            case.execute(CancelInstance())
            nothing_left(case)


def give(case: Case, reference: Reference, drawing: Drawing, command: str, number: int, x: int) -> None:
    """Give the engine and the reference the same command; one that is not possible now is left out."""
    player = case.player
    match command:
        case "complete":
            tasks = sorted(hierarchy(case, UserTask, UserTask.state == UserTaskState.CREATED), key=lambda row: row.key)
            if tasks:
                task = tasks[number % len(tasks)]
                Case(player, task.instance_key).execute(CompleteUserTask(task.key, {"x": x}))
                reference.complete(task.element_id, x)
        case "resolve":
            stuck = sorted(hierarchy(case, Incident, Incident.state == IncidentState.ACTIVE), key=lambda row: row.key)
            if stuck:
                incident = stuck[number % len(stuck)]
                instance = Case(player, incident.instance_key)
                instance.execute(SetVariables(instance.key, {"x": x}))
                instance.execute(ResolveIncident(incident.key))
                reference.resolve(incident.element_id, x)
        case "advance":
            player.advance(timedelta(hours=number))
            reference.advance(timedelta(hours=number))
        case "message" if drawing.messages:
            name = drawing.messages[number % len(drawing.messages)]
            player.publish(name, drawing.prefix)
            reference.message(name)


def finish(case: Case, reference: Reference, drawing: Drawing) -> None:
    """Complete and resolve whatever is open until the case is done, which it must be after finitely many steps."""
    for _ in range(200):
        if reference.done:
            break
        give(case, reference, drawing, "resolve" if reference.stuck else "complete", 0, 0)
        agree(case, reference)
    assert reference.done
    assert case.state == ProcessState.COMPLETED
    nothing_left(case)


# --- what must hold after every command


def hierarchy(case: Case, model: type, *conditions: object) -> list:  # type: ignore[type-arg]
    """Return the rows of a kind that belong to the case and what it has called."""
    with case.player.sessions() as session:
        keys = select(ProcessInstance.key).where(ProcessInstance.root_key == case.key)
        return list(session.scalars(select(model).where(model.instance_key.in_(keys), *conditions)))


def agree(case: Case, reference: Reference) -> None:
    """What is open, stuck, due and done is what the reference says, and every row has its token."""
    tasks = hierarchy(case, UserTask, UserTask.state == UserTaskState.CREATED)
    stuck = hierarchy(case, Incident, Incident.state == IncidentState.ACTIVE)
    timers = hierarchy(case, Timer)
    assert sorted(row.element_id for row in tasks) == reference.tasks
    assert sorted(row.element_id for row in stuck) == reference.stuck
    assert sorted((row.due_at, row.element_id) for row in timers) == reference.timers
    history = hierarchy(case, ElementInstance)
    scripts = Counter(
        row.element_id for row in history if row.element_type == "SCRIPT_TASK" and row.state == "COMPLETED"
    )
    assert scripts == reference.scripts
    assert (case.state == ProcessState.COMPLETED) == reference.done
    for instance in hierarchy_instances(case):
        if instance.state == ProcessState.ACTIVE:
            live(case, instance.key, history, tasks, stuck)
        else:
            assert not [row for row in history if row.instance_key == instance.key and row.state == "ACTIVE"]


def hierarchy_instances(case: Case) -> list[ProcessInstance]:
    with case.player.sessions() as session:
        return list(session.scalars(select(ProcessInstance).where(ProcessInstance.root_key == case.key)))


def live(
    case: Case, instance_key: int, history: list[ElementInstance], tasks: list[UserTask], stuck: list[Incident]
) -> None:
    """Every live token has its row, every wait has its token, and every token has a reason to be alive."""
    with case.player.sessions() as session:
        stored = session.get(InstanceState, instance_key)
        assert stored is not None
        again = Hierarchy(session, case.key, "").load(instance_key)
        assert state.dump(again) == stored.tokens, "loading and storing changes nothing"
        rows = orjson.loads(stored.tokens)[1]
        tokens = {row[0]: row for row in rows}
        active = {row.key for row in history if row.instance_key == instance_key and row.state == ElementState.ACTIVE}
        assert active == set(tokens) - {instance_key}
        waits = waits_of(session, instance_key)
        assert {owner for owner in waits if owner is not None} <= set(tokens)
        called = set(
            session.scalars(
                select(ProcessInstance.parent_element_instance_key).where(
                    ProcessInstance.parent_key == instance_key, ProcessInstance.state == ProcessState.ACTIVE
                )
            )
        )
        assert called <= set(tokens)
        parents = {row[2] for row in rows}
        joins = {key for key, row in tokens.items() if row[1].startswith("join")}
        reasons = called | joins | {row.element_instance_key for row in [*tasks, *stuck]}
        assert set(tokens) - parents <= reasons, "each innermost token waits for something"


def waits_of(session: Session, instance_key: int) -> list[int | None]:
    """Return the element instances that something open belongs to."""
    found: list[int | None] = []
    for model, conditions in (
        (UserTask, [UserTask.state == UserTaskState.CREATED]),
        (Job, [Job.state.in_([JobState.CREATED, JobState.FAILED])]),
        (Incident, [Incident.state == IncidentState.ACTIVE]),
        (Timer, []),
        (MessageSubscription, []),
        (SignalSubscription, []),
    ):
        statement = select(model.element_instance_key).where(model.instance_key == instance_key, *conditions)
        found += session.scalars(statement)
    return found


def nothing_left(case: Case) -> None:
    """An ended case waits for nothing, is on no worklist, and keeps no state but its history."""
    instances = hierarchy_instances(case)
    assert ProcessState.ACTIVE not in {instance.state for instance in instances}
    assert not hierarchy(case, ElementInstance, ElementInstance.state == ElementState.ACTIVE)
    with case.player.sessions() as session:
        for instance in instances:
            assert instance.ended_at is not None
            assert waits_of(session, instance.key) == []
            assert session.get(InstanceState, instance.key) is None
            candidates = select(UserTaskGroup.task_key).join(UserTask, UserTask.key == UserTaskGroup.task_key)
            assert session.scalars(candidates.where(UserTask.instance_key == instance.key)).all() == []
    assert hierarchy(case, Variable, Variable.name == "x"), "variables stay readable"
