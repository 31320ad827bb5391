"""Answers that are finished before anybody asks: bytes, plain and compressed, with all their headers.

A warm answer is then a look-up. The view hands it to Flask as a :class:`Ready` response; the fast lane hands the same
values to the server without Flask.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers
from werkzeug.http import parse_accept_header, parse_date, parse_etags

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Pairs = list[tuple[str, str]]

WORTH_ZIPPING = 600
"""Smaller bodies fit into one packet either way."""


@dataclass(frozen=True)
class Variant:
    """A body as it is sent, with the headers of 200 and those of 304."""

    body: bytes
    headers: Pairs
    unchanged: Pairs


@dataclass(frozen=True)
class Variants:
    """One document ready to be sent; ``zipped`` is None where compressing it gains nothing.

    ``etags`` are the tags of both, in quotes.
    """

    plain: Variant
    zipped: Variant | None
    etags: tuple[str, ...]
    last_modified: str

    def choose(self, environ: WSGIEnvironment) -> Variant:
        """The one that the client accepts."""
        if self.zipped is not None and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            return self.zipped
        return self.plain

    def is_known(self, environ: WSGIEnvironment) -> bool:
        """Whether the client has it already."""
        return is_known(environ, self.etags, self.last_modified)


def make(
    body: bytes, *, etag: str, last_modified: str, content_type: str, headers: Pairs
) -> Variants:
    """*body* ready to be sent.

    :param etag: without quotes. The compressed variant has another one, as different bytes must.
    :param headers: what stands in the headers of 200 and 304 besides.
    """

    def variant(sent: bytes, tag: str, *more: tuple[str, str]) -> Variant:
        validators = [("ETag", tag), ("Last-Modified", last_modified)]
        rest = [*validators, ("Vary", "Accept-Encoding"), *headers]
        length = ("Content-Length", str(len(sent)))
        return Variant(sent, [("Content-Type", content_type), length, *more, *rest], rest)

    plain = variant(body, f'"{etag}"')
    zipped = None
    if len(body) >= WORTH_ZIPPING:
        smaller = gzip.compress(body, compresslevel=6, mtime=0)
        if len(smaller) < len(body):
            zipped = variant(smaller, f'"{etag}-gzip"', ("Content-Encoding", "gzip"))
    return Variants(plain, zipped, (f'"{etag}"', f'"{etag}-gzip"'), last_modified)


def is_known(environ: WSGIEnvironment, etags: tuple[str, ...], last_modified: str) -> bool:
    """Whether the client has what *etags* (in quotes) name or has seen nothing newer (RFC 9110, 13.1).

    ``If-None-Match`` wins over ``If-Modified-Since``.
    """
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags:
        return tags in etags or _names_one(tags, etags)
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not since:
        return False
    if since == last_modified:
        return True
    known, changed = parse_date(since), parse_date(last_modified)
    return known is not None and changed is not None and changed <= known


class Ready(Response):
    """A response whose headers are complete, so that none of them is worked out again.

    Hooks of the host may add headers and change the body as with any other response.
    """

    default_mimetype = None  # a 304 has no type; all others say theirs

    def __init__(self, body: bytes, status: int, headers: Pairs) -> None:
        super().__init__([body] if body else [], status, _Known(headers))

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return self.headers


class _Known(Headers):
    """Headers from pairs that were checked when they were made."""

    def __init__(self, pairs: Pairs) -> None:
        self._list: list[tuple[str, Any]] = pairs.copy()


@lru_cache(maxsize=256)
def accepts_gzip(text: str) -> bool:
    """Whether an ``Accept-Encoding`` lets gzip through. Browsers send few different ones, so answers are kept."""
    offers = {name.lower(): quality for name, quality in parse_accept_header(text)}
    return offers.get("gzip", offers.get("*", 0)) > 0


def _names_one(tags: str, etags: tuple[str, ...]) -> bool:
    found = parse_etags(tags)
    return any(found.contains_weak(etag.strip('"')) for etag in etags)
