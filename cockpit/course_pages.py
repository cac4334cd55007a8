"""Pages with which a manager changes the course of a case: move its tokens, or start an ended case anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_required
from sqlalchemy import select

from cockpit import entry, foresight, history, places, rearranging
from cockpit.actors import Actors, actors
from cockpit.elements import elements_of, with_names
from cockpit.entry import Entered
from cockpit.errors import CaseChanged, CockpitError, ReasonMissing
from cockpit.foresight import Foreseen
from cockpit.places import Place, Start, by_lane
from cockpit.rearranging import Rearrangement
from cockpit.refusals import sentence
from cockpit.service import require_manager
from cockpit.visibility import instance_for
from database import dumps, transaction
from database.extension import db
from database.session import rehearsal
from engine.errors import EngineError, NotActive, NotEnded, NotFound
from engine.models import ProcessDefinition, ProcessInstance, ProcessState
from people.login import signed_in_user
from processes import catalogue

blueprint = Blueprint("course", __name__)

_KEY = "int(max=9223372036854775807)"
_WITHDRAW = "withdraw"
_TO = "to:"


@dataclass(slots=True)
class Answer:
    """What a page says to what was chosen."""

    foreseen: Foreseen | None = None
    actors: Actors | None = None
    refusal: str = ""
    status: int = 200
    #: Names what was foreseen, so that nothing else is done than what was seen.
    seen: str = ""
    #: The last one who has changed the case before this one could: a name, and what they did.
    last: history.Action | None = None


@dataclass(slots=True)
class Chosen:
    """What a form of these pages holds, to be shown again."""

    #: `withdraw`, or `to:` and an element, by key of the live element instance.
    of_places: dict[int, str] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)
    entered: list[Entered] = field(default_factory=list)
    reason: str = ""
    version: int | None = None

    @classmethod
    def read(cls) -> Chosen:
        """Return what was posted."""
        form = request.form
        return cls(
            of_places={
                int(name.removeprefix("place-")): choice
                for name, choice in form.items()
                if name.removeprefix("place-").isdecimal() and len(name) < 26 and choice
            },
            starts=[choice for choice in form.getlist("start") if choice],
            entered=entry.rows(form),
            reason=form.get("reason", ""),
            version=int(form["version"]) if _is_key(form.get("version", "")) else None,
        )

    def rearrangement(self) -> Rearrangement:
        """Return what it means; raises InvalidValue."""
        return Rearrangement(
            moves={key: to.removeprefix(_TO) for key, to in self.of_places.items() if to.startswith(_TO)},
            withdrawn=[key for key, choice in self.of_places.items() if choice == _WITHDRAW],
            starts=[Start.parse(choice) for choice in self.starts],
            variables=entry.variables(self.entered),
        )

    @property
    def digest(self) -> str:
        """The choice in short, without the reason, which changes nothing of what happens."""
        parts: list[Any] = [
            sorted(self.of_places.items()),
            self.starts,
            [[row.name, row.kind, row.text] for row in self.entered],
            self.version,
        ]
        return hashlib.sha256(dumps(parts).encode()).hexdigest()[:16]


@blueprint.get(f"/instances/<{_KEY}:instance_key>/course")
@login_required
def show(instance_key: int) -> ResponseReturnValue:
    """Show where the case stands, and ask where it shall go on instead."""
    chosen = Chosen()
    if (place := request.args.get("place", "")) and _is_key(place):
        chosen.of_places[int(place)] = _WITHDRAW
    return _course_page(instance_key, chosen, Answer())


@blueprint.post(f"/instances/<{_KEY}:instance_key>/course")
@login_required
def change(instance_key: int) -> ResponseReturnValue:
    """Tell what the choice would lead to, or, once that was seen, do it."""
    chosen = Chosen.read()
    revision = request.form.get("revision", "")
    confirmed = request.form.get("step") == "do" and request.form.get("seen") == chosen.digest and _is_key(revision)

    def rehearsed() -> int:
        return rearranging.carry_out(db.session(), signed_in_user(), instance_key, chosen.rearrangement())

    try:
        if confirmed:
            wanted = chosen.rearrangement()
            with transaction(db.session()) as session:
                rearranging.rearrange(session, signed_in_user(), instance_key, wanted, chosen.reason, int(revision))
            flash(_("The case goes on as you have chosen."))
            return redirect(url_for("cockpit.instance", instance_key=instance_key))
        answer = _foreseen(instance_key, chosen, rehearsed, Answer())
    except NotFound:
        raise
    except CaseChanged as error:
        # What was chosen belongs to a case that is no more; the page shows the one that there is.
        actions = history.actions(db.session(), _instance(instance_key), 1).items
        return _course_page(
            instance_key, Chosen(reason=chosen.reason), _refused(error, instance_key, actions[0] if actions else None)
        )
    except ReasonMissing as error:
        return _course_page(
            instance_key, chosen, _foreseen(instance_key, chosen, rehearsed, _refused(error, instance_key))
        )
    except (CockpitError, EngineError) as error:
        return _course_page(instance_key, chosen, _refused(error, instance_key))
    return _course_page(instance_key, chosen, answer)


@blueprint.get(f"/instances/<{_KEY}:instance_key>/restart")
@login_required
def show_restart(instance_key: int) -> ResponseReturnValue:
    """Ask at which step an ended case shall begin anew."""
    version = request.args.get("version", "")
    return _restart_page(instance_key, Chosen(version=int(version) if _is_key(version) else None), Answer())


@blueprint.post(f"/instances/<{_KEY}:instance_key>/restart")
@login_required
def restart(instance_key: int) -> ResponseReturnValue:
    """Tell what a new case would begin with, or, once that was seen, start it and lead to it."""
    chosen = Chosen.read()
    user = signed_in_user()

    def begin(reason: str) -> int:
        variables = entry.variables(chosen.entered)
        return rearranging.restart(db.session(), user, instance_key, chosen.starts, variables, reason, chosen.version)

    try:
        if request.form.get("step") == "do" and request.form.get("seen") == chosen.digest:
            with transaction(db.session()):
                key = begin(chosen.reason)
            flash(_("This is the new case. The ended one stays as it was."))
            return redirect(url_for("cockpit.instance", instance_key=key))
        answer = _foreseen(None, chosen, lambda: begin("?"), Answer())
    except NotFound:
        raise
    except ReasonMissing as error:
        return _restart_page(
            instance_key, chosen, _foreseen(None, chosen, lambda: begin("?"), _refused(error, instance_key))
        )
    except (CockpitError, EngineError) as error:
        return _restart_page(instance_key, chosen, _refused(error, instance_key))
    return _restart_page(instance_key, chosen, answer)


def _foreseen(instance_key: int | None, chosen: Chosen, act: Callable[[], int], answer: Answer) -> Answer:
    """Add to an answer what the choice would lead to."""
    with rehearsal(db.session()) as session:
        answer.foreseen = foresight.foresee(session, instance_key, act)
    answer.actors = actors(db.session(), answer.foreseen.usernames, answer.foreseen.groups)
    answer.seen = chosen.digest
    return answer


def _refused(error: Exception, instance_key: int, last: history.Action | None = None) -> Answer:
    definition_key = _instance(instance_key).definition_key
    drawn = elements_of(db.session(), [definition_key])[definition_key]
    conflict = isinstance(error, CaseChanged | NotActive)
    return Answer(refusal=with_names(drawn, sentence(error)), status=409 if conflict else 400, last=last)


def _instance(instance_key: int) -> ProcessInstance:
    user = signed_in_user()
    found = instance_for(db.session(), user, instance_key)
    require_manager(user)
    return found


def _course_page(instance_key: int, chosen: Chosen, answer: Answer) -> ResponseReturnValue:
    session = db.session()
    instance = _instance(instance_key)
    if instance.state != ProcessState.ACTIVE:
        return redirect(url_for("cockpit.instance", instance_key=instance_key))
    # First: what changes while the page is made has changed after it was looked at.
    revision = rearranging.revision_of(session, instance_key)
    standing: list[Place] = places.places(session, instance)
    usernames: set[str | None] = {place.assignee for place in standing}
    if answer.last is not None:
        usernames.add(answer.last.actor)
    page = render_template(
        "cockpit/course.html",
        instance=instance,
        revision=revision,
        title=_title(instance),
        standing=standing,
        targets=by_lane(places.targets(session, instance)),
        chosen=chosen,
        answer=answer,
        actors=actors(session, usernames, {group for place in standing for group in place.candidate_groups}),
        spare=entry.SPARE_ROWS,
    )
    return page, answer.status


def _restart_page(instance_key: int, chosen: Chosen, answer: Answer) -> ResponseReturnValue:
    session = db.session()
    instance = _instance(instance_key)
    if instance.state == ProcessState.ACTIVE:
        raise NotEnded(instance_key)
    versions = catalogue.versions(session, instance.process_id)
    keys = [row.definition.key for row in versions]
    version = chosen.version if chosen.version in keys else instance.definition_key
    page = render_template(
        "cockpit/restart.html",
        instance=instance,
        title=_title(instance),
        versions=versions,
        version=version,
        targets=by_lane(places.start_targets(session, version)),
        chosen=chosen,
        answer=answer,
        spare=entry.SPARE_ROWS,
    )
    return page, answer.status


def _title(instance: ProcessInstance) -> str:
    name = select(ProcessDefinition.name).where(ProcessDefinition.key == instance.definition_key)
    return instance.title or db.session().scalar(name) or instance.process_id


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20
