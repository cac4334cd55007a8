"""Sets the demo up: the library, the organisation, and about forty cases in every stage. All of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

import bpmn
from database import transaction
from engine import clock
from engine.configuration import configuration
from engine.models import ProcessInstance
from people import organisation
from people import service as people
from people.permissions import may_administer, may_deploy, may_manage
from processes import service as processes
from web.demo.player import Player
from web.demo.stories import STORIES
from web.library import resources

#: Everybody's password in the demo.
PASSWORD = "baton"  # noqa: S105 told to everybody

#: The demo's present is a Wednesday at this time, so that every installation looks the same.
_WEDNESDAY, _PRESENT = 2, time(10, 40)


def install(session: Session, *, echo: Callable[[str], None]) -> None:
    """Set the demo up in one transaction, unless it is there already; `echo` takes a sentence for each step."""
    if session.scalar(select(ProcessInstance.key).limit(1)) is not None:
        return
    with transaction(session):
        library = Path(bpmn.__path__[0])
        present = demo_present(session)
        clock.pin(session, present - max(story.began for story in STORIES) - timedelta(days=7))
        echo("Loading the organisation ...")
        organisation.load(
            session, organisation.read(library / "organisation.json"), password=PASSWORD, at=clock.now(session)
        )
        echo("Deploying the library ...")
        groups = [group.id for group in people.list_groups(session)]
        processes.deploy(session, resources([library]), actor="admin", groups=groups)
        session.expunge_all()
        echo(f"Playing {len(STORIES)} cases ...")
        Player(session).play(STORIES, present)
        clock.run_from(session, present)


def demo_present(session: Session) -> datetime:
    """Return the latest Wednesday morning that is not ahead of the clock; aware, in the company's zone."""
    zone = configuration(session).zone
    now = clock.now(session).astimezone(zone)
    day = now.date() - timedelta(days=(now.weekday() - _WEDNESDAY) % 7)
    present = datetime.combine(day, _PRESENT, zone)
    return present if present <= now else present - timedelta(days=7)


def welcome(session: Session, address: str) -> str:
    """Return what is printed when the demo starts: the address and who can sign in."""
    users = [user for user in people.list_users(session) if user.active]
    lines = ["", f"  接力 Baton    {address}", "", f"  Everybody's password: {PASSWORD}", ""]
    for title, chosen in (
        ("Administrator", [user for user in users if may_administer(user)]),
        ("Process owner", [user for user in users if may_deploy(user) and not may_administer(user)]),
        ("Managers", [user for user in users if may_manage(user) and not may_administer(user)]),
        ("Staff", [user for user in users if not may_manage(user) and not may_deploy(user)]),
    ):
        lines.append(f"  {title}")
        lines += [f"    {user.username:<16} {user.name}  {'、'.join(sorted(user.group_ids))}" for user in chosen]
    return "\n".join([*lines, ""])
