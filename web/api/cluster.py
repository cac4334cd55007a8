"""What a client asks the server about itself: topology, licence, whether it works; and the clock where that can be set.

One server stands for a cluster of one broker with one partition.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from database import transaction
from database.extension import db
from database.rest import Request, Shape, endpoint
from engine import clock
from people.errors import Forbidden
from people.login import signed_in_user
from people.permissions import may_administer
from web.api.description import describe

blueprint = Blueprint("api", __name__)

#: The version of Camunda 8's API whose shapes this one has.
API_VERSION = "8.9.0"


class PartitionShape(Shape):
    """The one partition."""

    partition_id: int = 1
    role: str = "leader"
    health: str = "healthy"
    state: str = "active"


class BrokerShape(Shape):
    """The one broker: this server."""

    node_id: int = 0
    broker_id: str = "0"
    host: str
    port: int
    partitions: list[PartitionShape]
    version: str = API_VERSION


class TopologyShape(Shape):
    """The cluster as clients see it."""

    brokers: list[BrokerShape]
    cluster_id: str | None = None
    cluster_size: int = 1
    partitions_count: int = 1
    replication_factor: int = 1
    gateway_version: str = API_VERSION
    last_completed_change_id: str = "-1"


class LicenseShape(Shape):
    """There is nothing to license."""

    valid_license: bool = True
    license_type: str = "production"
    is_commercial: bool = False
    expires_at: None = None


class Pin(Request):
    """Where the clock is stopped, in milliseconds since 1970 (UTC)."""

    #: Until the year 9999.
    timestamp: int = Field(ge=0, le=253_402_300_799_000)


@blueprint.get("/v2/topology")
@endpoint
def get_topology() -> TopologyShape:
    """Get the topology of the cluster."""
    place = urlsplit(request.host_url)
    port = place.port or (443 if place.scheme == "https" else 80)
    broker = BrokerShape(host=place.hostname or "", port=port, partitions=[PartitionShape()])
    return TopologyShape(brokers=[broker])


@blueprint.get("/v2/status")
@endpoint
def get_status() -> None:
    """Say that the server works."""


@blueprint.get("/v2/license")
@endpoint
def get_license() -> LicenseShape:
    """Get the licence."""
    return LicenseShape()


@blueprint.put("/v2/clock")
@endpoint
def pin_clock(pin: Pin) -> None:
    """Stop the clock at an instant, where the configuration allows it."""
    _require_administrator()
    with transaction(db.session()) as session:
        clock.pin(session, datetime.fromtimestamp(pin.timestamp / 1000, UTC))


@blueprint.post("/v2/clock/reset")
@endpoint
def reset_clock() -> None:
    """Return to the real time, where the configuration allows it."""
    _require_administrator()
    with transaction(db.session()) as session:
        clock.reset(session)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Answer the description of the API (OpenAPI 3.1)."""
    return jsonify(describe(version("baton")))


def _require_administrator() -> None:
    if not may_administer(signed_in_user()):
        raise Forbidden("Only administrators set the clock.")
