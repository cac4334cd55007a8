"""No instance stands still in silence: what cannot go on any more is found and becomes an incident."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, event, select, update

from database import Base, transaction
from engine import definitions, invariants
from engine.errors import EngineError, StateUnreadable
from engine.execution import Command
from engine.incidents import ResolveIncident
from engine.instances import CancelInstance
from engine.invariants import INTERVAL, check, inspect_all, report
from engine.jobs import CompleteJob, FailJob
from engine.migration import MigrateInstance, MigrationPlan, suggest
from engine.models import (
    Audit,
    ElementInstance,
    ElementState,
    Incident,
    InstanceState,
    Job,
    MessageSubscription,
    ProcessInstance,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskGroup,
)
from engine.modification import ActivateInstruction, ModifyInstance, MoveInstruction
from engine.suspension import ResumeInstance, SuspendInstance
from engine.user_tasks import CompleteUserTask
from engine.worker import Worker
from processes.service import Resource
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    flow,
    gateway,
    loop,
    message,
    node,
    service,
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player
from web import cli, logs


def everything() -> list[Resource]:
    """Return a process that waits in every way at once, and the one that it calls."""
    condition = (
        '<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression">=x = 1</bpmn:condition>'
        "</bpmn:conditionalEventDefinition>"
    )
    ways = {
        "task": user("task"),
        "job": service("job"),
        "pause": node("intermediateCatchEvent", "pause", timer("Duration", "P1D")),
        "mail": node("receiveTask", "mail", messageRef="message-m"),
        "gong": node("intermediateCatchEvent", "gong", catches("signal", "g")),
        "rich": node("intermediateCatchEvent", "rich", condition),
        "choice": gateway("eventBased", "choice"),
        "call": node("callActivity", "call", extensions='<zeebe:calledElement processId="inner"/>'),
        "each": user("each", inside=loop("[1, 2]")),
        "turns": user("turns", inside=loop("[1, 2]", sequential=True)),
        "broken": user("broken", inside=loop("missing")),
        "sub": sub_process("sub", start("s"), user("inside"), end("e"), chain("s", "inside", "e")),
        "free": node("adHocSubProcess", "free", user("anything")),
    }
    again = '<bpmn:standardLoopCharacteristics loopMaximum="3"/>'
    ways["again"] = user("again", inside=again)
    return [
        diagram(start(), user("child"), end(), chain("start", "child", "end"), process_id="inner"),
        diagram(
            start(),
            gateway("parallel", "fork"),
            flow("start", "fork"),
            *ways.values(),
            *(flow("fork", name) for name in ways),
            *(flow(name, "join") for name in ways if name != "choice"),
            node("intermediateCatchEvent", "later", timer("Duration", "P2D")),
            node("intermediateCatchEvent", "told", catches("message", "m")),
            flow("choice", "later"),
            flow("choice", "told"),
            flow("later", "join"),
            flow("told", "join"),
            gateway("parallel", "join"),
            end(),
            flow("join", "end"),
            sub_process(
                "aside",
                start("asked", catches("message", "m"), isInterrupting="false"),
                user("answer"),
                end("e2"),
                chain("asked", "answer", "e2"),
                event=True,
            ),
            extra=message("m", '="k"') + signal("g"),
        ),
    ]


def found(play: Player) -> list[str]:
    """Return what the checker says, without the keys."""
    with play.sessions() as session:
        return [f"{violation.element_id}: {violation.message}" for violation in check(session)]


def destroy(play: Player, model: type[Base], **where: object) -> None:
    """Delete rows behind the engine's back."""
    with play.sessions() as session, transaction(session):
        session.execute(delete(model).filter_by(**where))


def one_task(play: Player) -> Case:
    """Start a process that waits for a person, with a deadline."""
    play.deploy(
        diagram(
            start(),
            user("work", '<zeebe:assignmentDefinition candidateGroups="g"/>'),
            boundary("late", "work", timer("Duration", "P1D")),
            end(),
            end("end2"),
            chain("start", "work", "end"),
            flow("late", "end2"),
        )
    )
    return play.start("p")


def lose_task(play: Player, case: Case) -> None:
    """Lose the open user task of an instance."""
    destroy(play, UserTaskGroup)
    destroy(play, UserTask, instance_key=case.key)


# --- nothing wrong


def test_whatever_an_instance_waits_for_is_a_reason_to_be_alive(play: Player) -> None:
    play.deploy(*everything())
    case = play.start("p")
    case.complete("task")
    assert len(case.open_tasks()) == 5
    assert [incident.type for incident in case.incidents] == ["EXTRACT_VALUE_ERROR"]
    assert found(play) == []
    case.execute(SuspendInstance())
    assert found(play) == []


def test_compensation_and_job_incidents_are_reasons_to_be_alive(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("book"),
            boundary("undo", "book", "<bpmn:compensateEventDefinition/>"),
            user("unbook", isForCompensation="true"),
            '<bpmn:association id="as" sourceRef="undo" targetRef="unbook"/>',
            service("work"),
            node("intermediateThrowEvent", "back", "<bpmn:compensateEventDefinition/>"),
            end(),
            chain("start", "book", "work", "back", "end"),
        )
    )
    case, other = play.start("p"), play.start("p")
    for each in (case, other):
        each.complete("book")
    case.execute(FailJob(case.jobs()[0].key, 0))
    other.execute(CompleteJob(other.jobs()[0].key))
    assert other.todo == ["unbook"]
    assert found(play) == []


def test_ended_instances_are_not_looked_at(play: Player) -> None:
    case = one_task(play)
    case.complete("work")
    destroy(play, ElementInstance, instance_key=case.key)
    assert found(play) == []


# --- what is lost


@pytest.mark.parametrize(
    ("model", "element_id", "sentence"),
    [
        (UserTask, "task", "It waits for a person, but it has no open user task."),
        (Job, "job", "It waits for a worker, but it has no open job."),
        (Timer, "pause", "It waits for an event, but for none that can come."),
        (MessageSubscription, "mail", "It waits for a message, but it has no subscription."),
        (SignalSubscription, "gong", "It waits for an event, but for none that can come."),
        (Incident, "broken", "Nothing is alive in it."),
    ],
)
def test_what_a_token_waited_for_is_lost(play: Player, model: type[Base], element_id: str, sentence: str) -> None:
    play.deploy(*everything())
    play.start("p")
    destroy(play, model, element_id=element_id)
    assert found(play) == [f"{element_id}: {sentence}"]


def test_a_called_instance_is_lost(play: Player) -> None:
    play.deploy(*everything())
    case = play.start("p")
    with play.sessions() as session, transaction(session):
        session.execute(
            update(ProcessInstance).where(ProcessInstance.parent_key == case.key).values(state="TERMINATED")
        )
    assert found(play) == ["call: It waits for the instance that it called, which is gone."]


def test_a_caller_is_lost(play: Player) -> None:
    play.deploy(*everything())
    case = play.start("p")
    (call,) = case.live("call")
    with play.sessions() as session, transaction(session):
        session.execute(update(ElementInstance).where(ElementInstance.key == call).values(state="TERMINATED"))
    assert found(play) == [
        "call: A token is here, but the history has no open visit for it.",
        f"inner: The call activity {call} that has started it is not alive.",
    ]


def test_history_and_tokens_differ(play: Player) -> None:
    case = one_task(play)
    (work,) = case.live("work")
    with play.sessions() as session, transaction(session):
        session.execute(
            update(ElementInstance)
            .where(ElementInstance.instance_key == case.key, ElementInstance.element_id == "start")
            .values(state=ElementState.ACTIVE)
        )
        session.execute(update(ElementInstance).where(ElementInstance.key == work).values(state="COMPLETED"))
    (ghost,) = case.live("start")
    assert found(play) == [
        "work: A token is here, but the history has no open visit for it.",
        f"p: The history has the open visit {ghost} of “start”, but no token is there.",
    ]


def test_a_wait_of_no_token(play: Player) -> None:
    case = one_task(play)
    with play.sessions() as session, transaction(session):
        session.execute(update(Timer).values(element_instance_key=4711))
        (key,) = session.scalars(select(Timer.key))
    assert found(play) == [f"p: The open timer {key} belongs to no live token."]
    assert case.state == "ACTIVE"


@pytest.mark.parametrize("broken", [b"", b"nonsense", b"[9,[]]", b"[1,[]]", b'[1,[[5,"p",0,8,{}]]]', None])
def test_an_unreadable_state_is_told_and_the_instance_can_still_be_cancelled(
    play: Player, broken: bytes | None
) -> None:
    case = one_task(play)
    with play.sessions() as session, transaction(session):
        if broken is None:
            session.execute(delete(InstanceState))
        else:
            session.execute(update(InstanceState).values(tokens=broken))
    (sentence,) = found(play)
    assert sentence.startswith("p: Its state cannot be read: ")
    with play.sessions() as session:
        violations = check(session)
    assert len(report(play.sessions, violations)) == 1
    (incident,) = case.incidents
    assert (incident.type, incident.element_instance_key, incident.element_id) == ("STRANDED", case.key, "p")
    with pytest.raises(StateUnreadable):
        case.complete("work")

    case.execute(CancelInstance())
    assert (case.state, case.todo, case.timers(), case.incidents) == ("TERMINATED", [], {}, [])


def test_cancelling_an_unreadable_caller_ends_what_it_has_called(play: Player) -> None:
    play.deploy(*everything())
    case = play.start("p")
    child = case.child("inner")
    with play.sessions() as session, transaction(session):
        session.execute(update(InstanceState).where(InstanceState.instance_key == case.key).values(tokens=b"x"))
    case.execute(CancelInstance())
    assert (case.state, child.state, child.todo, case.jobs()) == ("TERMINATED", "TERMINATED", [], [])


def test_a_state_that_names_an_unknown_element_is_unreadable(play: Player) -> None:
    case = one_task(play)
    with play.sessions() as session, transaction(session):
        stored = session.scalars(select(InstanceState)).one()
        stored.tokens = stored.tokens.replace(b'"work"', b'"gone"')
    assert found(play) == ["p: Its state cannot be read: the process has no element gone."]
    assert case.state == "ACTIVE"


# --- what becomes of it


def test_a_stranded_element_becomes_one_incident_and_is_entered_again_when_it_is_resolved(play: Player) -> None:
    case = one_task(play)
    lose_task(play, case)
    with play.sessions() as session:
        violations = check(session)
    (key,) = report(play.sessions, violations)
    assert report(play.sessions, violations) == []
    (incident,) = case.incidents
    assert (incident.key, incident.type, incident.element_id) == (key, "STRANDED", "work")
    with play.sessions() as session:
        actions = session.scalars(select(Audit.action).where(Audit.instance_key == case.key)).all()
    assert "report stranded instance" in actions

    case.execute(ResolveIncident(key))
    assert (case.todo, len(case.timers()), case.incidents, found(play)) == (["work"], 1, [], [])
    case.complete("work")
    assert case.state == "COMPLETED"


def test_an_incident_about_the_whole_instance_is_closed_and_comes_again_while_it_is_so(play: Player) -> None:
    case = one_task(play)
    with play.sessions() as session, transaction(session):
        session.execute(update(Timer).values(element_instance_key=4711))
    for _ in range(2):
        with play.sessions() as session:
            violations = check(session)
        (key,) = report(play.sessions, violations)
        case.execute(ResolveIncident(key))
        assert case.todo == ["work"]


def test_what_has_healed_meanwhile_is_not_reported(play: Player) -> None:
    case = one_task(play)
    with play.sessions() as session, transaction(session):
        session.execute(update(UserTask).values(state="COMPLETED"))
    with play.sessions() as session:
        violations = check(session)
    with play.sessions() as session, transaction(session):
        session.execute(update(UserTask).values(state="CREATED"))
    assert len(violations) == 1
    assert report(play.sessions, violations) == []
    assert case.incidents == []


def test_the_worker_looks_every_few_minutes(play: Player) -> None:
    case = one_task(play)
    lose_task(play, case)
    worker = Worker(play.sessions)
    worker.step()
    assert case.incidents == []
    play.set_clock(play.now + INTERVAL)
    worker.step()
    assert [incident.type for incident in case.incidents] == ["STRANDED"]
    play.set_clock(play.now + INTERVAL - timedelta(seconds=1))
    case.execute(ResolveIncident(case.incidents[0].key))
    lose_task(play, case)
    worker.step()
    assert case.incidents == []
    play.set_clock(play.now + timedelta(seconds=1))
    worker.step()
    assert [incident.type for incident in case.incidents] == ["STRANDED"]


def test_a_round_goes_through_many_instances_in_batches(play: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "BATCH", 3)
    cases = [one_task(play), *(play.start("p") for _ in range(6))]
    for case in (cases[0], cases[6]):
        with play.sessions() as session, transaction(session):
            session.execute(update(UserTask).where(UserTask.instance_key == case.key).values(state="CANCELED"))
    assert len(found(play)) == 2
    with play.sessions() as session:
        assert len(check(session, limit=1)) == 1
    stranded = [[case.key for case in cases if case.incidents] for _ in inspect_all(play.sessions)]
    assert stranded == [[cases[0].key], [cases[0].key]]
    assert [case.key for case in cases if case.incidents] == [cases[0].key, cases[6].key]


def test_the_number_of_queries_does_not_grow_with_the_number_of_instances(play: Player) -> None:
    one_task(play)

    def queries() -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        with play.sessions() as session:
            engine = session.get_bind()
            event.listen(engine, "before_cursor_execute", counted)
            check(session)
            event.remove(engine, "before_cursor_execute", counted)
        return count

    few = queries()
    for _ in range(20):
        play.start("p")
    assert queries() == few


def test_the_command_prints_what_it_finds_and_ends_with_one(
    play: Player, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    environment = {"BATON_DATA": str(tmp_path), "BATON_DATABASE_URL": database_url}
    case = one_task(play)
    sound = CliRunner().invoke(cli.baton, ["check"], env=environment)
    assert (sound.exit_code, sound.output) == (0, "Every instance is sound.\n")

    lose_task(play, case)
    broken = CliRunner().invoke(cli.baton, ["check"], env=environment)
    assert broken.exit_code == 1
    assert broken.output == (
        f"process instance {case.key} (p), work: It waits for a person, but it has no open user task.\n"
        "1 violations, 1 new incidents.\n"
    )
    assert [incident.type for incident in case.incidents] == ["STRANDED"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_by_hand_leaves_instances_sound(play: Player, seed: int) -> None:
    """Random modifications, migrations there and back, completions and suspensions."""
    dice = random.Random(seed)
    play.deploy(*everything())
    with play.sessions() as session:
        first = definitions.latest(session, "p").key
        process = definitions.process(session, first)
        ids = sorted({element.id for element in process.elements})
    _, whole = everything()
    second = play.deploy(Resource(whole.name, whole.content.replace(b'name="p"', b'name="again"'))).processes[0].key
    with play.sessions() as session:
        mapping = suggest(process, definitions.process(session, second))
    case = play.start("p")
    done = 0
    for _ in range(40):
        case = case if case.state == "ACTIVE" else play.start("p")
        with play.sessions() as session:
            live = session.scalars(
                select(ElementInstance.key).where(
                    ElementInstance.instance_key == case.key, ElementInstance.state == ElementState.ACTIVE
                )
            ).all()
        commands: list[Command] = [
            ModifyInstance(activate=[ActivateInstruction(dice.choice(ids))], terminate=[dice.choice(live)]),
            ModifyInstance(move=[MoveInstruction(dice.choice(ids), dice.choice(ids))]),
            ModifyInstance(activate=[ActivateInstruction(dice.choice(ids), dice.choice(live))]),
            MigrateInstance(MigrationPlan(dice.choice([first, second]), mapping)),
            MigrateInstance(MigrationPlan(second, {key: key for key in mapping if dice.random() > 0.1})),
            SuspendInstance(),
            ResumeInstance(),
            *(CompleteUserTask(task.key) for task in case.open_tasks()),
            *(ResolveIncident(incident.key) for incident in case.incidents),
        ]
        try:
            case.execute(dice.choice(commands))
            done += 1
        except EngineError:
            pass
        assert found(play) == []
    assert done > 5
