"""Addresses within a mirror, and those on the live site for what no file can be."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote, urlencode

from . import catalogue

OPENAPI = "api/openapi.json"
MONTH = "history/{month}.html"

LIVE = {
    "home": "",
    "history": "history",
    "incident": "incidents/{incident_id}",
    "maintenance": "maintenance/{maintenance_id}",
    "maintenance_ics": "maintenance/{maintenance_id}.ics",
    "component": "components/{component_slug}",
    "live": "live.json",
    "widget": "widget",
    "widget_js": "widget.js",
    "widget_json": "widget.json",
    "docs": "docs",
    "openapi": OPENAPI,
    "subscribe": "subscribe",
    "confirm": "confirm/{token}",
    "manage": "manage/{token}",
    "unsubscribe": "unsubscribe/{token}",
}
"""Where pages and files are on the live site, below the page's URL."""


class MirrorUrls:
    """``urls(endpoint, **values)`` from one file of a mirror to another, relative.

    What is no file leads to the live site, and so does what is asked of a file by a query: a file answers none.

    :param here: the file, below the page's folder.
    :param files: which endpoints are files, with the paths of these.
    :param months: those months of the history that are files, as ``2026-11``.
    :param folder: the page's folder below the mirror's, "" or ending with a slash.
    :param live: the page's own URL.
    """

    def __init__(
        self,
        here: str,
        *,
        files: Mapping[str, str],
        months: Collection[str] = (),
        folder: str,
        live: str,
        dialect: str,
    ) -> None:
        self._from = posixpath.dirname(here)
        self._files = files
        self._months = months
        self._folder = folder
        self._live = live
        self._documents = catalogue.documents(dialect)

    def __call__(self, endpoint: str, /, **values: Any) -> str:
        """:raises LookupError: for an endpoint that there is not."""
        if endpoint == "static":  # one folder for all pages
            up = "../" * self._folder.count("/")
            return self._relative(f"{up}assets/{values['filename']}")
        values = {name: value for name, value in values.items() if value is not None}
        path = self._file(endpoint, values)
        return self.live(endpoint, **values) if path is None else self._relative(path)

    def live(self, endpoint: str, /, **values: Any) -> str:
        """The same on the live site.

        :raises LookupError: for an endpoint that there is not.
        """
        document = self._documents.get(endpoint)
        template = _braced(document.paths[0]) if document else LIVE[endpoint]
        named = _names(template)
        path = template.format(**{name: quote(str(values[name]), safe="") for name in named})
        query = urlencode(
            {name: value for name, value in values.items() if name not in named}, doseq=True
        )
        address = f"{self._live}/{path}" if path else self._live
        return f"{address}?{query}" if query else address

    def _file(self, endpoint: str, values: Mapping[str, Any]) -> str | None:
        """The file that *endpoint* is; None: there is none for these values."""
        if endpoint == "openapi" and not values:
            return OPENAPI
        if endpoint in self._documents:
            template = _braced(self._documents[endpoint].paths[0])
            return template.format(**values) if _names(template) == set(values) else None
        if endpoint == "history" and set(values) == {"month"}:
            month = values["month"]
            return MONTH.format(month=month) if month in self._months else None
        if endpoint not in self._files or _names(self._files[endpoint]) != set(values):
            return None
        return self._files[endpoint].format(**values)

    def _relative(self, path: str) -> str:
        return posixpath.relpath(path, self._from or ".")


def _braced(path: str) -> str:
    return path.replace("<", "{").replace(">", "}")


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}
