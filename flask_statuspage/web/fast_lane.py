"""A thin layer before the app that answers what is ready: public documents, without routing and without Flask.

It learns from the app's own answers, and answers while the document's version was looked up within the last second. All
that is new, private, stale, personal or asked for with a query goes through the app, and once a second anything does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from .cache import DocumentCache, Rendered
from .ready import Variants

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

MAX_KNOWN = 2000

_KEY = "flask_statuspage.fast_lane"

Key = tuple[str, str, str]


class FastLane:
    """WSGI middleware around *inner*: ``app.wsgi_app = FastLane(app, app.wsgi_app, cache)``."""

    def __init__(self, app: Flask, inner: WSGIApplication, cache: DocumentCache) -> None:
        self._inner = inner
        self._cache = cache
        # Where the host tells its sites apart by name, one path is many addresses.
        self._by_host = app.url_map.host_matching or app.subdomain_matching
        self._known: dict[Key, tuple[str | None, Rendered, Variants]] = {}
        self._is_moved = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if (method == "GET" or method == "HEAD") and not environ.get("QUERY_STRING"):
            key = environ[_KEY] = self._key(environ)
            known = self._known.get(key)
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
        self, environ: WSGIEnvironment, address: str | None, found: Rendered, variants: Variants
    ) -> None:
        """Answer like this from now on, if everybody may have it.

        :param address: of its page, as the cache knows it.
        """
        if not found.shared or not found.page.is_public or found.stale_since is not None:
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
        if key not in self._known and len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[key] = (address, found, variants)

    def _key(self, environ: WSGIEnvironment) -> Key:
        host = environ.get("HTTP_HOST", "") if self._by_host else ""
        return host, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
