"""Fetch the public documents of a Statuspage: four requests through the guarded client, before any transaction."""

from __future__ import annotations

import logging
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

from ..config import Settings
from ..domain.foreign import parsed
from ..domain.source_page import API, SourcePage, page_address, read
from ..errors import Invalid
from ..outgoing import AddressRefused, CannotCall, Client, SendFailed
from ..outgoing.site import site_client

logger = logging.getLogger(__name__)

MAX_BYTES = 4 * 1024 * 1024
"""Of one document. The fifty newest incidents of a talkative page take about one megabyte."""

TIMEOUT = 30.0
"""Seconds for one document, from the look-up to the last byte."""

USER_AGENT = "Flask-StatusPage import"
FIELD = "URL"

FAILURES = {
    "dns": "its name could not be resolved",
    "connect": "the connection failed",
    "tls": "its certificate was not accepted",
    "timeout": f"no complete answer within {TIMEOUT:.0f} seconds",
    "protocol": "the answer was not HTTP, or broke off",
}


def fetch(url: str, settings: Settings) -> SourcePage:
    """What the page at *url* tells of itself.

    Redirects are not followed, as nowhere in this house: the message says where they lead.

    :param url: the page's public address; one of its documents or ``/api/v2`` will do.
    :raises Invalid: naming ``URL``, or the place in a document.
    """
    base = _base(url)
    client = site_client(settings, USER_AGENT)
    return read(
        summary=_document(client, f"{base}{API}/summary.json"),
        components=_document(client, f"{base}{API}/components.json"),
        incidents=_document(client, f"{base}{API}/incidents.json"),
        maintenances=_document(client, f"{base}{API}/scheduled-maintenances.json"),
    )


def _base(url: str) -> str:
    if any(mark in url for mark in "?#"):
        _refuse("Must be the address of a page, without query or fragment.")
    return page_address(url)


def _document(client: Client, url: str) -> Any:
    try:
        answer = client.send(
            "GET",
            url,
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            read_limit=MAX_BYTES,
            keep=MAX_BYTES,
        )
    except SendFailed as failure:
        if isinstance(failure.__cause__, AddressRefused) and failure.kind == "refused_address":
            _refuse(str(failure.__cause__))
        _refuse(f"{url} cannot be read: {FAILURES[failure.kind]}.")
    except CannotCall as failure:
        logger.error("status page: %s", failure)
        _refuse(f"{url} cannot be read: this server cannot call it now.")
    if 300 <= answer.status < 400 and (location := answer.headers.get("Location")):
        _refuse(f"{url} redirects; import from {_target(url, location)} instead.")
    if answer.status != 200:
        _refuse(f"{url} answered {answer.status}.")
    if answer.truncated:
        _refuse(f"{url} has more than {MAX_BYTES // 1024**2} MB.")
    try:
        return parsed(answer.body)
    except ValueError:
        _refuse(f"{url} is not JSON that can be read.")


def _target(url: str, location: str) -> str:
    """Where a redirect leads, as the address of a page, fit for a terminal."""
    try:
        parts = urlsplit(urljoin(url, location))
    except ValueError:
        return "where it leads"
    address = f"{parts.scheme}://{parts.netloc}{parts.path.partition(API)[0]}".rstrip("/")
    shown = "".join(mark if mark.isprintable() else "?" for mark in address)
    return shown if len(shown) <= 200 else shown[:199] + "…"


def _refuse(message: str) -> NoReturn:
    raise Invalid.field(FIELD, message)
