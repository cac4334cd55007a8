"""Live instances are modified by hand, incidents are repaired, and ended instances are restarted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from database import transaction
from engine import definitions
from engine.errors import (
    CalledByAnother,
    InvalidElements,
    InvalidVariables,
    NotActive,
    NotEnded,
    NotFound,
    Suspended,
)
from engine.jobs import FailJob
from engine.models import Audit, ElementState, UserTask, Variable
from engine.modification import ActivateInstruction, ModifyInstance, MoveInstruction, VariableInstruction
from engine.repair import RepairIncident
from engine.restarting import create_instance_at, restart
from engine.suspension import SuspendInstance
from engine.user_tasks import AssignUserTask, CompleteUserTask
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
    mapping,
    message,
    node,
    service,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player


def activate(element_id: str, **options: Any) -> ModifyInstance:
    """Return the command that activates one element."""
    return ModifyInstance(activate=[ActivateInstruction(element_id, **options)])


def nested() -> Resource:
    """Return a process with a sub-process in a sub-process; the inner one has a timer at its border."""
    inner = sub_process(
        "inner", start("s2"), user("deep"), user("deeper"), end("e2"), chain("s2", "deep", "deeper", "e2")
    )
    return diagram(
        start(),
        user("first"),
        sub_process(
            "outer",
            start("s1"),
            inner,
            boundary("late", "inner", timer("Duration", "P1D")),
            end("e1"),
            end("e3"),
            chain("s1", "inner", "e1"),
            flow("late", "e3"),
        ),
        end(),
        chain("start", "first", "outer", "end"),
    )


def local(case: Case, element_id: str) -> dict[str, Any]:
    """Return the variables of the one live visit of an element."""
    (key,) = case.live(element_id)
    with case.player.sessions() as session:
        rows = session.execute(select(Variable.name, Variable.value).where(Variable.scope_key == key))
        return {row.name: row.value for row in rows}


# --- activate


def test_an_activated_element_is_entered_as_by_its_flow(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("a"),
            user("b", mapping({"copy": "name"})),
            boundary("late", "b", timer("Duration", "PT1H")),
            end(),
            end("end2"),
            chain("start", "a", "b", "end"),
            flow("late", "end2"),
        )
    )
    case = play.start("p", {"name": "王"})
    case.execute(activate("b"))
    assert case.todo == ["a", "b"]
    assert local(case, "b") == {"copy": "王"}
    assert case.timers() == {"late": play.now + timedelta(hours=1)}


def test_missing_scopes_are_made_with_their_events_but_without_their_start_events(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.execute(activate("deeper"))
    assert case.todo == ["deeper", "first"]
    assert len(case.live("outer")) == len(case.live("inner")) == 1
    assert list(case.timers()) == ["late"]
    assert "s1" not in case.trail()

    case.complete("deeper")
    assert case.visits("outer") == 1
    case.complete("first")
    assert case.todo == ["deep"]


def test_an_element_is_activated_in_the_live_instance_of_its_scope(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.complete("first")
    case.execute(activate("deeper"))
    assert case.todo == ["deep", "deeper"]
    assert len(case.live("inner")) == 1


def test_of_several_instances_of_the_scope_one_has_to_be_named(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.execute(ModifyInstance(activate=[ActivateInstruction("outer"), ActivateInstruction("outer")]))
    first, second = case.live("inner")
    with pytest.raises(InvalidElements, match="2 live instances"):
        case.execute(activate("deeper"))
    case.execute(activate("deeper", ancestor_element_instance_key=second))
    assert case.todo == ["deep", "deep", "deeper", "first"]
    case.complete("deeper")
    assert case.live("inner") == [first, second]


def test_the_ancestor_must_be_live_and_around_the_element(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.complete("first")
    (deep,) = case.live("deep")
    with pytest.raises(InvalidElements, match="not inside of"):
        case.execute(activate("deeper", ancestor_element_instance_key=deep))
    with pytest.raises(NotActive):
        case.execute(activate("deeper", ancestor_element_instance_key=12345))


@pytest.mark.parametrize("element_id", ["start", "late", "reply", "start-first", "p", "nowhere", "", "each#inner"])
def test_what_cannot_be_activated_is_refused(play: Player, element_id: str) -> None:
    play.deploy(
        diagram(
            start(),
            user("first"),
            boundary("late", "first", timer("Duration", "P1D")),
            gateway("eventBased", "choice"),
            node("intermediateCatchEvent", "reply", catches("message", "m")),
            node("intermediateCatchEvent", "silence", timer("Duration", "P1D")),
            user("each", inside=loop("[1]")),
            end(),
            chain("start", "first", "choice", "reply", "each", "end"),
            chain("choice", "silence", "each"),
            flow("late", "each"),
            extra=message("m", '="x"'),
        )
    )
    case = play.start("p")
    with pytest.raises(InvalidElements):
        case.execute(activate(element_id))
    assert case.todo == ["first"]


def test_an_activated_join_goes_on_at_once(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            gateway("parallel", "fork"),
            user("a"),
            user("b"),
            gateway("parallel", "join"),
            user("after"),
            end(),
            flow("start", "fork"),
            flow("fork", "a"),
            flow("fork", "b"),
            flow("a", "join"),
            flow("b", "join"),
            chain("join", "after", "end"),
        )
    )
    case = play.start("p")
    case.execute(activate("join"))
    assert case.todo == ["a", "after", "b"]


def test_an_event_sub_process_is_activated_without_interrupting(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("work"),
            end(),
            chain("start", "work", "end"),
            sub_process(
                "stop",
                start("called_off", catches("message", "m")),
                user("tidy"),
                end("tidied"),
                chain("called_off", "tidy", "tidied"),
                event=True,
            ),
            extra=message("m", '="x"'),
        )
    )
    case = play.start("p")
    case.execute(activate("stop"))
    assert case.todo == ["tidy", "work"]
    case.execute(ModifyInstance(terminate=case.live("work")))
    case.complete("tidy")
    assert case.state == "COMPLETED"


def test_variables_are_set_before_the_element_is_entered_each_in_its_scope(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p", {"b": "old"})
    case.execute(
        activate(
            "deeper",
            variables=[
                VariableInstruction({"a": 1, "b": "new"}),
                VariableInstruction({"c": 3}, "outer"),
                VariableInstruction({"d": 4}, "deeper"),
            ],
        )
    )
    assert case.variables == {"a": 1, "b": "new"}
    assert local(case, "outer") == {"c": 3}
    assert local(case, "inner") == {}
    assert local(case, "deeper") == {"d": 4}


def test_variables_of_a_scope_elsewhere_and_variables_that_are_none_are_refused(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    with pytest.raises(InvalidElements, match="no scope of"):
        case.execute(activate("deeper", variables=[VariableInstruction({"a": 1}, "first")]))
    wrong: Any = ["a"]
    with pytest.raises(InvalidVariables):
        case.execute(activate("deeper", variables=[VariableInstruction(wrong)]))
    assert case.variables == {}


def test_a_scope_whose_events_cannot_be_opened_refuses_the_whole_command(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("first"),
            sub_process("sub", start("s"), user("inside"), end("e"), chain("s", "inside", "e")),
            boundary("told", "sub", catches("message", "m")),
            end(),
            end("end2"),
            chain("start", "first", "sub", "end"),
            flow("told", "end2"),
            extra=message("m", "=order"),
        )
    )
    case = play.start("p")
    with pytest.raises(InvalidElements, match="correlation key"):
        case.execute(ModifyInstance(activate=[ActivateInstruction("first"), ActivateInstruction("inside")]))
    assert case.todo == ["first"]
    case.execute(activate("inside", variables=[VariableInstruction({"order": "7"})]))
    assert case.todo == ["first", "inside"]


# --- terminate


def test_a_scope_left_empty_is_terminated_and_at_last_the_instance(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.complete("first")
    case.execute(ModifyInstance(terminate=case.live("deep"), reason="nobody needs it"))
    assert case.visits("inner", ElementState.TERMINATED) == case.visits("outer", ElementState.TERMINATED) == 1
    assert case.state == "TERMINATED"
    assert case.timers() == {}


def test_a_scope_is_terminated_with_all_that_is_in_it(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.execute(activate("deep"))
    (outer,), (deep,) = case.live("outer"), case.live("deep")
    case.execute(ModifyInstance(terminate=[outer, deep]))
    assert case.todo == ["first"]
    assert case.live("inner") == case.live("deep") == []


def test_moving_by_hand_keeps_the_scope_alive(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.complete("first")
    before = case.live("inner")
    case.execute(ModifyInstance(activate=[ActivateInstruction("deeper")], terminate=case.live("deep")))
    assert case.todo == ["deeper"]
    assert case.live("inner") == before


def test_when_one_instruction_is_refused_nothing_happens(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    first = case.live("first")
    for wrong in (12345, case.key + 1):
        with pytest.raises(NotActive):
            case.execute(ModifyInstance(activate=[ActivateInstruction("deep")], terminate=[*first, wrong]))
    with pytest.raises(InvalidElements):
        case.execute(ModifyInstance(activate=[ActivateInstruction("nowhere")], terminate=first))
    assert case.todo == ["first"]
    assert case.visits("first", ElementState.TERMINATED) == 0


def test_the_last_token_of_a_called_instance_cannot_be_terminated_but_its_call_can(play: Player) -> None:
    call = node("callActivity", "call", extensions='<zeebe:calledElement processId="inner"/>')
    play.deploy(
        diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="inner"),
        diagram(start(), call, user("after"), end(), chain("start", "call", "after", "end")),
    )
    case = play.start("p")
    child = case.child("inner")
    with pytest.raises(CalledByAnother):
        child.execute(ModifyInstance(terminate=child.live("inside")))
    assert child.todo == ["inside"]

    case.execute(ModifyInstance(activate=[ActivateInstruction("after")], terminate=case.live("call")))
    assert (child.state, case.todo) == ("TERMINATED", ["after"])


def test_the_process_instance_itself_is_terminated_by_its_own_key(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.execute(ModifyInstance(terminate=[case.key]))
    assert case.state == "TERMINATED"


def test_an_element_with_an_incident_is_terminated_with_it(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("each", inside=loop("missing")),
            user("after"),
            end(),
            chain("start", "each", "after", "end"),
            process_id="q",
        )
    )
    case = play.start("q")
    assert [incident.type for incident in case.incidents] == ["EXTRACT_VALUE_ERROR"]
    case.execute(ModifyInstance(move=[MoveInstruction("each", "after")]))
    assert (case.incidents, case.todo) == ([], ["after"])


def test_a_task_whose_assignment_listeners_look_at_is_cancelled_too(play: Player) -> None:
    listener = '<zeebe:taskListeners><zeebe:taskListener eventType="assigning" type="look"/></zeebe:taskListeners>'
    play.deploy(diagram(start(), user("work", listener), user("after"), end(), chain("start", "work", "after", "end")))
    case = play.start("p")
    task = case.task("work")
    case.execute(AssignUserTask(task.key, "li.na"))
    assert [job.type for job in case.jobs()] == ["look"]
    case.execute(ModifyInstance(move=[MoveInstruction("work", "after")]))
    with play.sessions() as session:
        stored = session.get(UserTask, task.key)
    assert stored is not None
    assert (stored.state, case.jobs(), case.todo) == ("CANCELED", [], ["after"])


# --- multi-instance


def each() -> Resource:
    """Return a process with a parallel sub-process per item."""
    return diagram(
        start(),
        sub_process(
            "each",
            start("s"),
            user("look"),
            user("mend"),
            end("e"),
            chain("s", "look", "mend", "e"),
            inside=loop("items", inputElement="item", outputCollection="done", outputElement="=item"),
        ),
        user("after"),
        end(),
        chain("start", "each", "after", "end"),
    )


def test_inside_a_multi_instance_the_live_instance_has_to_be_named(play: Player) -> None:
    play.deploy(each())
    case = play.start("p", {"items": ["x"]})
    body, turn = case.live("each")
    with pytest.raises(InvalidElements, match="repeated activity"):
        case.execute(activate("mend"))
    with pytest.raises(InvalidElements, match="repeated activity"):
        case.execute(activate("mend", ancestor_element_instance_key=body))
    case.execute(activate("mend", ancestor_element_instance_key=turn))
    assert case.todo == ["look", "mend"]


def test_every_turn_of_a_multi_instance_is_moved_inside_of_itself(play: Player) -> None:
    play.deploy(each())
    case = play.start("p", {"items": ["x", "y"]})
    case.execute(ModifyInstance(move=[MoveInstruction("look", "mend")]))
    assert case.todo == ["mend", "mend"]
    for task in case.open_tasks():
        case.execute(CompleteUserTask(task.key))
    assert case.todo == ["after"]
    assert case.variables["done"] == ["x", "y"]


def test_a_multi_instance_is_done_when_the_turns_that_were_not_terminated_are(play: Player) -> None:
    play.deploy(each())
    case = play.start("p", {"items": ["x", "y"]})
    first, _ = case.live("look")
    case.execute(ModifyInstance(terminate=[first]))
    case.complete("look")
    case.complete("mend")
    assert case.todo == ["after"]
    assert case.variables["done"] == [None, "y"]


def test_a_whole_multi_instance_is_moved_away_and_begun_anew(play: Player) -> None:
    play.deploy(each())
    case = play.start("p", {"items": ["x", "y"]})
    case.execute(ModifyInstance(move=[MoveInstruction("each", "after")]))
    assert case.todo == ["after"]
    case.execute(ModifyInstance(move=[MoveInstruction("after", "each")]))
    assert case.todo == ["look", "look"]


def test_a_move_without_a_live_source_is_refused(play: Player) -> None:
    play.deploy(each())
    case = play.start("p", {"items": ["x"]})
    with pytest.raises(InvalidElements, match="no live instance"):
        case.execute(ModifyInstance(move=[MoveInstruction("after", "look")]))
    with pytest.raises(InvalidElements, match="no live instance"):
        case.execute(ModifyInstance(move=[MoveInstruction("p", "after")]))


def test_a_suspended_instance_is_not_modified(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    case.execute(SuspendInstance())
    with pytest.raises(Suspended):
        case.execute(activate("deep"))


def test_the_modification_is_audited_with_who_what_and_why(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    (first,) = case.live("first")
    case.execute(
        ModifyInstance(activate=[ActivateInstruction("deep")], terminate=[first], reason="wrong branch"), by="boss"
    )
    with play.sessions() as session:
        row = session.scalars(select(Audit).where(Audit.action == "modify process instance")).one()
    assert row.actor == "boss"
    assert row.details["reason"] == "wrong branch"
    assert row.details["terminate"] == [{"key": first, "element": "first"}]
    assert row.details["activate"][0]["element_id"] == "deep"


def test_activities_of_an_ad_hoc_sub_process_are_activated_with_it(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("first"),
            node("adHocSubProcess", "free", user("x") + user("y")),
            end(),
            chain("start", "first", "free", "end"),
        )
    )
    case = play.start("p")
    case.execute(ModifyInstance(activate=[ActivateInstruction("x")], terminate=case.live("first")))
    case.execute(activate("y"))
    assert len(case.live("free")) == 1
    case.complete("x")
    case.complete("y")
    assert case.state == "COMPLETED"


def test_a_turn_of_a_sequence_that_is_terminated_ends_the_sequence(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("each", inside=loop("[1, 2]", sequential=True)),
            user("after"),
            end(),
            chain("start", "each", "after", "end"),
        )
    )
    case = play.start("p")
    body, turn = case.live("each")
    case.execute(ModifyInstance(activate=[ActivateInstruction("after")], terminate=[turn]))
    assert case.live("each") == []
    assert case.todo == ["after"]
    assert body < turn


def test_a_compensation_handler_that_is_terminated_counts_as_done(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("book"),
            boundary("undo", "book", "<bpmn:compensateEventDefinition/>"),
            user("unbook", isForCompensation="true"),
            '<bpmn:association id="as" sourceRef="undo" targetRef="unbook"/>',
            node("intermediateThrowEvent", "back", "<bpmn:compensateEventDefinition/>"),
            user("after"),
            end(),
            chain("start", "book", "back", "after", "end"),
        )
    )
    case = play.start("p")
    case.complete("book")
    case.execute(ModifyInstance(terminate=case.live("unbook")))
    assert case.todo == ["after"]


# --- incidents


def test_an_incident_is_repaired_by_changed_variables_in_one_command(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            gateway("exclusive", "choice"),
            user("yes"),
            end(),
            flow("start", "choice"),
            flow("choice", "yes", "sum > 1"),
            flow("yes", "end"),
        )
    )
    case = play.start("p", {"sum": "many"})
    (incident,) = case.incidents
    case.execute(RepairIncident(incident.key, {"sum": 5}), by="boss")
    assert (case.incidents, case.todo, case.variables) == ([], ["yes"], {"sum": 5})
    with play.sessions() as session:
        actions = session.scalars(select(Audit.action).where(Audit.actor == "boss").order_by(Audit.key)).all()
    assert actions == ["set variables", "resolve incident"]


def test_a_repair_that_does_not_help_leaves_a_new_incident(play: Player) -> None:
    play.deploy(diagram(start(), user("each", inside=loop("items")), end(), chain("start", "each", "end")))
    case = play.start("p", {"items": 1})
    (incident,) = case.incidents
    case.execute(RepairIncident(incident.key, {"items": 2}))
    (again,) = case.incidents
    assert again.key != incident.key
    with pytest.raises(NotActive):
        case.execute(RepairIncident(incident.key, {"items": []}))
    case.execute(RepairIncident(again.key, {"items": []}, scope_key=case.key))
    assert case.state == "COMPLETED"


def test_the_job_of_an_incident_gets_retries(play: Player) -> None:
    play.deploy(diagram(start(), service("work"), end(), chain("start", "work", "end")))
    case = play.start("p")
    (job,) = case.jobs()
    case.execute(FailJob(job.key, 0, "no connection"))
    (incident,) = case.incidents
    with pytest.raises(InvalidVariables):
        case.execute(RepairIncident(incident.key, retries=0))
    case.execute(RepairIncident(incident.key, {"host": "b"}, retries=4))
    assert [job.retries for job in case.jobs()] == [4]
    assert case.incidents == []


def test_retries_of_what_is_no_job_and_incidents_of_others_are_refused(play: Player) -> None:
    play.deploy(diagram(start(), user("each", inside=loop("items")), end(), chain("start", "each", "end")))
    case, other = play.start("p", {"items": 1}), play.start("p", {"items": 1})
    (incident,) = case.incidents
    with pytest.raises(NotActive):
        case.execute(RepairIncident(incident.key, retries=2))
    with pytest.raises(NotFound):
        other.execute(RepairIncident(incident.key))


# --- restart


def test_an_ended_instance_is_restarted_at_an_element_with_its_variables(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p", {"plate": "粤B12345", "sum": 1})
    case.execute(ModifyInstance(terminate=[case.key]))
    with play.sessions() as session, transaction(session):
        outcome = restart(session, case.key, ["deeper"], {"sum": 2}, actor="boss", reason="done too early")
    again = Case(play, outcome.instance_key)
    assert again.todo == ["deeper"]
    assert again.variables == {"plate": "粤B12345", "sum": 2}
    assert list(again.timers()) == ["late"]
    assert "first" not in again.trail()

    with play.sessions() as session:
        rows = session.execute(
            select(Audit.instance_key, Audit.subject_key, Audit.actor).where(Audit.action.like("restart%"))
        ).all()
    assert {tuple(row) for row in rows} == {(case.key, again.key, "boss"), (again.key, case.key, "boss")}
    again.complete("deeper")
    assert again.state == "COMPLETED"


def test_what_still_runs_or_does_not_exist_is_not_restarted(play: Player) -> None:
    play.deploy(nested())
    case = play.start("p")
    with play.sessions() as session, transaction(session):
        with pytest.raises(NotEnded):
            restart(session, case.key, ["deep"])
        with pytest.raises(NotFound):
            restart(session, 12345, ["deep"])
    case.execute(ModifyInstance(terminate=[case.key]))
    for wrong in ([], ["start"], ["nowhere"]):
        with play.sessions() as session, pytest.raises(InvalidElements), transaction(session):
            restart(session, case.key, wrong)
    assert len(play.instances("p")) == 1


def test_a_new_instance_starts_before_several_elements_with_the_events_of_the_process(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            user("a"),
            user("b"),
            end(),
            chain("start", "a", "b", "end"),
            sub_process(
                "remind",
                start("late", timer("Duration", "PT1H"), isInterrupting="false"),
                user("call"),
                end("called"),
                chain("late", "call", "called"),
                event=True,
            ),
        )
    )
    with play.sessions() as session, transaction(session):
        outcome = create_instance_at(session, definitions.latest(session, "p"), ["a", "b"], {"x": 1})
    case = Case(play, outcome.instance_key)
    assert case.todo == ["a", "b"]
    play.advance(timedelta(hours=2))
    assert case.todo == ["a", "b", "call"]
