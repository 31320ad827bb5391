"""Watch the status page of another service: what its provider says of it, not whether it answers.

A page that cannot be read says nothing of the service, so the finding is "unknown" and does not count. One request a
check; only where nobody said which dialect a page speaks, a second one until that is known.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from ..config import Settings
from ..domain.foreign import parsed
from ..domain.markup import has_control, is_storable
from ..domain.source_page import API, page_address
from ..domain.status import ComponentStatus
from ..domain.upstream import VERDICTS, NotThere, UpstreamState, described, link
from ..domain.verdict import Thresholds, Verdict
from ..errors import Invalid
from ..outgoing import Answer, Client, SendFailed
from ..outgoing.site import site_client
from . import upstream_feed, upstream_native, upstream_statuspage
from .probe import Finding, ProbeOptions, ProbeOrder
from .url import UrlProbe

USER_AGENT = "Flask-StatusPage monitor"
MAX_BYTES = 4 * 1024 * 1024
ACCEPT = "application/json, application/atom+xml, application/rss+xml, application/xml;q=0.9"

UNREADABLE = "The status page could not be read"
FAILURES = {
    "dns": "its name could not be resolved",
    "connect": "the connection failed",
    "refused_address": "the address may not be called",
    "tls": "its certificate was not accepted",
    "timeout": "no complete answer in time",
    "protocol": "the answer was not HTTP, or broke off",
}
SAYS = {
    ComponentStatus.DEGRADED_PERFORMANCE: "Its status page tells of degraded performance",
    ComponentStatus.PARTIAL_OUTAGE: "Its status page tells of a partial outage",
    ComponentStatus.MAJOR_OUTAGE: "Its status page tells of a major outage",
    ComponentStatus.UNKNOWN: "The status page does not say how it is",
}

Dialect = Literal["auto", "statuspage", "native", "feed"]


class UpstreamOptions(ProbeOptions):
    """:param component: id, name or ``Group - Name`` of what is watched; None: the page as a whole.

    The others say in messages what the page does not say, or says otherwise.
    """

    dialect: Dialect = "auto"
    component: str | None = Field(None, max_length=400)
    name: str | None = Field(None, max_length=200)
    home_page_url: str | None = None
    status_page_url: str | None = None
    favicon_url: str | None = None

    @field_validator("component", "name")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and (
            not value.strip() or has_control(value) or not is_storable(value)
        ):
            raise ValueError("Must be one line of text, not empty")
        return value.strip() if value else value

    @field_validator("home_page_url", "status_page_url", "favicon_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and link(value) is None:
            raise ValueError("Must be an address that begins with http:// or https://")
        return value


class UpstreamProbe(UrlProbe):
    kind = "upstream"
    Options = UpstreamOptions
    thresholds = Thresholds(failure=1, recovery=1)
    damped = False
    intervals = (30, 86_400)

    def __init__(self) -> None:
        self._memory = _Memory()

    @contextmanager
    def open(self, settings: Settings) -> Iterator[UpstreamAsker]:
        yield UpstreamAsker(site_client(settings, USER_AGENT), self._memory)


class UpstreamAsker:
    def __init__(self, client: Client, memory: _Memory) -> None:
        self._client = client
        self._memory = memory

    def ask(self, order: ProbeOrder) -> Finding:
        options = order.options
        try:
            state = self._read(order)
            watched = options.get("component")
            if watched is not None:
                state = state.narrowed(watched)
        except _Unreadable as error:
            return Finding(outcome=Verdict.UNKNOWN, code=error.code, error=str(error))
        except NotThere as error:
            return Finding(outcome=Verdict.UNKNOWN, code=200, error=str(error))
        # How long the page took says nothing of the service, so no time is told.
        outcome = VERDICTS[state.status]
        told = described(state, target=order.target, watched=watched, told=options)
        return Finding(
            outcome=outcome,
            code=200,
            error=SAYS.get(state.status),
            observed=None if outcome is Verdict.UNKNOWN else told,
        )

    def _read(self, order: ProbeOrder) -> UpstreamState:
        """The page as it is now, from the first of its possible places that has one."""
        dialect: Dialect = order.options.get("dialect", "auto")
        ends = time.monotonic() + order.timeout
        known = self._memory.place(order.target, dialect)
        failure = None
        for url in [known] if known else _places(order.target, dialect):
            try:
                body = self._fetch(url, ends)
                state = _understood(body, dialect, order.asked_at)
            except _Unreadable as error:
                failure = error
                if error.is_final:
                    break
                continue
            self._memory.note_place(order.target, dialect, url)
            return state
        assert failure is not None  # there is at least one place
        if not failure.is_final:
            self._memory.forget_place(order.target, dialect)
        raise failure

    def _fetch(self, url: str, ends: float) -> bytes:
        kept = self._memory.body(url)
        headers = {"Accept": ACCEPT} | ({"If-None-Match": kept.tag} if kept else {})
        try:
            answer = self._client.send(
                "GET",
                url,
                headers=headers,
                timeout=max(0.1, ends - time.monotonic()),
                read_limit=MAX_BYTES,
                keep=MAX_BYTES,
            )
        except SendFailed as failure:
            raise _Unreadable(FAILURES[failure.kind], is_final=True) from failure
        if answer.status == 304 and kept:
            return kept.body
        if 300 <= answer.status < 400:
            raise _Unreadable("it has moved", code=answer.status)
        if answer.status != 200:
            raise _Unreadable(
                f"it answered {answer.status}",
                code=answer.status,
                is_final=answer.status == 429 or answer.status >= 500,
            )
        if answer.truncated:
            raise _Unreadable("it is too large", code=200)
        self._memory.note_body(url, answer)
        return answer.body


class _Unreadable(Exception):
    """:param is_final: no other place on that host would do better."""

    def __init__(self, reason: str, *, code: int | None = None, is_final: bool = False) -> None:
        super().__init__(f"{UNREADABLE}: {reason}")
        self.code = code
        self.is_final = is_final


def _places(target: str, dialect: Dialect) -> list[str]:
    """The addresses at which the page's document may lie, the likeliest first."""
    parts = urlsplit(target)
    path = parts.path.lower()
    is_document = bool(parts.query) or path.endswith((".json", ".xml", ".rss", ".atom", "/feed"))
    if dialect == "feed" or is_document:
        return [target]
    summary = f"{page_address(target)}{API}/summary.json"
    return [summary, target] if dialect == "auto" else [summary]


def _understood(body: bytes, dialect: Dialect, now: datetime) -> UpstreamState:
    try:
        if dialect == "auto":
            dialect = _spoken(body)
        if dialect == "feed":
            return upstream_feed.read(body, now)
        read = upstream_native.read if dialect == "native" else upstream_statuspage.read
        return read(body)
    except (ValueError, Invalid) as error:
        raise _Unreadable("it is not what was expected", code=200) from error


def _spoken(body: bytes) -> Dialect:
    """Which dialect a document is in. Native and Statuspage lie at one address and differ in their words only."""
    if body.lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n\0")[:1] == b"<":
        return "feed"
    document = parsed(body)
    if not isinstance(document, dict):
        raise ValueError("It is no object.")
    status, components = document.get("status"), document.get("components")
    word = status.get("indicator") if isinstance(status, dict) else None
    if word in ("operational", "degraded", "partial_outage", "major_outage", "unknown"):
        return "native"
    rows = components if isinstance(components, list) else []
    words = {str(row.get("status")) for row in rows if isinstance(row, dict)}
    is_native = word in (None, "maintenance") and words & {"up", "down", "degraded", "maintenance"}
    return "native" if is_native else "statuspage"


@dataclass(frozen=True)
class _Kept:
    tag: str
    body: bytes


class _Memory:
    """Where pages were found, and their latest bytes with their tags: of this process, and no loss if lost."""

    MOST_PLACES = 2000
    MOST_BODIES = 64
    LARGEST = 128 * 1024

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._bodies: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def place(self, target: str, dialect: str) -> str | None:
        with self._lock:
            return self._places.get((target, dialect))

    def note_place(self, target: str, dialect: str, url: str) -> None:
        with self._lock:
            self._places[target, dialect] = url
            while len(self._places) > self.MOST_PLACES:
                self._places.popitem(last=False)

    def forget_place(self, target: str, dialect: str) -> None:
        with self._lock:
            self._places.pop((target, dialect), None)

    def body(self, url: str) -> _Kept | None:
        with self._lock:
            return self._bodies.get(url)

    def note_body(self, url: str, answer: Answer) -> None:
        tag = answer.headers.get(
            "ETag", ""
        ).strip()  # with a blank around it could not be sent back
        with self._lock:
            self._bodies.pop(url, None)
            if not 0 < len(tag) <= 200 or not tag.isascii() or not tag.isprintable():
                return
            if len(answer.body) <= self.LARGEST:
                self._bodies[url] = _Kept(tag, answer.body)
            while len(self._bodies) > self.MOST_BODIES:
                self._bodies.popitem(last=False)
