"""Pages of the control room: the list of cases, one case, and what a manager does in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import login_required
from sqlalchemy import select

from cockpit import (
    batch_pages,
    course_pages,
    diagram,
    entry,
    instances,
    interventions,
    migration_pages,
    service,
    stalled,
)
from cockpit.actors import actors
from cockpit.case import case
from cockpit.errors import CockpitError, ReasonMissing
from cockpit.instances import Cursor, InstanceFilter, Trouble
from cockpit.readable import pretty_json, readable
from cockpit.refusals import sentence
from cockpit.said import said
from cockpit.stalled import Reason, StalledCursor, StalledFilter
from cockpit.visibility import instance_for, ways
from database import transaction
from database.counting import told
from database.extension import db
from engine.errors import CalledByAnother, NotActive
from engine.models import Incident, ProcessDefinition, ProcessState
from people.errors import Forbidden
from people.login import signed_in_user
from people.permissions import may_manage
from processes.translations import translate, translate_xml

blueprint = Blueprint(
    "cockpit", __name__, template_folder="templates", static_folder="static", static_url_path="/cockpit/static"
)
for _part in (course_pages, migration_pages, batch_pages):
    blueprint.register_blueprint(_part.blueprint)
blueprint.add_app_template_filter(readable)
blueprint.add_app_template_filter(said)
blueprint.add_app_template_filter(pretty_json)
blueprint.add_app_template_filter(told)


@blueprint.app_template_filter()
def worded(value: object, words: Mapping[str, str]) -> str:
    """Return a variable's value as text in the reader's language; `words` are what its form calls options and parts."""
    language = str(get_locale())
    text = readable(value, {word: translate(label, language) for word, label in words.items()})
    return translate(text, language)


def _on_a_case(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Answer what is refused with the page of the case as it is by then, and a sentence that says why."""

    @wraps(view)
    def answer(instance_key: int, **keys: int) -> ResponseReturnValue:
        try:
            return view(instance_key, **keys)
        except CockpitError as refusal:
            return _instance_page(instance_key, refusal), 400
        except (NotActive, CalledByAnother) as refusal:
            return _instance_page(instance_key, refusal), 409

    return answer


#: Keys have 63 bits; a longer number in an address names nothing.
_KEY = "int(max=9223372036854775807)"
#: What the list is shown again with when an operation on its cases was refused.
_ENTERED = ("doing", "why")


@blueprint.get("/instances")
@login_required
def instance_list() -> ResponseReturnValue:
    """List the cases that the user may see."""
    session, user = db.session(), signed_in_user()
    seen = ways(session, user)
    wanted = InstanceFilter(
        state=_choice(ProcessState, request.args.get("state")),
        process_id=request.args.get("process") or None,
        text=request.args.get("q", "").strip(),
        trouble=_choice(Trouble, request.args.get("only")),
    )
    after = _cursor(request.args.get("after"))
    page = instances.page(session, seen, wanted, Cursor(*after) if after else None)
    usernames = {row.started_by for row in page.rows}
    usernames |= {position.assignee or "" for row in page.rows for position in row.positions}
    return render_template(
        "cockpit/instances.html",
        page=page,
        wanted=wanted,
        counts=instances.counts(session, seen, wanted),
        choices=instances.process_choices(session, seen),
        actors=actors(
            session,
            usernames,
            {group for row in page.rows for position in row.positions for group in position.candidate_groups},
        ),
        next=f"{page.next.started_at.isoformat()}_{page.next.key}" if page.next else None,
        first=after is None,
        arguments=_arguments(),
        base=_arguments("state", "only"),
        manages=may_manage(user),
    )


@blueprint.get(f"/instances/<{_KEY}:instance_key>")
@login_required
def instance(instance_key: int) -> ResponseReturnValue:
    """Show one case."""
    return _instance_page(instance_key)


@blueprint.get(f"/instances/<{_KEY}:instance_key>/diagram.xml")
@login_required
def instance_xml(instance_key: int) -> ResponseReturnValue:
    """Answer the diagram of the case, with its labels in the reader's language."""
    session = db.session()
    found = instance_for(session, signed_in_user(), instance_key)
    xml = session.execute(
        select(ProcessDefinition.xml).where(ProcessDefinition.key == found.definition_key)
    ).scalar_one()
    return translate_xml(xml, str(get_locale())), {"Content-Type": "application/xml; charset=utf-8"}


@blueprint.get(f"/instances/<{_KEY}:instance_key>/diagram.json")
@login_required
def instance_state(instance_key: int) -> ResponseReturnValue:
    """Answer where the tokens are and how they came there."""
    session = db.session()
    found = instance_for(session, signed_in_user(), instance_key)
    return jsonify(diagram.of_instance(session, found).json())


@blueprint.post(f"/instances/<{_KEY}:instance_key>/cancel")
@login_required
@_on_a_case
def cancel(instance_key: int) -> ResponseReturnValue:
    """End the case by hand."""
    with transaction(db.session()) as session:
        service.cancel(session, signed_in_user(), instance_key, request.form.get("reason", ""))
    flash(_("The case is cancelled."))
    return redirect(_back(instance_key))


@blueprint.post(f"/instances/<{_KEY}:instance_key>/suspend")
@login_required
@_on_a_case
def suspend(instance_key: int) -> ResponseReturnValue:
    """Let the case stand still."""
    if not (reason := request.form.get("reason", "").strip()):
        raise ReasonMissing
    with transaction(db.session()) as session:
        interventions.suspend(session, signed_in_user(), instance_key, reason)
    flash(_("The case is suspended."))
    return redirect(_back(instance_key))


@blueprint.post(f"/instances/<{_KEY}:instance_key>/resume")
@login_required
@_on_a_case
def resume(instance_key: int) -> ResponseReturnValue:
    """Let the case go on."""
    with transaction(db.session()) as session:
        interventions.resume(session, signed_in_user(), instance_key, "")
    flash(_("The case goes on."))
    return redirect(_back(instance_key))


@blueprint.post(f"/instances/<{_KEY}:instance_key>/incidents/<{_KEY}:incident_key>/retry")
@login_required
@_on_a_case
def retry(instance_key: int, incident_key: int) -> ResponseReturnValue:
    """Let the engine try again what failed."""
    with transaction(db.session()) as session:
        again = service.retry(session, signed_in_user(), instance_key, incident_key)
    return _tried(instance_key, again)


@blueprint.post(f"/instances/<{_KEY}:instance_key>/incidents/<{_KEY}:incident_key>/repair")
@login_required
@_on_a_case
def repair(instance_key: int, incident_key: int) -> ResponseReturnValue:
    """Correct the data that something failed on, and let the engine try again."""
    variables = entry.variables(entry.rows(request.form))
    retries = request.form.get("retries", "")
    with transaction(db.session()) as session:
        again = interventions.repair(
            session,
            signed_in_user(),
            instance_key,
            incident_key,
            variables,
            int(retries) if retries.isascii() and retries.isdecimal() and len(retries) < 4 else None,
        )
    return _tried(instance_key, again)


def _tried(instance_key: int, again: Incident | None) -> ResponseReturnValue:
    if again is None:
        flash(_("The step was tried again and went on."))
    else:
        flash(_("The step was tried again and failed again: %(message)s", message=said(again.message)), "warning")
    return redirect(_back(instance_key))


@blueprint.post(f"/instances/<{_KEY}:instance_key>/variables")
@login_required
@_on_a_case
def set_variable(instance_key: int) -> ResponseReturnValue:
    """Give a variable another value, or make one that is missing."""
    form = request.form
    name = form.get("name", "").strip()
    scope_key = int(form.get("scope", "")) if form.get("scope", "").isdecimal() else instance_key
    value = entry.value(form.get("kind", "json"), form.get("value", ""))
    with transaction(db.session()) as session:
        service.set_variable(session, signed_in_user(), instance_key, scope_key, name, value)
    flash(_("%(name)s is changed.", name=name))
    return redirect(_back(instance_key))


@blueprint.post(f"/instances/<{_KEY}:instance_key>/tasks/<{_KEY}:task_key>/reassign")
@login_required
@_on_a_case
def reassign(instance_key: int, task_key: int) -> ResponseReturnValue:
    """Hand a task to somebody else, or back to all who could take it."""
    assignee = request.form.get("assignee", "")
    with transaction(db.session()) as session:
        if assignee:
            service.reassign(session, signed_in_user(), instance_key, task_key, assignee)
        else:
            service.unassign(session, signed_in_user(), instance_key, task_key)
    flash(_("The task has another holder.") if assignee else _("The task is open to all candidates again."))
    return redirect(_back(instance_key))


@blueprint.get("/stalled")
@login_required
def stalled_list() -> ResponseReturnValue:
    """List the live cases that do not move, with what can be done about each."""
    user = signed_in_user()
    if not may_manage(user):
        raise Forbidden("Only managers see what is stalled.")
    session = db.session()
    wanted = StalledFilter(
        reason=_choice(Reason, request.args.get("reason")), process_id=request.args.get("process") or None
    )
    after = _cursor(request.args.get("after"))
    page = stalled.page(session, wanted, StalledCursor(*after) if after else None)
    usernames: set[str | None] = {row.started_by for row in page.rows}
    for row in page.rows:
        if row.task is not None:
            usernames |= {row.task.assignee, *row.task.candidate_users}
    return render_template(
        "cockpit/stalled.html",
        page=page,
        wanted=wanted,
        counts=stalled.counts(session, wanted),
        choices=stalled.process_choices(session),
        reasons=list(Reason),
        actors=actors(session, usernames, {group for row in page.rows for group in row.candidate_groups}),
        next=f"{page.next.since.isoformat()}_{page.next.key}" if page.next else None,
        first=after is None,
        arguments=_arguments(),
        base=_arguments("reason"),
    )


def _instance_page(instance_key: int, refusal: Exception | None = None) -> str:
    user = signed_in_user()
    return render_template(
        "cockpit/instance.html",
        case=case(db.session(), user, instance_key),
        refusal=sentence(refusal) if refusal else None,
        manages=may_manage(user),
    )


def _choice(kind: Any, text: str | None) -> Any:
    """The member of an enumeration that an address names; an unknown name filters nothing."""
    return next((member for member in kind if member.value == text), None)


def _cursor(text: str | None) -> tuple[datetime, int] | None:
    instant, _underscore, key = (text or "").rpartition("_")
    try:
        at = datetime.fromisoformat(instant)
    except ValueError:
        return None
    return (at, int(key)) if at.tzinfo is not None and key.isdecimal() else None


def _arguments(*without: str) -> dict[str, str]:
    """The filter in the address but the named parts, so that links can change those."""
    without = ("after", *_ENTERED, *without)
    return {name: value for name, value in request.args.items() if value and name not in without}


def _back(instance_key: int) -> str:
    """Where the user came from: only a path of our own, so that a form elsewhere cannot lead on from here."""
    target = request.form.get("next", "")
    if target.startswith("/") and not target.startswith(("//", "/\\")) and not urlsplit(target).netloc:
        return target
    return url_for("cockpit.instance", instance_key=instance_key)
