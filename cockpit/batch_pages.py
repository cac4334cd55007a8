"""Pages of operations on many cases: choose them in the list, see how far it is, hold it up or stop it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import login_required
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from cockpit import batches, progress
from cockpit.actors import actors
from cockpit.errors import CockpitError, NoCaseChosen, ReasonMissing
from cockpit.instances import InstanceFilter, Trouble, matching
from cockpit.refusals import sentence
from cockpit.ticked import ticked
from cockpit.visibility import visible
from database import transaction
from database.extension import db
from engine.batch_kinds import CancelInstances, Kind, ResolveIncidents, ResumeInstances, SuspendInstances
from engine.errors import NotActive
from engine.models import ProcessInstance, ProcessState
from people.login import signed_in_user
from people.models import User

blueprint = Blueprint("batch", __name__)

_KEY = "int(max=9223372036854775807)"

_KINDS: dict[str, type[CancelInstances | ResolveIncidents | SuspendInstances | ResumeInstances]] = {
    "cancel": CancelInstances,
    "retry": ResolveIncidents,
    "suspend": SuspendInstances,
    "resume": ResumeInstances,
}


@blueprint.get("/batches")
@login_required
def index() -> ResponseReturnValue:
    """List the newest operations on many cases."""
    session = db.session()
    found = progress.recent(session, signed_in_user())
    usernames = {entry.operation.actor for entry in found}
    return render_template("cockpit/batches.html", batches=found, actors=actors(session, usernames, set()))


@blueprint.get(f"/batches/<{_KEY}:key>")
@login_required
def show(key: int) -> ResponseReturnValue:
    """Show how far an operation is, and what became of each case."""
    session = db.session()
    found = progress.progress(session, signed_in_user(), key)
    return render_template(
        "cockpit/batch.html",
        batch=found,
        items=progress.items(session, key),
        actors=actors(session, {found.operation.actor}, set()),
    )


@blueprint.post(f"/batches/<{_KEY}:key>/<any(suspend, resume, cancel):what>")
@login_required
def control(key: int, what: str) -> ResponseReturnValue:
    """Hold an operation up, let it go on, or leave undone what is not done yet."""
    act = {"suspend": batches.suspend, "resume": batches.resume, "cancel": batches.cancel}[what]
    try:
        with transaction(db.session()) as session:
            act(session, signed_in_user(), key)
    except NotActive:
        flash(_("It was over before: nothing was changed."))
    return redirect(url_for("cockpit.batch.show", key=key))


@blueprint.post("/batches")
@login_required
def begin() -> ResponseReturnValue:
    """Do the same to the cases that were chosen in the list, or to all that it shows."""
    form, user = request.form, signed_in_user()
    listed: dict[str, Any] = {name: form[name] for name in ("state", "only", "process", "q") if form.get(name)}
    try:
        kind = _kind(form.get("what", ""))
        reason = form.get("reason", "").strip()
        if not reason:
            raise ReasonMissing
        with transaction(db.session()) as session:
            operation = batches.begin(session, user, kind, _chosen(session, user), reason)
            address = url_for("cockpit.batch.show", key=operation.key)
            # A case may have several incidents, so that only the other operations can be counted case by case.
            left_out = 0 if form.get("all") or isinstance(kind, ResolveIncidents) else len(ticked()) - operation.total
    except CockpitError as refusal:
        flash(sentence(refusal))
        # What was entered is there again, beside the list in which something was left to be ticked.
        listed |= {"doing": form.get("what"), "why": form.get("reason")}
        return redirect(url_for("cockpit.instance_list", **listed))
    if left_out:
        flash(
            ngettext(
                "%(num)d case that you chose is left out: it is not in a state for this, or part of another case.",
                "%(num)d cases that you chose are left out: they are not in a state for this, or part of another case.",
                left_out,
            )
        )
    return redirect(address)


def _kind(what: str) -> Kind:
    if what not in _KINDS:
        raise NoCaseChosen
    return _KINDS[what]()


def _chosen(session: Session, user: User) -> ColumnElement[bool]:
    """Return the condition for the cases that were ticked, or for all of the list; raises NoCaseChosen."""
    form = request.form
    if form.get("all"):
        wanted = InstanceFilter(
            state=next((state for state in ProcessState if state == form.get("state")), None),
            process_id=form.get("process") or None,
            text=form.get("q", "").strip(),
            trouble=next((trouble for trouble in Trouble if trouble == form.get("only")), None),
        )
        return matching(session, visible(session, user), wanted)
    if not (keys := ticked()):
        raise NoCaseChosen
    return ProcessInstance.key.in_(keys)
