"""Whether the server can work: asked by load balancers, without signing in."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from database import migrations
from database.extension import db, replica_of
from web import heartbeat

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer 200 when the database answers and has the tables that this version needs, else 503."""
    try:
        present = migrations.current_revision(db.session.connection())
        up_to_date = present == migrations.latest_revision()
        pulses = heartbeat.feel(db.session()) if up_to_date else heartbeat.Pulses(0, None)
    except SQLAlchemyError:
        return jsonify({"status": "failing", "database": "unreachable", "migrations": "unknown"}), 503
    answer = {
        "status": "ok" if up_to_date else "failing",
        "database": "reachable",
        "migrations": "up to date" if up_to_date else "missing: run `baton db upgrade`",
        # For information: a server may be healthy while the workers run elsewhere.
        "workers": pulses.alive,
        "worker_silent_seconds": None if pulses.silent_for is None else round(pulses.silent_for.total_seconds()),
    }
    if replica := replica_of(current_app):
        # For information, too: the primary answers what the replica cannot, which nobody waits for here.
        answer["replica"] = replica.state.value
    return jsonify(answer), 200 if up_to_date else 503
