"""The static mirror: every public page and document as files, so that they stand while the site is down."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from uuid import UUID

from flask import current_app
from flask.ctx import RequestContext
from sqlalchemy.orm import Session
from werkzeug.routing import BuildError

from ..documents import assets
from ..documents.site_files import File, SiteFiles
from ..documents.snapshot import Snapshot
from ..domain.facts import MaintenanceFact, ShownPage
from ..state import current_settings, current_state
from ..storage import folder as folders
from ..storage import leases
from ..storage import maintenances as stored_maintenances
from ..storage import pages as stored
from ..storage.apart import apart_from_host
from ..storage.base import utc_now
from ..storage.folder import Folder, Outcome
from ..storage.pages import Page
from ..storage.session import database_now
from . import facts, mirror_pages, overview, ways, wishes
from .mirror_examples import examples, origin

logger = logging.getLogger(__name__)

LASTS = timedelta(minutes=5)
"""How long what was measured may lag behind while nothing else changes."""

RETRY = timedelta(minutes=1)
"""After what time files that could not be written are tried again."""

_NOTE = "mirror"


def write(path: str, *, stopping: Callable[[], bool] = lambda: False) -> Outcome:
    """Make the folder *path* hold what the public pages show now.

    Only reads the database, in short transactions of its own. What fails is logged and counted, and stops nothing else.

    :param stopping: asked between files; once it says so the rest is left to the next run, which begins with the page
        that waits the longest.
    :raises SetupError: when the folder cannot be used.
    """
    with folders.held(Path(path)) as folder:
        pages = _public_pages()
        # First, so that nothing that fails later keeps what strangers must not see any more.
        folder.remove_all_but({page.id.hex for page, _ in pages})
        writers = [_PageFiles(folder, page, prefix) for page, prefix in pages]
        for writer in sorted(writers, key=lambda writer: writer.written_at):
            if not writer.write(stopping):
                return folder.finish(complete=False)
        for asset in assets.FOLDER.iterdir():
            folder.write(f"assets/{asset.name}", asset.read_bytes())
        for name, text in examples([page for page, _ in pages], Path(path).absolute()):
            folder.write(name, text.encode())
        return folder.finish()


def state_of_pages(session: Session) -> UUID:
    """Changes with everything that a page shows, but for what was measured."""
    versions = sorted((ident.hex, version) for ident, version in stored.versions(session).items())
    return UUID(bytes=hashlib.sha256(repr(versions).encode()).digest()[:16])


def note_written(session: Session, state: UUID, outcome: Outcome) -> None:
    """Note for whoever schedules, maybe on another machine, that *state* is in the files, but for what failed.

    :param state: as it was before anything of what was written was read.
    """
    if outcome.complete:
        until = database_now(session) + (RETRY if outcome.failures else LASTS)
        leases.note(session, _NOTE, state, until=until)


def is_written(session: Session, state: UUID) -> bool:
    """Whether *state* is in the files, and what was measured is recent enough."""
    return leases.is_noted(session, _NOTE, state, database_now(session), lasts=LASTS)


def _public_pages() -> list[tuple[ShownPage, str]]:
    """The pages with their folders below the mirror's, "" or ending with a slash."""
    with apart_from_host() as open_session:
        return [
            (facts.shown_page(page), "" if page.is_default else f"{page.slug}/")
            for page in open_session().scalars(stored.all_pages())
            if page.visibility == "public"
        ]


class _PageFiles:
    """Writes the files of one page."""

    def __init__(self, folder: Folder, page: ShownPage, prefix: str) -> None:
        self._folder = folder
        self._page = page
        self._prefix = prefix
        self._owner = page.id.hex
        self._index = f"{prefix}index.html"

    @property
    def written_at(self) -> str:
        """When the page had its turn last; "" for never."""
        return self._folder.stamp(self._index) or ""

    def write(self, stopping: Callable[[], bool]) -> bool:
        """Whether all was done; False: it was time to stop."""
        started = utc_now().isoformat()
        try:
            with _as_if_asked(self._page, self._prefix):
                return self._write(stopping)
        except Exception as error:
            logger.exception("status page: the mirror of %s could not be made", self._page.url)
            self._folder.keep_all(self._owner)
            self._folder.fail(self._index, _why(error))
            return True
        finally:
            self._folder.mark(self._index, started)

    def _write(self, stopping: Callable[[], bool]) -> bool:
        found = self._read()
        if found is None:
            return True
        snapshot, maintenances = found
        incidents = list(chain.from_iterable(overview.all_incidents(snapshot)))
        files = SiteFiles(
            snapshot,
            incidents,
            maintenances,
            folder=self._prefix,
            dialect=current_settings().api_dialect,
        )
        for names, render in (
            *files.pages(
                channels={name: ways.offered_formats(name) for name in wishes.offered_channels()},
                usual=ways.usual_events(),
            ),
            *files.documents(current_state().describe_api),
            *files.streamed(),
        ):
            if stopping():
                return False
            self._write_one((names, render))
        for one in mirror_pages.singles(files, snapshot, incidents, maintenances):
            if stopping():
                return False
            if one.stamp and self._folder.stamp(one.name) == one.stamp:
                self._folder.keep(one.name)
            else:
                self._write_one(([one.name], one.render), stamp=one.stamp)
        return True

    def _read(self) -> tuple[Snapshot, list[MaintenanceFact]] | None:
        with apart_from_host() as open_session:
            session = open_session()
            page = session.get(Page, self._page.id, populate_existing=True)
            if page is None or page.visibility != "public":  # since a moment ago
                return None
            rows = session.scalars(stored_maintenances.of_page(page.id))
            return overview.snapshot(session, page), [facts.maintenance(row) for row in rows]

    def _write_one(self, file: File, *, stamp: str = "") -> None:
        names, render = file
        try:
            content = render()
        except Exception as error:
            logger.exception("status page: the mirror could not make %s", names[0])
            for name in names:
                self._folder.fail(name, _why(error))
            return
        for name in names:
            self._folder.write(name, content, owner=self._owner, stamp=stamp)


def _as_if_asked(page: ShownPage, prefix: str) -> AbstractContextManager[RequestContext]:
    """As if somebody had asked for the page: the host's templates and context processors may look at the request."""
    base = origin(page.url) or "http://localhost"
    root = current_app.config["APPLICATION_ROOT"].strip("/")
    endpoint = f"{current_state().mounts[0]}.home"
    values: dict[str, object] = {"page_slug": prefix[:-1]} if prefix else {}
    scheme, _, host = base.partition("://")
    try:
        current_app.inject_url_defaults(endpoint, values)
        urls = current_app.url_map.bind(host, url_scheme=scheme)
        # Not the path of the page's URL: a proxy may have put another one before the app.
        path = urls.build(endpoint, values, append_unknown=False)
    except BuildError:  # the host's own part of the path is not known here
        path = "/"
    return current_app.test_request_context(path=path, base_url=f"{base}/{root}")


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
