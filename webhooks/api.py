"""JSON endpoints of events that come in: messages, signals, changed circumstances."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint

from database import transaction
from database.extension import db
from database.rest import endpoint
from engine.keys import new_key
from people.login import signed_in_user
from webhooks import service
from webhooks.shapes import (
    Broadcast,
    BroadcastShape,
    Circumstances,
    CircumstancesShape,
    Correlation,
    CorrelationShape,
    Publication,
    PublicationShape,
    StartedInstance,
)

blueprint = Blueprint("webhooks_api", __name__, url_prefix="/v2")


@blueprint.post("/messages/publication")
@endpoint
def publish_message(message: Publication) -> PublicationShape:
    """Publish a message, and keep it for its time to live."""
    with transaction(db.session()) as session:
        published = service.publish(
            session,
            signed_in_user(),
            message.name,
            message.correlation_key,
            message.variables,
            time_to_live=timedelta(milliseconds=message.time_to_live),
            message_id=message.message_id,
        )
    return PublicationShape(message_key=published.message_key)


@blueprint.post("/messages/correlation")
@endpoint
def correlate_message(message: Correlation) -> CorrelationShape:
    """Hand a message to whoever waits for it now; 404 when nobody does."""
    with transaction(db.session()) as session:
        reached = service.correlate(session, signed_in_user(), message.name, message.correlation_key, message.variables)
    return CorrelationShape(message_key=reached.message_key, process_instance_key=reached.instance_keys[0])


@blueprint.post("/signals/broadcast")
@endpoint
def broadcast_signal(signal: Broadcast) -> BroadcastShape:
    """Broadcast a signal to everything that waits for it, and to every process that starts with it."""
    with transaction(db.session()) as session:
        key = service.broadcast(session, signed_in_user(), signal.signal_name, signal.variables)
    return BroadcastShape(signal_key=key)


@blueprint.post("/conditionals/evaluation")
@endpoint
def evaluate_conditionals(given: Circumstances) -> CircumstancesShape:
    """Start every process whose conditional start event holds with the variables given."""
    with transaction(db.session()) as session:
        started = service.evaluate_conditions(session, signed_in_user(), given.variables, given.process_definition_key)
    return CircumstancesShape(
        conditional_evaluation_key=new_key(),
        process_instances=[
            StartedInstance(process_definition_key=row.definition_key, process_instance_key=row.instance_key)
            for row in started
        ],
    )
