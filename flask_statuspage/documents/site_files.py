"""A page as files: every public document and page with its path, for a mirror that any web server can serve.

Documents are the very bytes that the live site answers. Pages are the same in our own template with relative links,
so that they work under any address; what only the live site can do leads there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from ..domain.facts import IncidentFact, MaintenanceFact
from ..domain.happenings import ComponentPast
from ..domain.series import Series
from ..domain.year_month import Month
from . import (
    api_docs,
    assets,
    calendar,
    catalogue,
    component_page,
    history,
    live,
    page,
    sign_up,
    widget,
)
from .history import Choice, Events
from .history_by_month import by_month
from .mirror_urls import MONTH, OPENAPI, MirrorUrls
from .neighbours import Neighbours
from .rendering import Frame
from .snapshot import ComponentState, Snapshot, newest
from .words import words_of

File = tuple[list[str], Callable[[], bytes]]
"""The names of files that hold the same, and what makes their content."""

PAGES = {
    "home": "index.html",
    "history": "history.html",
    "subscribe": "subscribe.html",
    "docs": "docs.html",
    "incident": "incidents/{incident_id}.html",
    "maintenance": "maintenance/{maintenance_id}.html",
    "maintenance_ics": "maintenance/{maintenance_id}.ics",
    "component": "components/{component_slug}.html",
    "live": "live.json",
    "widget_js": "widget.js",
    "widget_json": "widget.json",
}
"""Endpoints that are files, and where those are."""


class SiteFiles:
    """The files of one page.

    :param snapshot: of the page.
    :param incidents: all published ones, newest first.
    :param maintenances: all, the latest window first.
    :param folder: below the mirror's, "" or ending with a slash; stands before every path.
    :param dialect: whose JSON stands at ``api/v2/``.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        incidents: Sequence[IncidentFact],
        maintenances: Sequence[MaintenanceFact],
        *,
        folder: str,
        dialect: str,
    ) -> None:
        site = snapshot.page.url
        logo = urljoin(f"{site}/", snapshot.page.logo) if snapshot.page.logo else None
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
        self._by_month = by_month(snapshot, incidents, maintenances)
        self.months = {
            month: found for month, found in self._by_month.items() if found.newest_first
        }
        """Those of the history that are files of their own."""

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
        """The page itself, the present month of its history, its documentation, the form to subscribe, and the widget.

        Forms are sent to the live site.

        :param channels: which can be chosen there, each with the formats that can be.
        :param usual: the events that somebody gets who chooses none.
        """
        yield self._file(PAGES["home"], render=self._home)
        yield self._file(PAGES["history"], render=self._present)
        yield self._file(PAGES["subscribe"], render=partial(self._subscribe, channels, usual))
        yield self._file(PAGES["docs"], render=partial(self._docs, "webhook" in channels))
        yield self._file(PAGES["live"], render=partial(self._data, live.live))
        yield self._file(PAGES["widget_json"], render=partial(self._data, widget.data))
        yield self._file(PAGES["widget_js"], render=lambda: assets.read("widget.js") or b"")

    def _data(self, render: Callable[[Snapshot, Frame], str]) -> bytes:
        return render(self._shown, self._frame("home")).encode()

    def _home(self) -> bytes:
        return page.home(self._shown, self._frame("home")).encode()

    def month(self, month: Month) -> bytes:
        """One of :attr:`months`."""
        return self._history(self._by_month[month], self._frame("history", month=month))

    def _present(self) -> bytes:
        choice = history.chosen(self._snapshot, {})
        return self._history(self._by_month[choice.month], self._frame("history"))

    def _history(self, events: Events, frame: Frame) -> bytes:
        choice = Choice(month=events.month, component=None)
        action = f"{self._shown.page.url}/history"
        return history.history(self._shown, events, frame, choice=choice, action=action).encode()

    def _subscribe(self, channels: Mapping[str, Sequence[str]], usual: Collection[str]) -> bytes:
        shown = self._shown
        return sign_up.subscribe_form(
            shown.page,
            self._frame("subscribe"),
            components=[state.fact for state in shown.components],
            channels=list(channels),
            formats=channels,
            usual=usual,
            action=f"{shown.page.url}/subscribe",
        ).encode()

    def _docs(self, webhooks: bool) -> bytes:
        return api_docs.docs(
            self._shown,
            self._frame("docs"),
            dialect=self._dialect,
            webhooks=webhooks,
        ).encode()

    def incident(self, fact: IncidentFact, neighbours: Neighbours) -> bytes:
        frame = self._frame("incident", incident_id=fact.id)
        return page.incident(self._shown, fact, frame, neighbours=neighbours).encode()

    def maintenance(self, fact: MaintenanceFact) -> bytes:
        frame = self._frame("maintenance", maintenance_id=fact.id)
        return page.maintenance(self._shown, fact, frame).encode()

    def maintenance_ics(self, fact: MaintenanceFact) -> bytes:
        return calendar.one_maintenance(self._snapshot, fact)

    def component(self, state: ComponentState, past: ComponentPast, series: Series | None) -> bytes:
        """:param series: over the usual range; other ones are on the live site."""
        frame = self._frame("component", component_slug=state.fact.slug)
        return component_page.component(self._shown, state, past, series, frame).encode()

    def path(self, endpoint: str, **values: Any) -> str:
        """The file that *endpoint* is."""
        return self._folder + _path(endpoint, values)

    def _file(self, *paths: str, render: Callable[[], bytes]) -> File:
        return [self._folder + path for path in paths], render

    def _frame(self, endpoint: str, **values: Any) -> Frame:
        urls = MirrorUrls(
            _path(endpoint, values),
            files=PAGES,
            months=frozenset(map(str, self.months)),
            folder=self._folder,
            live=self._snapshot.page.url,
            dialect=self._dialect,
        )
        return Frame(urls=urls, language=words_of(self._snapshot.page).language, standalone=True)


def _path(endpoint: str, values: Mapping[str, Any]) -> str:
    template = MONTH if endpoint == "history" and values else PAGES[endpoint]
    return template.format(**values)


def _joined(
    stream: Callable[[Iterable[IncidentFact], str], Iterator[bytes]],
    incidents: Iterable[IncidentFact],
    live: str,
) -> bytes:
    return b"".join(stream(incidents, live))
