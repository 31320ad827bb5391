"""Under which endpoints the public documents answer: who asks there is a program."""

from __future__ import annotations

from functools import cache

from ..documents import catalogue
from . import visits

ELSEWHERE = {"no_document": "/api/<path:rest>", "no_statuspage": "/statuspage/<path:rest>"}
"""Whatever else is asked of the API is answered as its errors are."""


@cache
def routes() -> dict[str, tuple[str, str]]:
    """The document's name and one of its paths by the endpoint."""
    return {
        # Werkzeug would redirect from one path to the other if both had one endpoint.
        f"{name}_{number + 1}" if number else name: (name, path)
        for name, document in catalogue.documents().items()
        for number, path in enumerate(document.paths)
    }


def is_api() -> bool:
    """Whether the request is for a document of the public API."""
    return visits.endpoint_of(visits.request_object()) in _all()


def is_for_programs() -> bool:
    """Whether what asks is a program, whatever it says."""
    return is_api() or visits.endpoint_of(visits.request_object()) == "metrics"


@cache
def _all() -> frozenset[str]:
    return frozenset([*routes(), *ELSEWHERE, "openapi"])
