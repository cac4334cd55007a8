"""The history is exported as XES and OCEL 2.0, and process-mining tools read it."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import etree

from database import transaction
from engine.execution import execute
from engine.export import history, write_ocel, write_xes
from engine.instances import CancelInstance
from engine.user_tasks import AssignUserTask, CompleteUserTask
from processes.service import Resource
from tests.diagrams import boundary, chain, diagram, end, flow, loop, node, start, sub_process, timer, user
from tests.play import Player
from web import cli, logs

XES = "{http://www.xes-standard.org/}"


def repair() -> list[Resource]:
    """Return a process that calls another one."""
    call = node("callActivity", "call", extensions='<zeebe:calledElement processId="inner"/>', name="Call the supplier")
    title = '<zeebe:properties><zeebe:property name="title" value="=plate"/></zeebe:properties>'
    return [
        diagram(start(), user("inside"), end(), chain("start", "inside", "end"), process_id="inner"),
        diagram(
            start(),
            user("look", name="检查"),
            boundary("late", "look", timer("Duration", "P1D")),
            user("each", inside=loop("[1, 2]"), name="Mend"),
            call,
            end(),
            end("end2"),
            chain("start", "look", "each", "call", "end"),
            flow("late", "end2"),
            extensions=title,
        ),
    ]


@pytest.fixture
def played(play: Player) -> Player:
    """One case that is done, with its child; one that a deadline ended; one cancelled; one under way."""
    play.deploy(*repair())
    done = play.start("p", {"plate": "粤B\x0112345"}, by="wang.fang")
    done.execute(AssignUserTask(done.task("look").key, "li.na"), by="boss")
    play.set_clock(play.now + timedelta(minutes=5))
    done.complete("look", by="li.na")
    for task in done.open_tasks():
        play.set_clock(play.now + timedelta(minutes=1))
        with play.sessions() as session, transaction(session):
            execute(session, done.key, CompleteUserTask(task.key), actor="zhao")
    done.child("inner").complete("inside", by="supplier")
    play.start("p", {"plate": "late"})
    play.advance(timedelta(days=2))
    play.start("p", {"plate": "cancelled"}).execute(CancelInstance("no time"), by="boss")
    play.start("p", {"plate": "open"})
    return play


def xes(play: Player, process_id: str | None = None, *, commands: bool = False) -> bytes:
    """Return the XES file."""
    file = io.BytesIO()
    with play.sessions() as session:
        write_xes(session, file, process_id, commands=commands)
    return file.getvalue()


def ocel(play: Player, process_id: str | None = None) -> dict[str, Any]:
    """Return the OCEL file, read."""
    file = io.StringIO()
    with play.sessions() as session:
        write_ocel(session, file, process_id)
    read: dict[str, Any] = json.loads(file.getvalue())
    return read


def values(node: etree._Element) -> dict[str, str]:
    """Return the attributes of a trace or event."""
    return {child.get("key") or "": child.get("value") or "" for child in node if child.tag != f"{XES}event"}


# --- XES


def test_each_case_is_a_trace_that_tells_what_was_done_by_whom(played: Player) -> None:
    log = etree.fromstring(xes(played, "p"))
    done, late, cancelled, under_way = log.findall(f"{XES}trace")
    told = [values(event) for event in done.findall(f"{XES}event")]

    assert values(done)["title"] == "粤B\ufffd12345"
    assert values(done)["concept:name"] == str(played.instances("p")[0].key)
    assert [(event["concept:name"], event["lifecycle:transition"]) for event in told] == [
        ("start", "complete"),
        ("检查", "start"),
        ("检查", "complete"),
        ("Mend", "start"),
        ("Mend", "start"),
        ("Mend", "complete"),
        ("Mend", "complete"),
        ("Call the supplier", "start"),
        ("Call the supplier", "complete"),
        ("end", "complete"),
    ]
    assert [event.get("org:resource") for event in told if event["lifecycle:transition"] == "complete"][:2] == [
        None,
        "li.na",
    ]
    look = [event for event in told if event["concept:name"] == "检查"]
    assert [event["time:timestamp"] for event in look] == [
        "2025-03-03T01:00:00.000+00:00",
        "2025-03-03T01:05:00.000+00:00",
    ]
    assert [values(event)["lifecycle:transition"] for event in late.findall(f"{XES}event")][-3:] == [
        "ate_abort",
        "complete",
        "complete",
    ]
    assert values(cancelled)["state"] == "TERMINATED"
    assert [values(event)["lifecycle:transition"] for event in under_way.findall(f"{XES}event")] == [
        "complete",
        "start",
    ]


def test_the_log_is_built_as_the_standard_says(played: Player) -> None:
    log = etree.fromstring(xes(played, commands=True))
    order = [etree.QName(child).localname for child in log]

    ranks = {"extension": 0, "global": 1, "classifier": 2, "string": 3, "trace": 4}
    assert [ranks[name] for name in order] == sorted(ranks[name] for name in order)
    assert log.get("xes.version") == "1849.2016"
    prefixes = {node.get("prefix") for node in log.findall(f"{XES}extension")}
    assert prefixes == {"concept", "lifecycle", "time", "org", "identity"}
    promised = {scope.get("scope"): {child.get("key") for child in scope} for scope in log.findall(f"{XES}global")}
    for trace in log.findall(f"{XES}trace"):
        assert promised["trace"] <= set(values(trace))
        for event in trace.findall(f"{XES}event"):
            assert promised["event"] <= set(values(event))
            names = [child.get("key") for child in event]
            assert len(names) == len(set(names))
    times = [
        [values(event)["time:timestamp"] for event in trace.findall(f"{XES}event")]
        for trace in log.findall(f"{XES}trace")
    ]
    assert all(each == sorted(each) for each in times)


def test_commands_are_told_on_request_with_what_was_given(played: Player) -> None:
    def events(commands: bool) -> list[dict[str, str]]:
        log = etree.fromstring(xes(played, "p", commands=commands))
        return [values(event) for event in log.iter(f"{XES}event")]

    added = events(True)
    plain = {event["identity:id"] for event in events(False)}
    cancelled = next(event for event in added if event["concept:name"] == "cancel process instance")
    assert cancelled["identity:id"] not in plain
    assert cancelled["org:resource"] == "boss"
    assert json.loads(cancelled["details"]) == {"reason": "no time"}


def test_ids_are_unique_and_the_same_in_every_export(played: Player) -> None:
    def ids() -> list[str]:
        log = etree.fromstring(xes(played, commands=True))
        return [node.get("value") or "" for node in log.iter(f"{XES}id")]

    before = ids()
    assert len(before) == len(set(before)) > 20
    played.instances("p")[3].complete("look")
    assert set(before) < set(ids())


def test_at_one_instant_a_scope_ends_after_what_is_inside(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            sub_process("outer", start("s"), node("task", "a"), node("task", "b"), end("e"), chain("s", "a", "b", "e")),
            node("task", "after"),
            end(),
            chain("start", "outer", "after", "end"),
        )
    )
    case = play.start("p")
    log = etree.fromstring(xes(play))
    told = [(values(event)["concept:name"], values(event)["lifecycle:transition"]) for event in log.iter(f"{XES}event")]
    assert told == [
        ("start", "complete"),
        ("outer", "start"),
        ("s", "complete"),
        ("a", "start"),
        ("a", "complete"),
        ("b", "start"),
        ("b", "complete"),
        ("e", "complete"),
        ("outer", "complete"),
        ("after", "start"),
        ("after", "complete"),
        ("end", "complete"),
    ]
    types = [event["type"] for event in ocel(play)["events"]]
    assert types == ["create process instance", "start", "s", "a", "b", "e", "outer", "after", "end"]
    assert case.state == "COMPLETED"


# --- OCEL


def test_objects_and_events_refer_to_what_is_there_by_declared_types(played: Player) -> None:
    for log in (ocel(played), ocel(played, "p")):
        assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
        for members, types in (("objects", "objectTypes"), ("events", "eventTypes")):
            ids = [entity["id"] for entity in log[members]]
            assert len(ids) == len(set(ids))
            declared = {kind["name"]: {a["name"]: a["type"] for a in kind["attributes"]} for kind in log[types]}
            for entity in log[members]:
                for attribute in entity["attributes"]:
                    assert attribute["name"] in declared[entity["type"]]
        objects = {entity["id"] for entity in log["objects"]}
        related = {link["objectId"] for kind in ("objects", "events") for e in log[kind] for link in e["relationships"]}
        assert related <= objects


def test_events_belong_to_cases_tasks_and_people(played: Player) -> None:
    log = ocel(played)
    key = played.instances("p")[0].key
    (look,) = [
        event
        for event in log["events"]
        if event["type"] == "检查"
        and f"process-instance-{key}" in [link["objectId"] for link in event["relationships"]]
    ]
    assert look["time"] == "2025-03-03T01:05:00.000000Z"
    kinds = {entity["id"]: entity["type"] for entity in log["objects"]}
    assert [(kinds[link["objectId"]], link["qualifier"]) for link in look["relationships"]] == [
        ("p", "case"),
        ("user task", "task"),
        ("user", "done by"),
    ]
    assigned = next(event for event in log["events"] if event["type"] == "assign user task")
    assert "user-boss" in [link["objectId"] for link in assigned["relationships"]]
    child = next(entity for entity in log["objects"] if entity["type"] == "inner")
    assert child["relationships"] == [{"objectId": f"process-instance-{key}", "qualifier": "called by"}]


def test_an_empty_history_is_a_valid_log(play: Player) -> None:
    assert ocel(play) == {"objectTypes": [], "eventTypes": [], "objects": [], "events": []}
    assert etree.fromstring(xes(play)).findall(f"{XES}trace") == []


def test_many_cases_are_read_in_batches(played: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = xes(played)
    objects = ocel(played)
    monkeypatch.setattr(history, "BATCH", 2)
    assert (xes(played), ocel(played)) == (whole, objects)


# --- the tool that reads them


def test_pm4py_reads_both(played: Player, tmp_path: Path) -> None:
    import pm4py  # heavy, and for this test only

    (tmp_path / "log.xes").write_bytes(xes(played))
    frame = pm4py.read_xes(str(tmp_path / "log.xes"))
    assert set(frame["case:concept:name"]) == {
        str(case.key) for process_id in ("p", "inner") for case in played.instances(process_id)
    }
    starts = pm4py.get_start_activities(frame)
    assert starts == {"start": 5}
    net, *_ = pm4py.discover_petri_net_inductive(frame)
    assert {transition.label for transition in net.transitions} >= {"检查", "Mend", "Call the supplier", "inside"}

    (tmp_path / "log.json").write_text(json.dumps(ocel(played)), encoding="utf-8")
    log = pm4py.read_ocel2_json(str(tmp_path / "log.json"))
    assert set(pm4py.ocel_get_object_types(log)) == {"p", "inner", "user task", "user"}
    graph = pm4py.discover_ocdfg(log)
    assert "检查" in graph["activities"]


# --- the command


def test_the_command_writes_a_file(
    played: Player, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "configure", lambda log_format, level: None)
    environment = {"BATON_DATA": str(tmp_path), "BATON_DATABASE_URL": database_url}

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.baton, ["export", *arguments], env=environment)
        return result.exit_code, result.output

    path = tmp_path / "log.xes"
    assert run("xes", str(path), "--process", "p") == (0, f"{path}: 4 cases.\n")
    assert path.read_bytes() == xes(played, "p")
    path = tmp_path / "log.json"
    assert run("ocel", str(path)) == (0, f"{path}: 5 cases.\n")
    assert json.loads(path.read_text(encoding="utf-8")) == ocel(played)
    code, output = run("xes", str(tmp_path / "none.xes"), "--process", "nowhere")
    assert (code, output) == (1, "Error: There is no process nowhere.\n")
    assert not (tmp_path / "none.xes").exists()
    assert run("csv", str(path))[0] == 2
