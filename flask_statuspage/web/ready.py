"""Answers that are finished before anybody asks: bytes, plain and compressed, with all their headers.

A warm answer is then a look-up. The view hands it to Flask as a :class:`Ready` response; the fast lane hands the same
values to the server without Flask.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers
from werkzeug.http import parse_accept_header, parse_date, parse_etags

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Pairs = list[tuple[str, str]]

MOST_ACCEPTED = 200
"""Characters of an ``Accept-Encoding``: all that there are take fewer."""

WORTH_ZIPPING = 600
"""Smaller bodies fit into one packet either way."""


@dataclass(frozen=True)
class Variant:
    """A body as it is sent, with the headers of 200 and those of 304."""

    body: bytes
    headers: Pairs
    unchanged: Pairs


class Variants:
    """One document ready to be sent, plain and compressed; the latter is made when it is first asked for.

    :param body: plain.
    :param etag: without quotes. The compressed variant has another one, as different bytes must.
    :param last_modified: None where it would not tell versions apart.
    :param headers: what stands in the headers of 200 and 304 besides.
    :param vary: the request's headers, besides the one that compression is about, that it depends on.
    :param compress: whether it may be compressed.
    """

    def __init__(
        self,
        body: bytes,
        *,
        etag: str,
        last_modified: str | None,
        content_type: str,
        headers: Pairs,
        vary: Sequence[str] = (),
        compress: bool = True,
    ) -> None:
        self.last_modified = last_modified
        self.etags = (f'"{etag}"', f'"{etag}-gzip"')
        self._content_type = content_type
        vary = [*(["Accept-Encoding"] if compress else []), *vary]
        self._headers = [("Vary", ", ".join(vary)), *headers] if vary else headers
        self.plain = self._variant(body, self.etags[0])
        self._zipped: Variant | None = None
        self._is_worth_zipping = compress and len(body) >= WORTH_ZIPPING
        self._lock = Lock()

    def choose(self, environ: WSGIEnvironment) -> Variant:
        """The one that the client accepts."""
        if self._is_worth_zipping and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            return self._zipped or self._zip()
        return self.plain

    def is_known(self, environ: WSGIEnvironment) -> bool:
        """Whether the client has it already."""
        return is_known(environ, self.etags, self.last_modified)

    def _zip(self) -> Variant:
        with self._lock:  # once, however many ask at the same time
            if self._zipped is None:
                smaller = gzip.compress(self.plain.body, compresslevel=9, mtime=0)
                if len(smaller) >= len(self.plain.body):
                    self._is_worth_zipping = False
                    return self.plain
                encoding = ("Content-Encoding", "gzip")
                self._zipped = self._variant(smaller, self.etags[1], encoding)
            return self._zipped

    def _variant(self, sent: bytes, tag: str, *more: tuple[str, str]) -> Variant:
        rest = [("ETag", tag), *self._headers]
        if self.last_modified is not None:
            rest.append(("Last-Modified", self.last_modified))
        length = ("Content-Length", str(len(sent)))
        every = Headers([("Content-Type", self._content_type), length, *more, *rest])
        # Through werkzeug's own class once, which refuses what would break out of a header.
        return Variant(sent, every.to_wsgi_list(), Headers(rest).to_wsgi_list())


def is_known(
    environ: WSGIEnvironment, etags: tuple[str, ...], last_modified: str | None = None
) -> bool:
    """Whether the client has what *etags* (in quotes) name, or what was *last_modified* then (RFC 9110, 13.1).

    ``If-None-Match`` wins over ``If-Modified-Since``. Another time than that of the document is no match, be it later:
    processes render at different times, and a later one may belong to what was there before.
    """
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags:
        return tags in etags or _names_one(tags, etags)
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not since or last_modified is None:
        return False
    return since == last_modified or parse_date(since) == parse_date(last_modified)


class Ready(Response):
    """A response whose headers are complete, so that none of them is worked out again.

    Hooks of the host may add headers and change the body as with any other response.
    """

    default_mimetype = None  # a 304 has no type; all others say theirs

    def __init__(self, body: bytes, status: int, headers: Pairs) -> None:
        super().__init__([body] if body else [], status, _Known(headers))

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return without_sharing_cookies(self.headers)


def without_sharing_cookies(headers: Headers) -> Headers:
    """*headers* of a public answer. One with a cookie of the host's session is for its reader alone: a cache would give
    that visitor's session to all others."""
    if "Set-Cookie" in headers:
        headers["Cache-Control"] = "private, no-cache"
    return headers


class _Known(Headers):
    """Headers from the pairs of a :class:`Variant`, which were checked when it was made."""

    def __init__(self, pairs: Pairs) -> None:
        self._list: list[tuple[str, Any]] = pairs.copy()


def accepts_gzip(text: str) -> bool:
    """Whether an ``Accept-Encoding`` lets gzip through; one that is too long to be read does not."""
    return len(text) <= MOST_ACCEPTED and _gzip_is_fine(text)


@lru_cache(maxsize=256)
def _gzip_is_fine(text: str) -> bool:
    """Browsers send few different ones, so answers are kept."""
    offers = {name.lower(): quality for name, quality in parse_accept_header(text)}
    return offers.get("gzip", offers.get("*", 0)) > 0


def _names_one(tags: str, etags: tuple[str, ...]) -> bool:
    found = parse_etags(tags)
    return any(found.contains_weak(etag.strip('"')) for etag in etags)
