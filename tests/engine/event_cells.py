"""One small process per event definition and position, and what makes the event happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from database import transaction
from engine import signals, starts
from engine.instances import SetVariables
from processes.service import Resource
from tests.diagrams import (
    boundary,
    catches,
    chain,
    diagram,
    end,
    error,
    escalation,
    flow,
    gateway,
    message,
    node,
    signal,
    start,
    sub_process,
    timer,
    user,
)
from tests.play import Case, Player

DEFINITIONS: dict[str, str] = {
    "none": "",
    "message": catches("message", "m"),
    "timer": timer("Duration", "PT1H"),
    "signal": catches("signal", "s"),
    "error": catches("error", "e"),
    "escalation": catches("escalation", "c"),
    "compensation": "<bpmn:compensateEventDefinition/>",
    "conditional": "<bpmn:conditionalEventDefinition><bpmn:condition>=go = true</bpmn:condition>"
    "</bpmn:conditionalEventDefinition>",
    "link": '<bpmn:linkEventDefinition name="L"/>',
    "terminate": "<bpmn:terminateEventDefinition/>",
    "cancel": "<bpmn:cancelEventDefinition/>",
    "multiple": catches("message", "m") + catches("signal", "s"),
    "parallel multiple": catches("message", "m") + catches("signal", "s"),
}

POSITIONS = (
    "start",
    "event sub-process, interrupting",
    "event sub-process, non-interrupting",
    "catch",
    "boundary, interrupting",
    "boundary, non-interrupting",
    "throw",
    "end",
)

#: What is not executed: the gate refuses it.
REFUSED: dict[str, tuple[str, ...]] = {
    "none": POSITIONS[1:6],
    "timer": ("throw", "end"),
    "error": ("start", "event sub-process, non-interrupting", "catch", "boundary, non-interrupting", "throw"),
    "escalation": ("start", "catch"),
    "compensation": ("start", "event sub-process, interrupting", "event sub-process, non-interrupting", "catch"),
    "conditional": ("throw", "end"),
    "link": tuple(position for position in POSITIONS if position not in ("catch", "throw")),
    "terminate": POSITIONS[:-1],
    "cancel": tuple(position for position in POSITIONS if position not in ("boundary, interrupting", "end")),
}

#: An event that throws needs nothing more for several definitions than “multiple”: it throws all of them.
SAME = {("parallel multiple", "throw"), ("parallel multiple", "end")}

CELLS = [(kind, position) for kind in DEFINITIONS for position in POSITIONS if (kind, position) not in SAME]
EXECUTED = [(kind, position) for kind, position in CELLS if position not in REFUSED.get(kind, ())]
NOT_EXECUTED = [cell for cell in CELLS if cell not in EXECUTED]

_EXTRA = message("m", "=1") + signal("s") + error("e") + escalation("c")
#: What throws inside of an activity that an event at its border or around it catches.
_THROWN_INSIDE = ("error", "escalation", "cancel")


def process(kind: str, position: str) -> Resource:
    """Return the process of a cell: it comes to the user task `after` when the event has happened."""
    held = DEFINITIONS[kind]
    given = {"parallelMultiple": "true"} if kind == "parallel multiple" else {}
    if position == "start":
        body = start("event", held, **given) + user("after") + end() + chain("event", "after", "end")
    elif position.startswith("event sub-process"):
        given["isInterrupting"] = "false" if "non-" in position else "true"
        inside = start("event", held, **given) + user("after") + end("done") + chain("event", "after", "done")
        body = start() + _work("", kind) + sub_process("events", inside, event=True) + flow("start", "work")
    elif position == "catch" and kind == "link":
        body = start() + node("intermediateThrowEvent", "jump", held) + node("intermediateCatchEvent", "event", held)
        body += user("after") + end() + flow("start", "jump") + chain("event", "after", "end")
    elif position == "catch":
        body = start() + node("intermediateCatchEvent", "event", held, **given) + user("after") + end()
        body += chain("start", "event", "after", "end")
    elif position.startswith("boundary"):
        body = _border(kind, held, given, interrupting="non-" not in position)
    else:
        body = _thrown(kind, held, at_end=position == "end")
    return diagram(body, extra=_EXTRA)


def _work(suffix: str, kind: str) -> str:
    """The user task `work`, followed by what throws inside."""
    inside = DEFINITIONS[kind] if kind in _THROWN_INSIDE else ""
    return user("work") + end(f"worked{suffix}", inside) + flow("work", f"worked{suffix}")


def _border(kind: str, held: str, given: dict[str, str], *, interrupting: bool) -> str:
    if kind == "compensation":
        body = start() + user("work") + boundary("event", "work", held, interrupting=interrupting)
        body += user("after", isForCompensation="true") + node("endEvent", "end", held) + chain("start", "work", "end")
        return body + '<bpmn:association id="undo" sourceRef="event" targetRef="after"/>'
    host = start("s") + _work("", kind) + flow("s", "work")
    tag = "transaction" if kind == "cancel" else "subProcess"
    attached = node(
        "boundaryEvent",
        "event",
        held,
        attachedToRef="host",
        cancelActivity="true" if interrupting else "false",
        **given,
    )
    body = start() + node(tag, "host", host) + attached + user("after") + end() + end("done")
    return body + chain("start", "host", "end") + chain("event", "after", "done")


def _thrown(kind: str, held: str, *, at_end: bool) -> str:
    """A sub-process that throws; its border and a neighbour listen, and lead to `after`."""
    tag = "transaction" if kind == "cancel" else "subProcess"
    if kind in ("none", "link"):
        target = node("intermediateCatchEvent", "target", held) if kind == "link" else ""
        event = node("endEvent" if at_end else "intermediateThrowEvent", "event", held)
        next_of = "target" if kind == "link" else "event"
        inside = start("s") + event + target + flow("s", "event")
        inside += "" if at_end else end("e") + flow(next_of, "e")
        return start() + node(tag, "host", inside) + user("after") + end() + chain("start", "host", "after", "end")
    event = node("endEvent" if at_end else "intermediateThrowEvent", "event", held)
    if kind == "compensation":
        body = start() + node("task", "work") + boundary("undo", "work", held) + event
        body += user("after", isForCompensation="true") + chain("start", "work", "event")
        body += "" if at_end else end() + flow("event", "end")
        return body + '<bpmn:association id="undoes" sourceRef="undo" targetRef="after"/>'
    inside = start("s") + gateway("parallel", "fork") + user("work") + event
    inside += flow("s", "fork") + flow("fork", "work") + flow("fork", "event")
    inside += "" if at_end else end("e") + flow("event", "e")
    listeners = {"error": held, "escalation": held, "cancel": held}.get(kind, "")
    body = start() + gateway("parallel", "both") + node(tag, "host", inside) + user("after") + end()
    body += flow("start", "both") + flow("both", "host")
    if listeners:
        return body + boundary("heard", "host", listeners) + chain("heard", "after", "end")
    if kind == "terminate":
        return body + chain("host", "after", "end")
    heard = catches("signal", "s") if kind in ("signal", "multiple") else catches("message", "m")
    return (
        body + node("intermediateCatchEvent", "heard", heard) + flow("both", "heard") + chain("heard", "after", "end")
    )


def happen(play: Player, case: Case | None, kind: str, position: str) -> None:
    """Make the event of a cell happen."""
    if position in ("throw", "end"):
        return
    triggers: dict[str, Callable[[], object]] = {
        "message": lambda: play.publish("m", "1"),
        "timer": lambda: play.advance(timedelta(hours=1)),
        "signal": lambda: _broadcast(play),
    }
    if kind in triggers:
        triggers[kind]()
    elif kind == "multiple":
        play.publish("m", "1")
    elif kind == "parallel multiple":
        play.publish("m", "1")
        waiting = case or play.only("p")
        assert "after" not in waiting.todo
        _broadcast(play)
    elif kind == "conditional" and case is None:
        with play.sessions() as session, transaction(session):
            starts.evaluate_conditions(session, {"go": True})
    elif kind == "conditional":
        assert case is not None
        case.execute(SetVariables(case.key, {"go": True}))
    elif kind in (*_THROWN_INSIDE, "compensation"):
        assert case is not None
        case.complete("work")


def _broadcast(play: Player) -> None:
    with play.sessions() as session, transaction(session):
        signals.broadcast(session, "s")
