"""JSON endpoints of events that come in: messages and signals."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint

from database import transaction
from database.extension import db
from database.rest import endpoint
from people.login import signed_in_user
from webhooks import service
from webhooks.shapes import Broadcast, BroadcastShape, Correlation, CorrelationShape, Publication, PublicationShape

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
