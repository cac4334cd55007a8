"""Random processes under random commands: the engine, which stores and loads at every command, against the same case
played in memory by `tests.engine.reference`.

`make test` tries 200 examples, `make nightly` 10,000.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import create_engine, session_factory, transaction
from engine import clock, definitions, state
from engine.configuration import EngineConfiguration
from engine.errors import MigrationRefused, Suspended
from engine.execution import Hierarchy
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance, SetVariables
from engine.migration import MigrateInstance, MigrationPlan
from engine.models import (
    ElementInstance,
    ElementState,
    Incident,
    IncidentState,
    InstanceState,
    Job,
    JobState,
    LoopItems,
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
from engine.modification import ModifyInstance, MoveInstruction
from engine.suspension import ResumeInstance, SuspendInstance
from engine.user_tasks import CompleteUserTask
from tests.conftest import MONDAY
from tests.databases import Databases
from tests.engine.blocks import (
    AdHoc,
    Block,
    Call,
    Choice,
    Complex,
    Drawing,
    Guarded,
    Inclusive,
    Loop,
    Many,
    Parallel,
    Script,
    Sequence,
    Sub,
    Task,
    Undone,
)
from tests.engine.reference import Reference
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
    activities = ACTIVITIES | subs | calls
    return st.one_of(
        *[st.builds(kind, several) for kind in (Sequence, Choice, Parallel, Inclusive)],
        st.builds(Loop, inner),
        subs,
        calls,
        st.builds(Guarded, activities, st.booleans(), st.integers(1, 5)),
        st.builds(AdHoc, st.lists(LEAVES | subs | calls, min_size=1, max_size=3).map(tuple)),
        st.builds(Undone, activities),
    )


INNER: st.SearchStrategy[Block] = st.recursive(LEAVES, _larger, max_leaves=7)
_BRANCHES = st.lists(INNER, min_size=2, max_size=3).map(tuple)
#: A complex gateway is in no loop: what comes late would be taken for the next turn.
_COMPLEX = _BRANCHES.flatmap(lambda blocks: st.builds(Complex, st.just(blocks), st.integers(1, len(blocks))))
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    INNER,
    INNER,
    INNER,
    _COMPLEX,
    st.builds(lambda first, second: Sequence((first, second)), _COMPLEX, INNER),
    st.builds(lambda first, second: Inclusive((first, second)), _COMPLEX, INNER),
    st.builds(Sub, _COMPLEX, st.sampled_from([None, True, False])),
)
COMMANDS = st.one_of(
    st.tuples(st.just("complete"), st.integers(0, 7), X),
    st.tuples(st.just("complete"), st.integers(0, 7), X),
    st.tuples(st.just("advance"), st.integers(1, 4), X),
    st.tuples(st.just("message"), st.integers(0, 3), X),
    st.tuples(st.just("resolve"), st.integers(0, 3), X),
    st.tuples(st.just("suspend"), st.integers(1, 4), X),
    st.tuples(st.just("migrate"), st.integers(0, 3), X),
    st.tuples(st.just("move"), st.integers(0, 7), X),
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
@example(
    block=Sequence((Complex((Script(False), Call(Script(False)), Call(Script(False))), needed=1), Task())),
    x=0,
    commands=[],
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
            tasks = sorted(case_rows(case, UserTask, UserTask.state == UserTaskState.CREATED), key=lambda row: row.key)
            if tasks:
                task = tasks[number % len(tasks)]
                Case(player, task.instance_key).execute(CompleteUserTask(task.key, {"x": x}))
                reference.complete(task.element_id, x)
        case "resolve":
            stuck = sorted(case_rows(case, Incident, Incident.state == IncidentState.ACTIVE), key=lambda row: row.key)
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
        case "suspend" if not reference.done:
            sleep(case, reference, timedelta(hours=number))
        case "migrate" if not reference.done:
            migrate(case, drawing, number)
        case "move":
            tasks = case_rows(case, UserTask, UserTask.state == UserTaskState.CREATED)
            movable = sorted((row for row in tasks if row.element_id in drawing.movable), key=lambda row: row.key)
            if movable:
                task = movable[number % len(movable)]
                move = MoveInstruction(None, task.element_id, source_key=task.element_instance_key)
                Case(player, task.instance_key).execute(ModifyInstance(move=[move]))


def sleep(case: Case, reference: Reference, by: timedelta) -> None:
    """Suspend the case, try in vain, let time pass, and resume: what has become due happens then."""
    case.execute(SuspendInstance())
    for task in case_rows(case, UserTask, UserTask.state == UserTaskState.CREATED):
        with pytest.raises(Suspended):
            Case(case.player, task.instance_key).execute(CompleteUserTask(task.key, {"x": 0}))
    case.player.advance(by)
    reference.sleep(by)
    agree(case, reference)
    case.execute(ResumeInstance())
    case.player.advance(timedelta(0))
    reference.advance(timedelta(0))


def migrate(case: Case, drawing: Drawing, number: int) -> None:
    """Migrate an instance of the case to a new version of its process that differs by a comment."""
    live = [row for row in instances(case) if row.state == ProcessState.ACTIVE]
    chosen = live[number % len(live)]
    old = next(file for file in drawing.resources if file.name == f"{chosen.process_id}.bpmn")
    new = replace(old, content=old.content + f"<!-- {next(_number)} -->".encode())
    player = case.player
    target = player.deploy(new).processes[0].key
    with player.sessions() as session:
        process = definitions.process(session, target)
    names = [element.id for element in process.elements if element is not process.root]
    plan = MigrationPlan(target, {name: name for name in [*dict.fromkeys(names), *process.flows]})
    instance = Case(player, chosen.key)
    if any(task.startswith("undone") for task in instance.todo):
        with pytest.raises(MigrationRefused, match="compensation"):
            instance.execute(MigrateInstance(plan))
    else:
        instance.execute(MigrateInstance(plan))


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


def case_rows(case: Case, model: type, *conditions: object) -> list:  # type: ignore[type-arg]
    """Return the rows of a kind that belong to the case and what it has called."""
    with case.player.sessions() as session:
        keys = select(ProcessInstance.key).where(ProcessInstance.root_key == case.key)
        return list(session.scalars(select(model).where(model.instance_key.in_(keys), *conditions)))


def instances(case: Case) -> list[ProcessInstance]:
    with case.player.sessions() as session:
        found = select(ProcessInstance).where(ProcessInstance.root_key == case.key).order_by(ProcessInstance.key)
        return list(session.scalars(found))


_WAITS = (
    (UserTask, UserTask.state == UserTaskState.CREATED),
    (Job, Job.state.in_([JobState.CREATED, JobState.FAILED])),
    (Incident, Incident.state == IncidentState.ACTIVE),
    (Timer, None),
    (MessageSubscription, None),
    (SignalSubscription, None),
    (LoopItems, None),
)


@dataclass(frozen=True)
class Wait:
    """Something open that belongs to an element instance."""

    model: type
    instance_key: int
    owner: int | None


def waits_of(session: Session, keys: list[int]) -> list[Wait]:
    """Return what is open in instances."""
    found: list[Wait] = []
    for model, condition in _WAITS:
        statement = select(model.instance_key, model.element_instance_key).where(model.instance_key.in_(keys))
        rows = session.execute(statement if condition is None else statement.where(condition))
        found += [Wait(model, *row) for row in rows]
    return found


def agree(case: Case, reference: Reference) -> None:
    """What is open, stuck, due and done is what the reference says, and every row has its token."""
    with case.player.sessions() as session:
        shape = (ProcessInstance.key, ProcessInstance.state, ProcessInstance.parent_element_instance_key)
        members = session.execute(select(*shape).where(ProcessInstance.root_key == case.key)).all()
        keys = [member.key for member in members]

        def names(model: type, condition: object) -> list[str]:
            statement = select(model.element_id).where(model.instance_key.in_(keys), condition)
            return sorted(session.scalars(statement))

        assert names(UserTask, UserTask.state == UserTaskState.CREATED) == reference.tasks
        assert names(Incident, Incident.state == IncidentState.ACTIVE) == reference.stuck
        timers = session.execute(select(Timer.due_at, Timer.element_id).where(Timer.instance_key.in_(keys)))
        assert sorted((due_at, element_id) for due_at, element_id in timers) == reference.timers
        done = (ElementInstance.element_type == "SCRIPT_TASK") & (ElementInstance.state == ElementState.COMPLETED)
        assert Counter(names(ElementInstance, done)) == reference.scripts
        states = {member.key: member.state for member in members}
        assert (states[case.key] == ProcessState.COMPLETED) == reference.done
        history: dict[int, set[int]] = defaultdict(set)
        active = ElementInstance.instance_key.in_(keys) & (ElementInstance.state == ElementState.ACTIVE)
        for instance_key, key in session.execute(
            select(ElementInstance.instance_key, ElementInstance.key).where(active)
        ):
            history[instance_key].add(key)
        waits = waits_of(session, keys)
        called = {row.parent_element_instance_key for row in members if row.state == ProcessState.ACTIVE} - {None}
        for key in keys:
            own = [wait for wait in waits if wait.instance_key == key]
            if states[key] == ProcessState.ACTIVE:
                live(session, case, key, history[key], own, called)
            else:
                assert not history[key]
                assert not own


def live(
    session: Session, case: Case, instance_key: int, history: set[int], waits: list[Wait], called: set[int]
) -> None:
    """Every live token has its row, every wait has its token, and every token has a reason to be alive."""
    stored = session.scalars(select(InstanceState.tokens).where(InstanceState.instance_key == instance_key)).one()
    again = Hierarchy(session, case.key, "").load(instance_key)
    assert state.dump(again) == stored, "loading and storing changes nothing"
    rows = orjson.loads(stored)[1]
    tokens = {row[0]: row for row in rows}
    assert history == set(tokens) - {instance_key}
    assert {wait.owner for wait in waits if wait.owner is not None} <= set(tokens)
    parents = {row[2] for row in rows}
    joins = {key for key, row in tokens.items() if row[1].startswith("join")}
    undoing = {row[4]["undoes_for"] for row in rows if "undoes_for" in row[4]}
    reasons = called | joins | undoing | {wait.owner for wait in waits if wait.model in (UserTask, Incident)}
    assert set(tokens) - parents <= reasons, "each innermost token waits for something"


def nothing_left(case: Case) -> None:
    """An ended case waits for nothing, is on no worklist, and keeps no state but its history."""
    ended = instances(case)
    assert ProcessState.ACTIVE not in {instance.state for instance in ended}
    assert all(instance.ended_at is not None for instance in ended)
    keys = [instance.key for instance in ended]
    assert not case_rows(case, ElementInstance, ElementInstance.state == ElementState.ACTIVE)
    with case.player.sessions() as session:
        assert waits_of(session, keys) == []
        assert (
            session.scalars(select(InstanceState.instance_key).where(InstanceState.instance_key.in_(keys))).all() == []
        )
        candidates = select(UserTaskGroup.task_key).join(UserTask, UserTask.key == UserTaskGroup.task_key)
        assert session.scalars(candidates.where(UserTask.instance_key.in_(keys))).all() == []
    assert case_rows(case, Variable, Variable.name == "x"), "variables stay readable"
