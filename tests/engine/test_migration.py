"""Live instances are migrated to another version by a mapping plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from database import transaction
from engine import definitions
from engine.errors import MigrationRefused, NotActive, NotFound
from engine.incidents import ResolveIncident
from engine.instances import ActivateAdHoc
from engine.jobs import CompleteJob, FailJob
from engine.migration import MigrateInstance, MigrationPlan, Preview, migrate_all, running, suggest
from engine.models import (
    Audit,
    ElementInstance,
    MessageSubscription,
    ProcessInstance,
    Timer,
    UserTask,
)
from engine.signals import broadcast
from engine.suspension import ResumeInstance, SuspendInstance
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
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player


def deployed(play: Player, resource: Resource) -> int:
    """Deploy and return the key of the process definition."""
    return play.deploy(resource).processes[0].key


def migrate(case: Case, target: int, plan: dict[str, str] | None = None, **options: Any) -> None:
    """Migrate by a plan, or by one that maps the same ids to each other."""
    case.execute(MigrateInstance(MigrationPlan(target, plan if plan is not None else same(case, target)), **options))


def same(case: Case, target: int) -> dict[str, str]:
    """Return the suggested plan."""
    with case.player.sessions() as session:
        key = session.scalar(select(ProcessInstance.definition_key).where(ProcessInstance.key == case.key))
        assert key is not None
        return suggest(definitions.process(session, key), definitions.process(session, target))


def preview(case: Case, target: int, plan: dict[str, str]) -> Preview:
    """Return what a migration would do."""
    with case.player.sessions() as session:
        (found,) = MigrationPlan(target, plan).dry_run(session, [case.key])
        return found


def refusal(case: Case, target: int, plan: dict[str, str]) -> str:
    """Return why a migration is refused, and see that the dry run says the same."""
    with pytest.raises(MigrationRefused) as error:
        migrate(case, target, plan)
    assert preview(case, target, plan).problems == list(error.value.problems)
    return str(error.value)


def line(*ids: str, process_id: str = "p", extra: str = "") -> Resource:
    """Return a process with user tasks in a row."""
    tasks = [user(element_id, f'<zeebe:assignmentDefinition candidateGroups="{element_id}"/>') for element_id in ids]
    return diagram(start(), *tasks, end(), chain("start", *ids, "end"), process_id=process_id, extra=extra)


# --- what goes well


def test_what_follows_the_active_task_is_that_of_the_new_version(play: Player) -> None:
    deployed(play, line("a"))
    case = play.start("p")
    case.execute(AssignUserTask(case.task("a").key, "wang.fang"))
    before = case.task("a")
    target = deployed(play, line("a", "b"))
    migrate(case, target, {"a": "a"})

    after = case.task("a")
    assert (after.key, after.assignee, after.candidate_groups) == (before.key, "wang.fang", ["a"])
    assert after.definition_key == target
    case.complete("a")
    assert case.todo == ["b"]
    case.complete("b")
    assert case.state == "COMPLETED"


def test_everything_that_is_alive_gets_the_new_definition_and_history_keeps_the_old(play: Player) -> None:
    source = deployed(play, line("a"))
    case = play.start("p")
    target = deployed(play, line("z", process_id="q"))
    migrate(case, target, {"a": "z"})
    with play.sessions() as session:
        instance = session.get(ProcessInstance, case.key)
        rows = session.execute(select(ElementInstance.element_id, ElementInstance.definition_key)).all()
        task = session.scalars(select(UserTask)).one()
    assert instance is not None
    assert (instance.definition_key, instance.process_id, instance.version) == (target, "q", 1)
    assert {tuple(row) for row in rows} == {("start", source), ("z", target)}
    assert (task.element_id, task.name, task.process_id, task.candidate_groups) == ("z", "z", "q", ["a"])
    case.complete("z")
    assert case.state == "COMPLETED"


def with_timer(timer_id: str, period: str) -> Resource:
    """Return a task with a deadline."""
    return diagram(
        start(),
        user("a"),
        boundary(timer_id, "a", timer("Duration", period)),
        user("chase"),
        end(),
        end("end2"),
        chain("start", "a", "end"),
        chain(timer_id, "chase", "end2"),
    )


def test_a_mapped_timer_keeps_its_due_date_and_fires_in_the_new_version(play: Player) -> None:
    deployed(play, with_timer("late", "P7D"))
    case = play.start("p")
    due = case.timers()["late"]
    target = deployed(play, with_timer("later", "P14D"))
    play.advance(timedelta(days=5))
    migrate(case, target, {"a": "a", "late": "later"})
    assert case.timers() == {"later": due}
    play.advance(timedelta(days=2))
    assert case.todo == ["chase"]


def test_an_unmapped_timer_ends_and_that_of_the_new_version_begins_anew(play: Player) -> None:
    deployed(play, with_timer("late", "P7D"))
    case = play.start("p")
    target = deployed(play, with_timer("late", "P14D"))
    play.advance(timedelta(days=5))
    migrate(case, target, {"a": "a"})
    assert case.timers() == {"late": play.now + timedelta(days=14)}


def test_events_are_added_and_taken_away(play: Player) -> None:
    plain = deployed(play, line("a"))
    case = play.start("p")
    target = deployed(play, with_timer("late", "P1D"))
    migrate(case, target, {"a": "a"})
    assert list(case.timers()) == ["late"]
    migrate(case, plain, {"a": "a"})
    assert case.timers() == {}
    case.complete("a")
    assert case.state == "COMPLETED"


def test_a_message_subscription_is_kept_and_a_buffered_message_reaches_a_new_one(play: Player) -> None:
    def waiting(name: str, key: str) -> Resource:
        return diagram(
            start(),
            node("receiveTask", "wait", messageRef=f"message-{name}"),
            end(),
            chain("start", "wait", "end"),
            sub_process(
                "stop",
                start("called", catches("message", "stop")),
                user("tidy"),
                end("e"),
                chain("called", "tidy", "e"),
                event=True,
            )
            if name == "later"
            else "",
            extra=message(name, key) + message("stop", "=order"),
        )

    deployed(play, waiting("sooner", "=order"))
    kept, stopped = play.start("p", {"order": "1"}), play.start("p", {"order": "2"})
    target = deployed(play, waiting("later", "=order"))
    play.publish("stop", "2", time_to_live=timedelta(hours=1))
    for case in (kept, stopped):
        migrate(case, target, {"wait": "wait"})
    assert stopped.todo == ["tidy"]
    assert play.publish("sooner", "1") == [kept.key]
    assert kept.state == "COMPLETED"


def test_conditions_and_signals_are_kept_opened_and_closed(play: Player) -> None:
    def version(condition: str, signal_event: bool) -> Resource:
        held = (
            f'<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression">={condition}'
            "</bpmn:condition></bpmn:conditionalEventDefinition>"
        )
        second = boundary("gong", "a", catches("signal", "gong")) if signal_event else ""
        return diagram(
            start(),
            user("a"),
            boundary("rich", "a", held),
            second,
            user("b"),
            end(),
            chain("start", "a", "end"),
            flow("rich", "b"),
            flow("gong", "end") if signal_event else "",
            extra=signal("gong"),
        )

    old = deployed(play, version("sum = 1", True))
    kept, replaced = play.start("p", {"sum": 3}), play.start("p", {"sum": 3})
    target = deployed(play, version("sum = 3", False))
    found = preview(kept, target, {"a": "a", "rich": "rich"}).report
    assert ([step.source_id for step in found.kept], found.closed, found.opened) == (["rich"], ["gong"], [])
    migrate(replaced, target, {"a": "a"})
    assert replaced.todo == ["b"]
    migrate(replaced, old, {"b": "b"})
    migrate(kept, target, {"a": "a", "rich": "rich"})
    # The condition is that of the new version; it was false and is true now.
    assert kept.todo == ["b"]


def test_an_event_sub_process_that_has_interrupted_is_migrated_and_opens_no_other(play: Player) -> None:
    def version(extra_task: bool) -> Resource:
        return diagram(
            start(),
            user("work"),
            end(),
            chain("start", "work", "end"),
            sub_process(
                "stop",
                start("called", catches("message", "stop")),
                user("tidy"),
                user("file") if extra_task else "",
                end("e"),
                chain("called", "tidy", "file", "e") if extra_task else chain("called", "tidy", "e"),
                event=True,
            ),
            sub_process(
                "remind",
                start("late", timer("Duration", "P1D"), isInterrupting="false"),
                end("e2"),
                flow("late", "e2"),
                event=True,
            ),
            extra=message("stop", "=order"),
        )

    deployed(play, version(False))
    case = play.start("p", {"order": "1"})
    play.publish("stop", "1")
    assert (case.todo, case.timers()) == (["tidy"], {})
    target = deployed(play, version(True))
    migrate(case, target)
    assert case.timers() == {}
    case.complete("tidy")
    case.complete("file")
    assert case.state == "COMPLETED"


def test_sub_processes_and_multi_instances_are_migrated_with_what_is_inside(play: Player) -> None:
    def version(*inside: str) -> Resource:
        return diagram(
            start(),
            sub_process(
                "each",
                start("s"),
                *(user(element_id) for element_id in inside),
                end("e"),
                chain("s", *inside, "e"),
                inside=loop("items", inputElement="item", outputCollection="done", outputElement="=item"),
            ),
            end(),
            chain("start", "each", "end"),
        )

    deployed(play, version("look"))
    case = play.start("p", {"items": ["x", "y"]})
    target = deployed(play, version("look", "mend"))
    assert refusal(case, target, {"look": "look"}) == "“each” is active and has no mapping."
    migrate(case, target, {"look": "look", "each": "each"})
    for element_id in ("look", "mend"):
        assert case.todo == [element_id, element_id]
        for task in case.open_tasks():
            case.execute(CompleteUserTask(task.key))
    assert case.variables["done"] == ["x", "y"]
    assert case.state == "COMPLETED"


def branches(*ids: str, suffix: str = "") -> Resource:
    """Return parallel branches that are joined; flows and join have the suffix."""
    return diagram(
        start(),
        gateway("parallel", "fork"),
        *(user(element_id) for element_id in ids),
        gateway("parallel", f"join{suffix}"),
        end(),
        flow("start", "fork"),
        *(flow("fork", element_id) + flow(element_id, f"join{suffix}") for element_id in ids),
        flow(f"join{suffix}", "end"),
    )


def test_a_waiting_join_needs_its_taken_flows_mapped(play: Player) -> None:
    deployed(play, branches("a", "b"))
    case = play.start("p")
    case.complete("a")
    target = deployed(play, branches("a", "b", "c", suffix="2"))
    assert "must be mapped" in refusal(case, target, {"b": "b", "join": "join2"})
    migrate(case, target, {"b": "b", "join": "join2", "a-join": "a-join2"})
    assert case.live("join2")
    case.complete("b")
    # The branch that the new version has added was never taken: the join waits for what cannot come, and says so.
    assert [incident.type for incident in case.incidents] == ["JOIN_DEADLOCK"]


def test_a_waiting_join_goes_on_in_the_new_version(play: Player) -> None:
    deployed(play, branches("a", "b"))
    case = play.start("p")
    case.complete("a")
    migrate(case, deployed(play, branches("a", "b", suffix="2")), {"b": "b", "join": "join2", "a-join": "a-join2"})
    case.complete("b")
    assert case.state == "COMPLETED"


def test_a_join_with_fewer_flows_is_refused(play: Player) -> None:
    deployed(play, branches("a", "b", "c"))
    case = play.start("p")
    case.complete("a")
    target = deployed(play, branches("a", "b"))
    assert "at least as many incoming flows" in refusal(case, target, {"b": "b", "c": "b", "join": "join"})


def test_a_call_activity_is_migrated_and_the_called_instance_stays(play: Player) -> None:
    def caller(*after: str) -> Resource:
        call = node("callActivity", "call", extensions='<zeebe:calledElement processId="inner"/>')
        tasks = [user(element_id) for element_id in after]
        return diagram(start(), call, *tasks, end(), chain("start", "call", *after, "end"))

    inner = deployed(play, line("inside", process_id="inner"))
    deployed(play, caller())
    case = play.start("p")
    child = case.child("inner")
    migrate(case, deployed(play, caller("after")), {"call": "call"})
    with play.sessions() as session:
        assert session.scalar(select(ProcessInstance.definition_key).where(ProcessInstance.key == child.key)) == inner
    migrate(child, deployed(play, line("inside", "more", process_id="inner")), {"inside": "inside"})
    child.complete("inside")
    child.complete("more")
    assert case.todo == ["after"]


def test_a_failed_element_is_migrated_and_tried_again_in_the_corrected_version(play: Player) -> None:
    def version(condition: str) -> Resource:
        return diagram(
            start(),
            gateway("exclusive", "choice"),
            user("yes"),
            end(),
            flow("start", "choice"),
            flow("choice", "yes", condition),
            flow("yes", "end"),
        )

    deployed(play, version("text"))
    case = play.start("p", {"text": "a", "flag": True})
    (incident,) = case.incidents
    migrate(case, deployed(play, version("flag")), {"choice": "choice"})
    assert [found.key for found in case.incidents] == [incident.key]
    case.execute(ResolveIncident(incident.key))
    assert case.todo == ["yes"]


def test_a_job_keeps_its_type_and_its_incident(play: Player) -> None:
    def version(job_type: str) -> Resource:
        return diagram(start(), service("work", job_type), end(), chain("start", "work", "end"))

    deployed(play, version("old"))
    case = play.start("p")
    case.execute(FailJob(case.jobs()[0].key, 0, "no"))
    target = deployed(play, version("new"))
    migrate(case, target, {"work": "work"})
    (job,), (incident,) = case.jobs(), case.incidents
    assert (job.type, job.definition_key, incident.definition_key) == ("old", target, target)


def test_what_can_be_compensated_still_can(play: Player) -> None:
    def version(handler: str) -> Resource:
        return diagram(
            start(),
            user("book"),
            boundary("undo", "book", "<bpmn:compensateEventDefinition/>"),
            user(handler, isForCompensation="true"),
            f'<bpmn:association id="as" sourceRef="undo" targetRef="{handler}"/>',
            user("think"),
            node("intermediateThrowEvent", "back", "<bpmn:compensateEventDefinition/>"),
            end(),
            chain("start", "book", "think", "back", "end"),
        )

    deployed(play, version("unbook"))
    case = play.start("p")
    case.complete("book")
    migrate(case, deployed(play, version("refund")), {"think": "think"})
    case.complete("think")
    assert case.todo == ["refund"]
    case.complete("refund")
    assert case.state == "COMPLETED"


def test_while_a_compensation_is_under_way_migration_is_refused(play: Player) -> None:
    resource = diagram(
        start(),
        user("book"),
        boundary("undo", "book", "<bpmn:compensateEventDefinition/>"),
        user("unbook", isForCompensation="true"),
        '<bpmn:association id="as" sourceRef="undo" targetRef="unbook"/>',
        node("intermediateThrowEvent", "back", "<bpmn:compensateEventDefinition/>"),
        end(),
        chain("start", "book", "back", "end"),
    )
    target = deployed(play, resource)
    case = play.start("p")
    case.complete("book")
    assert "compensation" in refusal(case, target, same(case, target))


def test_a_suspended_instance_is_migrated_and_stays_suspended(play: Player) -> None:
    deployed(play, line("a"))
    case = play.start("p")
    case.execute(SuspendInstance())
    migrate(case, deployed(play, line("a", "b")), {"a": "a"})
    case.execute(ResumeInstance())
    case.complete("a")
    assert case.todo == ["b"]


def test_the_lock_of_a_correlation_key_goes_with_the_instance(play: Player) -> None:
    def version(process_id: str) -> Resource:
        return diagram(
            node("startEvent", "begin", catches("message", process_id)),
            user("a"),
            end(),
            chain("begin", "a", "end"),
            process_id=process_id,
            extra=message(process_id),
        )

    deployed(play, version("p"))
    target = deployed(play, version("q"))
    play.publish("p", "7")
    migrate(play.only("p"), target, {"a": "a"})
    assert play.publish("q", "7") == []
    assert len(play.publish("p", "7")) == 1


def test_events_after_a_gateway_are_kept_replaced_and_added(play: Player) -> None:
    def version(wait: str, third: bool) -> Resource:
        return diagram(
            start(),
            gateway("eventBased", "choice"),
            node("intermediateCatchEvent", "reply", catches("message", "m")),
            node("intermediateCatchEvent", "silence", timer("Duration", wait)),
            node("intermediateCatchEvent", "gong", catches("signal", "g")) if third else "",
            user("answer"),
            user("chase"),
            end(),
            chain("start", "choice", "reply", "answer", "end"),
            chain("choice", "silence", "chase", "end"),
            chain("choice", "gong", "end") if third else "",
            extra=message("m", "=order") + signal("g"),
        )

    deployed(play, version("P2D", False))
    kept, replaced = play.start("p", {"order": "1"}), play.start("p", {"order": "2"})
    target = deployed(play, version("P9D", True))
    due = kept.timers()
    play.advance(timedelta(days=1))
    migrate(kept, target)
    migrate(replaced, target, {"choice": "choice", "reply": "reply"})
    assert kept.timers() == due
    assert replaced.timers() == {"silence": play.now + timedelta(days=9)}
    play.advance(timedelta(days=2))
    assert (kept.todo, replaced.todo) == (["chase"], [])
    play.publish("m", "2")
    assert replaced.todo == ["answer"]


def test_half_of_a_parallel_event_stays_arrived(play: Player) -> None:
    def version(event_id: str) -> Resource:
        both = catches("message", "m") + catches("signal", "g")
        return diagram(
            start(),
            node("intermediateCatchEvent", event_id, both, parallelMultiple="true"),
            end(),
            chain("start", event_id, "end"),
            extra=message("m", "=order") + signal("g"),
        )

    deployed(play, version("both"))
    case = play.start("p", {"order": "1"})
    play.publish("m", "1", {"paid": True})
    migrate(case, deployed(play, version("pair")), {"both": "pair"})
    with play.sessions() as session, transaction(session):
        broadcast(session, "g")
    assert (case.state, case.variables) == ("COMPLETED", {"order": "1", "paid": True})


def test_loops_and_ad_hoc_sub_processes_are_migrated_in_the_middle(play: Player) -> None:
    def version(*free: str) -> Resource:
        return diagram(
            start(),
            user("again", inside='<bpmn:standardLoopCharacteristics loopMaximum="2"/>'),
            node(
                "adHocSubProcess",
                "free",
                "".join(user(name) for name in free),
                '<zeebe:adHoc activeElementsCollection="=chosen"/>',
            ),
            end(),
            chain("start", "again", "free", "end"),
        )

    deployed(play, version("x"))
    case = play.start("p", {"chosen": ["x"]})
    case.complete("again")
    target = deployed(play, version("x", "y"))
    migrate(case, target)
    case.complete("again")
    assert case.todo == ["x"]
    source = deployed(play, version("x", "z"))
    migrate(case, source)
    (free,) = case.live("free")
    case.execute(ActivateAdHoc(free, ["z"]))
    case.complete("x")
    case.complete("z")
    assert case.state == "COMPLETED"


def test_while_a_listener_is_at_work_migration_is_refused(play: Player) -> None:
    held = '<zeebe:executionListener eventType="start" type="look"/>'
    listener = f"<zeebe:executionListeners>{held}</zeebe:executionListeners>"
    target = deployed(play, diagram(start(), user("a", listener), end(), chain("start", "a", "end")))
    case = play.start("p")
    assert refusal(case, target, {"a": "a"}) == "A listener of “a” is at work; migrate when it is done."
    case.execute(CompleteJob(case.jobs()[0].key))
    migrate(case, target, {"a": "a"})
    assert case.todo == ["a"]


# --- what is refused


def test_a_plan_that_names_what_is_not_there_is_refused_with_all_its_faults(play: Player) -> None:
    deployed(play, with_timer("late", "P1D"))
    case = play.start("p")
    target = deployed(play, with_timer("later", "P1D"))
    text = refusal(case, target, {"nowhere": "a", "a": "gone", "late": "chase", "start-a": "no-flow"})
    assert text == (
        "The source has no element “nowhere”. The target has no element “gone”. “late” is a boundaryEvent; it cannot "
        "become “chase”, a userTask. The target has no sequence flow “no-flow”."
    )


def test_types_scopes_and_the_kind_of_multi_instance_must_not_change(play: Player) -> None:
    def version(*elements: str) -> Resource:
        return diagram(start(), *elements, end(), chain("start", "a", "end"))

    deployed(play, version(user("a", inside=loop("[1]"))))
    case = play.start("p")
    other = deployed(play, version(service("a")))
    assert "cannot become" in refusal(case, other, {"a": "a"})
    plain = deployed(play, version(user("a")))
    assert "cannot become" in refusal(case, plain, {"a": "a"})
    sequential = deployed(play, version(user("a", inside=loop("[1]", sequential=True))))
    assert "both be parallel" in refusal(case, sequential, {"a": "a"})

    deployed(play, line("a"))
    nested = play.start("p")
    target = deployed(
        play,
        diagram(
            start(),
            sub_process("sub", start("s"), user("a"), end("e"), chain("s", "a", "e")),
            end(),
            chain("start", "sub", "end"),
        ),
    )
    assert "change its scope" in refusal(nested, target, {"a": "a"})


def test_an_event_stays_with_its_element_and_its_kind(play: Player) -> None:
    def version(second: str) -> Resource:
        return diagram(
            start(),
            user("a"),
            user("b"),
            boundary("late", "a", timer("Duration", "P1D")),
            boundary("other", second, timer("Duration", "P1D")),
            boundary("told", "a", catches("message", "m")),
            end(),
            chain("start", "a", "b", "end"),
            *(flow(event, "end") for event in ("late", "other", "told")),
            extra=message("m", '="x"'),
        )

    deployed(play, version("a"))
    case = play.start("p")
    target = deployed(play, version("b"))
    assert "elsewhere" in refusal(case, target, {"a": "a", "late": "other"})
    assert "same kind of event" in refusal(case, target, {"a": "a", "late": "told"})
    assert "Both “late” and “other”" in refusal(case, target, {"a": "a", "late": "late", "other": "late"})


def test_a_new_event_that_cannot_be_opened_refuses_the_migration(play: Player) -> None:
    deployed(play, line("a"))
    case = play.start("p")
    target = deployed(
        play,
        diagram(
            start(),
            user("a"),
            boundary("told", "a", catches("message", "m")),
            end(),
            end("end2"),
            chain("start", "a", "end"),
            flow("told", "end2"),
            extra=message("m", "=order"),
        ),
    )
    assert "correlation key" in refusal(case, target, {"a": "a"})
    with play.sessions() as session:
        assert session.scalars(select(MessageSubscription)).all() == []


def test_ended_instances_and_unknown_versions_are_refused(play: Player) -> None:
    target = deployed(play, line("a"))
    case = play.start("p")
    with pytest.raises(NotFound):
        migrate(case, 12345, {"a": "a"})
    case.complete("a")
    with pytest.raises(NotActive):
        migrate(case, target, {"a": "a"})


# --- many


def test_a_dry_run_tells_for_each_what_would_happen_and_changes_nothing(play: Player) -> None:
    deployed(play, with_timer("late", "P7D"))
    first, second, third = (play.start("p") for _ in range(3))
    second.complete("a")
    play.advance(timedelta(days=7))
    assert third.todo == ["chase"]
    target = deployed(play, with_timer("late", "P14D"))
    fourth = Case(play, 4711)
    fifth = play.start("p")
    with play.sessions() as session:
        plan = MigrationPlan(target, {"a": "a"})
        previews = plan.dry_run(session, [case.key for case in (first, second, third, fourth, fifth)])
    assert [found.instance_key for found in previews] == [case.key for case in (first, second, third, fourth, fifth)]
    assert [found.problems for found in previews[:4]] == [
        ["“chase” is active and has no mapping."],
        [f"The process instance {second.key} is completed, so this cannot be done any more."],
        ["“chase” is active and has no mapping."],
        ["There is no process instance 4711."],
    ]
    report = previews[4].report
    assert [(step.source_id, step.target_id) for step in report.elements] == [("a", "a")]
    assert (report.closed, report.opened) == (["late"], ["late"])
    with play.sessions() as session:
        assert session.scalars(select(Audit).where(Audit.action == "migrate process instance")).all() == []


def test_of_many_each_is_migrated_for_itself_and_a_failure_stops_no_other(play: Player) -> None:
    source = deployed(play, line("a", "b"))
    cases = [play.start("p") for _ in range(6)]
    cases[1].complete("a")
    target = deployed(play, line("a", "c"))
    with play.sessions() as session:
        keys = running(session, source)
    results = migrate_all(play.sessions, MigrationPlan(target, {"a": "a"}), keys, actor="boss", reason="new rules")
    assert [bool(result.problems) for result in results] == [False, True, False, False, False, False]
    assert results[1].problems == ("“b” is active and has no mapping.",)
    assert cases[1].todo == ["b"]
    with play.sessions() as session:
        assert running(session, source) == [cases[1].key]
        row = session.scalars(select(Audit).where(Audit.action == "migrate process instance").limit(1)).one()
        assert session.scalars(select(Timer)).all() == []
    assert (row.actor, row.details["reason"], row.details["from"], row.details["to"]) == (
        "boss",
        "new rules",
        source,
        target,
    )


def test_the_suggested_plan_leaves_out_what_does_not_fit(play: Player) -> None:
    source = deployed(play, with_timer("late", "P7D"))
    target = deployed(
        play,
        diagram(start(), service("a"), user("chase", mapping()), end(), chain("start", "a", "chase", "end")),
    )
    with play.sessions() as session:
        plan = suggest(definitions.process(session, source), definitions.process(session, target))
    assert plan == {"start": "start", "chase": "chase", "end": "end", "start-a": "start-a"}


def test_a_timer_that_has_fired_does_not_fire_again_after_a_migration(play: Player) -> None:
    def late(note: str) -> Resource:
        reminded = (
            boundary("late", "work", timer("Duration", "PT1H"), interrupting=False) + user("remind") + end("told")
        )
        body = start() + user("work") + end() + chain("start", "work", "end") + chain("late", "remind", "told")
        return diagram(body + reminded + note)

    deployed(play, late(""))
    case = play.start("p")
    play.advance(timedelta(hours=1))
    migrate(case, deployed(play, late("<!-- new -->")))
    assert case.timers() == {}
    play.advance(timedelta(days=1))
    assert case.todo == ["remind", "work"]
