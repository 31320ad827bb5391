"""A page as files: every public document and page with its path, for a mirror that any web server can serve.

Documents are the very bytes that the live site answers. Pages are the same in our own template with relative links,
so that they work under any address; what only the live site can do leads there.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from ..domain.facts import IncidentFact, MaintenanceFact
from . import api_docs, catalogue, page, sign_up
from .snapshot import Snapshot, newest

File = tuple[list[str], Callable[[], bytes]]
"""The names of files that hold the same, and what makes their content."""

PAGES = {
    "home": "index.html",
    "subscribe": "subscribe.html",
    "docs": "docs.html",
    "incident": "incidents/{incident_id}.html",
    "maintenance": "maintenance/{maintenance_id}.html",
}
"""Endpoints that are files, and where those are."""

OPENAPI = "api/openapi.json"


class MirrorUrls:
    """``urls(endpoint, **values)`` from one file of a mirror to another, relative.

    :param here: the file, below the page's folder.
    :param folder: the page's folder below the mirror's, "" or ending with a slash.
    :param live: the page's own URL.
    """

    def __init__(self, here: str, *, folder: str, live: str, dialect: str) -> None:
        self._from = posixpath.dirname(here)
        self._folder = folder
        self._live = live
        self._documents = catalogue.documents(dialect)

    def __call__(self, endpoint: str, /, **values: Any) -> str:
        if endpoint == "static":  # one folder for all pages
            up = "../" * self._folder.count("/")
            return self._relative(f"{up}assets/{values['filename']}")
        if endpoint in PAGES:
            return self._relative(PAGES[endpoint].format(**values))
        if endpoint == "openapi":
            return self._relative(OPENAPI)
        if endpoint in self._documents:
            path = self._documents[endpoint].paths[0]
            for name, value in values.items():
                path = path.replace(f"<{name}>", str(value))
            return self._relative(path)
        return f"{self._live}/{'/'.join([endpoint, *map(str, values.values())])}"

    def _relative(self, path: str) -> str:
        return posixpath.relpath(path, self._from or ".")


class SiteFiles:
    """The files of one page.

    :param snapshot: of the page.
    :param incidents: all published ones, newest first.
    :param folder: below the mirror's, "" or ending with a slash; stands before every path.
    :param dialect: whose JSON stands at ``api/v2/``.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        incidents: Sequence[IncidentFact],
        *,
        folder: str,
        dialect: str,
    ) -> None:
        live = snapshot.page.url
        logo = urljoin(f"{live}/", snapshot.page.logo) if snapshot.page.logo else None
        self._snapshot = snapshot
        # A path on the live site would lead into the mirror.
        self._shown = replace(snapshot, page=replace(snapshot.page, logo=logo))
        self._folder = folder
        self._dialect = dialect
        self._incidents = incidents
        self._of_component: dict[UUID, list[IncidentFact]] = defaultdict(list)
        for fact in incidents:
            for component_id in {item.id for item in fact.components}:
                self._of_component[component_id].append(fact)

    def documents(self, describe_api: Callable[[Snapshot], bytes]) -> Iterator[File]:
        """The documents, those of each component under their canonical path only. Streamed ones are left out."""
        snapshot = self._snapshot
        yield self._file(OPENAPI, render=partial(describe_api, snapshot))
        narrowed = [
            (
                state.fact.slug,
                snapshot.about(state, incidents=newest(self._of_component[state.fact.id])),
            )
            for state in snapshot.components
        ]
        for document in catalogue.documents(self._dialect).values():
            if document.stream is not None:
                continue
            if not document.of_component:
                yield self._file(*document.paths, render=partial(document.render, snapshot))
                continue
            for slug, about in narrowed:
                path = document.paths[0].replace("<component_slug>", slug)
                yield self._file(path, render=partial(document.render, about))

    def streamed(self) -> Iterator[File]:
        """What holds all incidents of the page, and those of each component."""
        live = self._snapshot.page.url
        for document in catalogue.documents(self._dialect).values():
            if document.stream is None:
                continue
            if not document.of_component:
                render = partial(_joined, document.stream, self._incidents, live)
                yield self._file(*document.paths, render=render)
                continue
            for state in self._snapshot.components:
                path = document.paths[0].replace("<component_slug>", state.fact.slug)
                about = self._of_component[state.fact.id]
                yield self._file(path, render=partial(_joined, document.stream, about, live))

    def pages(
        self, *, channels: Mapping[str, Sequence[str]], usual: Collection[str] = ()
    ) -> Iterator[File]:
        """The page itself, its documentation, and the form to subscribe, which posts to the live site.

        :param channels: which can be chosen there, each with the formats that can be.
        :param usual: the events that somebody gets who chooses none.
        """
        yield self._file(PAGES["home"], render=self._home)
        yield self._file(PAGES["subscribe"], render=partial(self._subscribe, channels, usual))
        yield self._file(PAGES["docs"], render=partial(self._docs, "webhook" in channels))

    def _home(self) -> bytes:
        return page.home(self._shown, self._urls("home"), standalone=True).encode()

    def _subscribe(self, channels: Mapping[str, Sequence[str]], usual: Collection[str]) -> bytes:
        shown = self._shown
        return sign_up.subscribe_form(
            shown.page,
            self._urls("subscribe"),
            components=[state.fact for state in shown.components],
            channels=list(channels),
            formats=channels,
            usual=usual,
            action=f"{shown.page.url}/subscribe",
            standalone=True,
        ).encode()

    def _docs(self, webhooks: bool) -> bytes:
        return api_docs.docs(
            self._shown,
            self._urls("docs"),
            dialect=self._dialect,
            webhooks=webhooks,
            standalone=True,
        ).encode()

    def incident(self, fact: IncidentFact) -> bytes:
        urls = self._urls("incident", incident_id=fact.id)
        return page.incident(self._shown, fact, urls, standalone=True).encode()

    def maintenance(self, fact: MaintenanceFact) -> bytes:
        urls = self._urls("maintenance", maintenance_id=fact.id)
        return page.maintenance(self._shown, fact, urls, standalone=True).encode()

    def path(self, endpoint: str, **values: Any) -> str:
        """The file that *endpoint* is."""
        return self._folder + PAGES[endpoint].format(**values)

    def _file(self, *paths: str, render: Callable[[], bytes]) -> File:
        return [self._folder + path for path in paths], render

    def _urls(self, endpoint: str, **values: Any) -> MirrorUrls:
        return MirrorUrls(
            PAGES[endpoint].format(**values),
            folder=self._folder,
            live=self._snapshot.page.url,
            dialect=self._dialect,
        )


def _joined(
    stream: Callable[[Iterable[IncidentFact], str], Iterator[bytes]],
    incidents: Iterable[IncidentFact],
    live: str,
) -> bytes:
    return b"".join(stream(incidents, live))
