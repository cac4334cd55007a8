"""JSON endpoints of the server itself: what it is, its clock, and the description of the whole API."""

from web.api.cluster import blueprint
from web.api.description import describe

__all__ = ["blueprint", "describe"]
