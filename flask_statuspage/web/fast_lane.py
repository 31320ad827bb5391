"""A thin layer before the app that answers what is ready: public documents, without routing and without Flask.

It learns from the app's own answers, and answers while the document's version was looked up within the last second. All
that is new, private, stale, personal or asked for with a query goes through the app, and once a second anything does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from ..state import state_of
from .cache import DocumentCache, Rendered
from .languages import accepted
from .ready import Variants

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

MAX_KNOWN = 2000
"""Answers, each language of a page counted."""

MAX_BYTES = 64 * 1024 * 1024
"""Of all answers: some of them the document cache has let go of, so that its own limit does not count for them."""

SWEEP_SECONDS = 60.0

_KEY = "flask_statuspage.fast_lane"

Key = tuple[str, str, str]
Known = tuple[str | None, Rendered, Variants]


class FastLane:
    """WSGI middleware around *inner*: ``app.wsgi_app = FastLane(app, app.wsgi_app, cache)``."""

    def __init__(self, app: Flask, inner: WSGIApplication, cache: DocumentCache) -> None:
        self._inner = inner
        self._cache = cache
        # Where the host tells its sites apart by name, one path is many addresses.
        self._by_host = app.url_map.host_matching or app.subdomain_matching
        self._known: dict[Key, Known | dict[str, Known]] = {}
        self._locales = state_of(app).settings.locales
        self._is_moved = False
        self._count = self._size = 0
        self._swept_at = time.monotonic()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if (method == "GET" or method == "HEAD") and not environ.get("QUERY_STRING"):
            key = environ[_KEY] = self._key(environ)
            known = self._known.get(key)
            if isinstance(known, dict):  # the page in several languages
                known = known.get(accepted(environ.get("HTTP_ACCEPT_LANGUAGE", ""), self._locales))
            if known is not None:
                address, found, variants = known
                if self._cache.is_current(address, found):
                    chosen = variants.choose(environ)
                    if variants.is_known(environ):
                        start_response("304 NOT MODIFIED", chosen.unchanged.copy())
                        return ()
                    start_response("200 OK", chosen.headers.copy())
                    return () if method == "HEAD" else (chosen.body,)
        return self._inner(environ, start_response)

    def learn(
        self,
        environ: WSGIEnvironment,
        address: str | None,
        found: Rendered,
        variants: Variants,
        *,
        language: str | None = None,
    ) -> None:
        """Answer like this from now on, if everybody may have it.

        :param address: of its page, as the cache knows it.
        :param language: of those whose browser asks for it; None: all get the same.
        """
        if not found.shared or not found.page.is_public or found.stale_since is not None:
            return
        if found.size > MAX_BYTES:
            return
        key = environ.get(_KEY)
        if key is None or self._is_moved:  # asked for with a query, or closed
            return
        if key != self._key(environ):
            # One path here is then several addresses there, with links of their own.
            self._is_moved = True
            self._known.clear()
            logger.error(
                "status page: the fast lane is closed: a layer behind it, such as ProxyFix, moves the app. Put that "
                "layer around it: app.wsgi_app = ProxyFix(statuspage.fast_lane(app), …)."
            )
            return
        now = time.monotonic()
        is_full = self._count >= MAX_KNOWN or self._size + found.size > MAX_BYTES
        if is_full or now - self._swept_at > SWEEP_SECONDS:
            self._swept_at = now
            self._sweep(found.size)
        known: Known = (address, found, variants)
        before = self._known.get(key)
        if language is None:
            self._known[key] = known
        else:
            spoken = before if isinstance(before, dict) else {}
            # Another one, as a thread may be looking at what there is.
            self._known[key] = {**spoken, language: known}
        for answers, sign in ((self._known.get(key), 1), (before, -1)):
            number, size = _measured(answers)
            self._count += sign * number
            self._size += sign * size

    def _sweep(self, wanted: int) -> None:
        """Let go of what is not current: nobody may ask for it again, and it would keep its bytes for ever. If that
        makes no room for *wanted* bytes more, let go of all.
        """
        kept: dict[Key, Known | dict[str, Known]] = {}
        for key, known in self._known.copy().items():
            if not isinstance(known, dict):
                if self._is_current(known):
                    kept[key] = known
            elif spoken := {name: one for name, one in known.items() if self._is_current(one)}:
                kept[key] = spoken
        measured = [_measured(known) for known in kept.values()]
        number, size = sum(one for one, _ in measured), sum(one for _, one in measured)
        if number >= MAX_KNOWN or size + wanted > MAX_BYTES:
            kept, number, size = {}, 0, 0
        self._known, self._count, self._size = kept, number, size

    def _is_current(self, known: Known) -> bool:
        return self._cache.is_current(known[0], known[1])

    def _key(self, environ: WSGIEnvironment) -> Key:
        host = environ.get("HTTP_HOST", "") if self._by_host else ""
        return host, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")


def _measured(known: Known | dict[str, Known] | None) -> tuple[int, int]:
    """How many answers these are, and how many bytes."""
    if known is None:
        return 0, 0
    answers = known.values() if isinstance(known, dict) else (known,)
    return len(answers), sum(found.size for _, found, _ in answers)
