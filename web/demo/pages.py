"""The clock control of the demo: move the time forward and see the deadlines fire."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_required

from database import transaction
from database.extension import db
from people.pages import local_target
from web.demo import time_travel

blueprint = Blueprint("demo", __name__)

_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@blueprint.post("/demo/clock")
@login_required
def move_clock() -> ResponseReturnValue:
    """Move the clock by an hour, a day, a week, or to the next deadline, and let everything fire that is due then."""
    step = request.form.get("by", "")
    if step != "deadline" and step not in _STEPS:
        abort(400)
    with transaction(db.session()) as session:
        if step == "deadline":
            moved = time_travel.to_next_deadline(session)
        else:
            moved = time_travel.forward(session, _STEPS[step])
    if moved is None:
        flash(_("There is no deadline ahead."))
    else:
        time_travel.settle(current_app.extensions["sessions"])
    return redirect(local_target(request.form.get("next")))
