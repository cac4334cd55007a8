"""Parts of odd diagrams and moments that several tests share."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from database import transaction
from engine import signals
from engine.models import Incident, IncidentState
from tests.diagrams import (
    chain,
    end,
    start,
    sub_process,
    user,
)
from tests.play import Case, Player

Run = Callable[..., Case]


def when(condition: str) -> str:
    held = f"<bpmn:condition>={condition}</bpmn:condition>"
    return f"<bpmn:conditionalEventDefinition>{held}</bpmn:conditionalEventDefinition>"


def broadcast(play: Player, name: str) -> list[int]:
    with play.sessions() as session, transaction(session):
        return signals.broadcast(session, name)


def open_incidents(play: Player) -> list[str]:
    with play.sessions() as session:
        return list(session.scalars(select(Incident.type).where(Incident.state == IncidentState.ACTIVE)))


def event_process(element_id: str, event: str, *inside: str, interrupting: bool = True, task: str = "handle") -> str:
    return sub_process(
        element_id,
        start(f"{element_id}-start", event, isInterrupting="true" if interrupting else "false"),
        *(inside or (user(task),)),
        end(f"{element_id}-end"),
        chain(f"{element_id}-start", task, f"{element_id}-end"),
        event=True,
    )
