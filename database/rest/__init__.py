"""What the JSON endpoints of every room share: shapes of bodies, filters, sorting, pages, and the endpoint itself."""

from database.rest.conditions import (
    TENANT,
    InstantCondition,
    KeyCondition,
    NumberCondition,
    TextCondition,
    matching,
)
from database.rest.endpoint import Files, Operation, Xml, endpoint
from database.rest.search import Found, InvalidCursor, Listing, Page, Results, SearchQuery, Sort
from database.rest.shapes import (
    DEFAULT_TENANT,
    InstantText,
    KeyText,
    NullableInstantText,
    NullableKeyText,
    Request,
    Shape,
    Tenant,
    Unsupported,
    Variables,
    WholeNumber,
)

__all__ = [
    "DEFAULT_TENANT",
    "TENANT",
    "Files",
    "Found",
    "InstantCondition",
    "InstantText",
    "InvalidCursor",
    "KeyCondition",
    "KeyText",
    "Listing",
    "NullableInstantText",
    "NullableKeyText",
    "NumberCondition",
    "Operation",
    "Page",
    "Request",
    "Results",
    "SearchQuery",
    "Shape",
    "Sort",
    "Tenant",
    "TextCondition",
    "Unsupported",
    "Variables",
    "WholeNumber",
    "Xml",
    "endpoint",
    "matching",
]
