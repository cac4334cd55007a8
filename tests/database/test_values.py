"""What is written is what is read, on either database, and what cannot be kept is refused where it comes from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from database import transaction
from engine.errors import DeploymentRefused, InvalidVariables
from engine.models import ClusterDuty, Message
from engine.variables import LONGEST_NAME
from tests.diagrams import boundary, catches, chain, diagram, end, message, node, service, start, timer, user
from tests.play import Player


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2025, 3, 3, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8))),
    ],
)
def test_instants_come_back_as_they_were_whatever_the_time_zone_of_the_server(session: Session, at: datetime) -> None:
    with transaction(session):
        session.add(ClusterDuty(name="x", holder=None, leased_until=at, last_run_at=at))
    session.expire_all()

    read = session.get_one(ClusterDuty, "x").last_run_at

    assert (read, read.tzinfo) == (at, UTC)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("0.1000000000000000000000000001"),
        10**40,
        "a\x00b",
        "粤B12345 🚗",
        {"": [None, True, "\\u0000"]},
        "x" * 100_000,
    ],
)
def test_variables_come_back_as_they_were(play: Player, value: Any) -> None:
    play.deploy(diagram(start(), user("work"), end(), chain("start", "work", "end")))
    case = play.start("p", {"value": value})

    assert case.variables == {"value": value}


def test_a_nul_in_a_key_finds_what_was_stored_under_it(play: Player) -> None:
    play.deploy(
        diagram(
            start(),
            node("intermediateCatchEvent", "paid", catches("message", "payment")),
            end(),
            chain("start", "paid", "end"),
            extra=message("payment", "=order"),
            extensions="<zeebe:properties><zeebe:property name='title' value='=order'/></zeebe:properties>",
        )
    )
    case = play.start("p", {"order": "a\x00b"})

    assert play.publish("payment", "ab") == []
    assert play.publish("payment", "a\x00b") == [case.key]


_LONG = "x" * (LONGEST_NAME + 1)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (user("stop", f'<zeebe:assignmentDefinition assignee="{_LONG}"/>'), "assignee"),
        (user("stop", f'<zeebe:assignmentDefinition candidateGroups="a,{_LONG}"/>'), "candidate groups"),
        (user("stop", '<zeebe:priorityDefinition priority="=10**12"/>'), "priority"),
        (user("stop", '<zeebe:priorityDefinition priority="-1"/>'), "priority"),
        (service("stop", _LONG), "job type"),
        (service("stop", retries="=10**12"), "retries"),
        (node("receiveTask", "stop", messageRef="message-payment"), "correlation key"),
    ],
)
def test_what_no_index_or_column_takes_is_an_incident_where_it_arises(play: Player, element: str, words: str) -> None:
    extra = message("payment", "=order")
    play.deploy(diagram(start(), element, end(), chain("start", "stop", "end"), extra=extra))
    case = play.start("p", {"order": _LONG})

    assert [words in incident.message for incident in case.incidents] == [True]
    assert case.live("stop")


def test_a_cycle_with_more_turns_than_a_column_counts_is_not_deployed(play: Player) -> None:
    cycle = boundary("often", "work", timer("Cycle", "R99999999999/PT1H"), interrupting=False)

    with pytest.raises(DeploymentRefused, match="2147483647"):
        play.deploy(
            diagram(start(), user("work"), cycle, end(), end("e"), chain("start", "work", "end"), chain("often", "e"))
        )


def test_the_longest_names_are_stored(play: Player) -> None:
    # Characters of three bytes that do not compress.
    longest = "".join(chr(0x4E00 + number * 79 % 20_000) for number in range(LONGEST_NAME))
    with play.sessions() as session, transaction(session):
        session.add(
            Message(
                key=1,
                name=longest,
                correlation_key=longest[::-1],
                message_id=longest,
                variables={},
                published_at=datetime.now(UTC),
                expires_at=datetime.now(UTC),
            )
        )
    with play.sessions() as session:
        assert session.scalars(select(Message.name)).one() == longest


def test_a_variable_with_a_name_that_no_index_takes_is_refused(play: Player) -> None:
    play.deploy(diagram(start(), user("work"), end(), chain("start", "work", "end")))

    with pytest.raises(InvalidVariables, match=str(LONGEST_NAME)):
        play.start("p", {_LONG: 1})


@pytest.mark.postgresql_only(reason="SQLite has no time zone")
def test_connections_speak_utc(database: Engine) -> None:
    with database.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"
