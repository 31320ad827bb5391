"""The read path: rendered documents by page, document and snapshot; the version looked up at most once a second.

A burst of readers costs one small query a second and process. When the database does not answer, the last snapshot is
served and says so.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.http import http_date

from ..documents.rendering import is_impersonal
from ..documents.snapshot import Snapshot
from ..domain.facts import ShownPage
from ..errors import NotFound, StatusPageError
from ..services import overview
from ..storage import pages
from ..storage.pages import Page
from ..storage.trouble import worded
from ..translation import said
from .ready import Variants
from .shelf import Shelf
from .turns import Turns

logger = logging.getLogger(__name__)

VERSION_SECONDS = 1.0
MEASUREMENT_SECONDS = 15.0
"""How long response times and uptimes may lag behind while the version stays."""

WAIT_SECONDS = 1.0
"""How long a reader waits for another one's rebuild before it is given what there is."""

MAX_DOCUMENTS = 2000
MAX_RARE = 100
MAX_BYTES = 64 * 1024 * 1024
MAX_RARE_BYTES = 16 * 1024 * 1024


class Busy(StatusPageError):
    """The database keeps readers waiting."""

    def __init__(self) -> None:
        super().__init__(said("The database cannot be reached. Try again soon."))


Render = Callable[[Snapshot, datetime | None], bytes]
"""Snapshot, and since when it could not be renewed (None: it is fresh) → the document.

What it reads besides may fail: it is then asked once more, for what the snapshot has.
"""


@dataclass(frozen=True)
class Rendered:
    """One rendered document. ``stale_since`` is set while the database does not answer; it then is of use to those only
    who cannot have a fresh one.

    One that is not ``shared`` was made for one visitor: no cache may give it to another. ``made_of`` stands for the
    snapshot, which itself is not kept: a rare document would keep it for ever. ``last_modified`` is None where two
    versions came within a second, which that header could not tell apart. ``variants`` are the answers made of it, by
    their content type, each made when it is first asked for.
    """

    body: bytes
    etag: str
    last_modified: str | None
    stale_since: datetime | None
    page: ShownPage
    incident_count: int
    made_of: object
    shared: bool = True
    variants: dict[str, Variants] = field(default_factory=dict, repr=False, compare=False)

    @property
    def size(self) -> int:
        """In bytes, with what it takes besides, such as its compressed form."""
        return len(self.body) * 3 // 2 + 2000


@dataclass
class _Held:
    """A page's latest snapshot, when it was read, and when its version was last looked up (monotonic seconds).

    ``changes`` is how many changes of this process had been committed before that look. ``identity`` stands for the
    snapshot in what is made of it.
    """

    snapshot: Snapshot
    read_at: float
    looked_at: float
    changes: int
    stale_since: datetime | None = None
    identity: object = field(default_factory=object)

    def as_stale(self) -> _Held:
        """The same, said not to be fresh."""
        return replace(self, stale_since=self.stale_since or self.snapshot.generated_at)


class DocumentCache:
    """One per app and process."""

    def __init__(self) -> None:
        self._held: dict[tuple[str | None, bool], _Held] = {}
        self._documents: Shelf[Rendered] = Shelf()
        self._changes = 0  # of this process, each after its commit
        self._rare: Shelf[Rendered] = Shelf()
        self._turns = Turns()
        self._putting = threading.Lock()
        self._impersonal: bool | None = None

    def expire_versions(self) -> None:
        """Look versions up again at the next request: this process has just changed a page."""
        self._changes += 1

    def document(
        self,
        open_session: Callable[[], Session],
        address: str | None,
        name: str,
        render: Render,
        *,
        shared: bool = True,
        rare: bool = False,
    ) -> Rendered:
        """The document *name* of the page at *address*, rendered once per snapshot.

        :param open_session: opens the session to read in; not called while what is kept is fresh.
        :param address: None: the root; else a slug, or the token of a page that is seen by its link only.
        :param shared: False: it may differ from visitor to visitor, so it is rendered now and not kept.
        :param rare: strangers may ask for any number of such; few are kept, apart from the others.
        :raises NotFound: when no page answers there.
        :raises SQLAlchemyError: when the database does not answer and nothing was read before.
        :raises Busy: when it keeps another reader waiting, and nothing is known without it.
        """
        held = self._fresh(open_session, address)
        if not shared:
            return _rendered(held, render, None, open_session, shared=False)
        key = (address, name)
        kept = self._rare if rare else self._documents
        known = kept.get(key)
        if known and _is_of(known, held):
            return known
        # Whoever makes it may hang in the database: the others then take what the snapshot has, of which one makes
        # it, too, and else what was made last.
        waiting = held.as_stale()
        for about, turn in ((held, key), (waiting, (key, "stale"))):
            with self._turns.take(turn, WAIT_SECONDS) as is_mine:
                known = kept.get(key)
                if known and (_is_of(known, held) or _is_of(known, about)):
                    return known  # another reader was first
                if is_mine:
                    document = _rendered(about, render, known, open_session)
                    self._keep(kept, key, document)
                    return document
        if known is None:
            raise Busy
        # Its page is as it is now: it may have been closed since.
        return replace(known, page=held.snapshot.page, stale_since=waiting.stale_since, variants={})

    def _keep(self, kept: Shelf[Rendered], key: tuple[str | None, str], made: Rendered) -> None:
        is_rare = kept is self._rare
        most, size = (MAX_RARE, MAX_RARE_BYTES) if is_rare else (MAX_DOCUMENTS, MAX_BYTES)
        with self._putting:
            kept.put(key, made, most=most, most_bytes=size)

    def page(
        self,
        open_session: Callable[[], Session],
        address: str | None,
        name: str,
        render: Render,
        *,
        rare: bool = False,
    ) -> Rendered:
        """An HTML page: kept like any document, unless the host's templates take part in it."""
        if self._impersonal is None:
            self._impersonal = is_impersonal()
        return self.document(
            open_session, address, name, render, shared=self._impersonal, rare=rare
        )

    def is_current(self, address: str | None, found: Rendered) -> bool:
        """Whether *found* may be sent without a look at the database."""
        held = self._held.get((address, False))
        return held is not None and _is_of(found, held) and self._is_recent(held)

    def ages(self) -> dict[str, float]:
        """How many seconds ago each page that this process holds was last read, by slug."""
        now = time.monotonic()
        found: dict[str, float] = {}
        for held in list(self._held.values()):  # others may add one meanwhile
            slug, age = held.snapshot.page.slug, now - held.read_at
            found[slug] = min(age, found.get(slug, age))
        return found

    def latest(
        self, open_session: Callable[[], Session], address: str | None
    ) -> tuple[Snapshot, datetime | None]:
        """The page's snapshot, and since when it could not be renewed (None: it is fresh)."""
        held = self._fresh(open_session, address)
        return held.snapshot, held.stale_since

    def snapshot(self, open_session: Callable[[], Session], address: str | None) -> Snapshot:
        """The page's snapshot, as fresh as documents are."""
        return self._fresh(open_session, address).snapshot

    def snapshot_for_host(self, open_session: Callable[[], Session], slug: str | None) -> Snapshot:
        """The same for a request of the host, which must not wait for long; whatever the page's visibility.

        The session may be the host's own: it is not rolled back here.

        :raises Busy: when there is none yet and the database keeps others waiting.
        """
        return self._fresh(open_session, slug, for_host=True).snapshot

    def _fresh(
        self, open_session: Callable[[], Session], address: str | None, *, for_host: bool = False
    ) -> _Held:
        place = (address, for_host)
        held = self._held.get(place)
        if held is not None and self._is_recent(held):
            return held
        # One reader looks and rebuilds. The others need not wait for it, unless there is nothing yet or this process
        # has changed something, which is to be in its very next answer; but while a database hangs not for long.
        patience = WAIT_SECONDS if for_host or held is not None else None
        if held is not None and held.changes == self._changes and not self._is_overdue(held):
            patience = 0.0
        with self._turns.take(place, patience) as is_mine:
            if not is_mine:
                held = self._held.get(place)
                if (
                    held is None and not for_host
                ):  # one waits for the first look, so there was one: the page is gone
                    raise NotFound("page", address or "/")
                if held is None:
                    raise Busy
                if self._is_overdue(held):
                    # Whoever looks has not come back: what was known may not be so any more, and says so.
                    return held.as_stale()
                return held
            held = self._held.get(place)
            if held is not None and self._is_recent(held):
                return held
            session = open_session()
            try:
                held = self._renewed(session, place, held)
            except SQLAlchemyError as error:
                if not for_host:
                    session.rollback()
                if held is None:
                    raise
                logger.warning("status page: serving the last snapshot: %s", worded(error))
                held.stale_since = held.stale_since or held.snapshot.generated_at
                held.looked_at, held.changes = time.monotonic(), self._changes
            return held

    def _renewed(
        self, session: Session, place: tuple[str | None, bool], held: _Held | None
    ) -> _Held:
        address, hidden = place
        now, changes = (
            time.monotonic(),
            self._changes,
        )  # noted before the look, so that a later change counts
        found = pages.version_of(session, address, hidden=hidden)
        if found is None:
            self._held.pop(place, None)
            raise NotFound("page", address or "/")
        if held is not None and self._is_current(held, found, now):
            held.looked_at, held.changes, held.stale_since = now, changes, None
            return held
        page = session.get_one(Page, found[0], populate_existing=True)
        snapshot = overview.snapshot(session, page)
        renewed = _Held(snapshot, read_at=now, looked_at=now, changes=changes)
        self._held[place] = renewed
        return renewed

    def _is_recent(self, held: _Held) -> bool:
        """Whether the version was looked up within the second, and this process changed nothing since."""
        recent = time.monotonic() - held.looked_at < VERSION_SECONDS
        return recent and held.changes == self._changes

    @staticmethod
    def _is_overdue(held: _Held) -> bool:
        """Whether its version should have been looked up again a while ago."""
        return time.monotonic() - held.looked_at > VERSION_SECONDS + WAIT_SECONDS

    @staticmethod
    def _is_current(held: _Held, found: tuple[UUID, int], now: float) -> bool:
        same = (held.snapshot.page.id, held.snapshot.version) == found
        return same and now - held.read_at < MEASUREMENT_SECONDS


def _is_of(document: Rendered, held: _Held) -> bool:
    return document.made_of is held.identity and document.stale_since == held.stale_since


def _rendered(
    held: _Held,
    render: Render,
    before: Rendered | None,
    open_session: Callable[[], Session],
    *,
    shared: bool = True,
) -> Rendered:
    """:param before: the same document of an earlier snapshot."""
    snapshot = held.snapshot
    try:
        body = render(snapshot, held.stale_since)
    except SQLAlchemyError as error:
        if held.stale_since is not None:
            raise
        logger.warning("status page: a document of what is known already: %s", worded(error))
        open_session().rollback()
        held = held.as_stale()
        body = render(snapshot, held.stale_since)
    etag, changed = _etag(body), http_date(datetime.now(UTC))
    last_modified: str | None = changed
    if before is not None and before.etag == etag:
        last_modified = before.last_modified
    elif before is not None and before.last_modified == changed:
        last_modified = None
    return Rendered(
        body=body,
        etag=etag,
        last_modified=last_modified,
        stale_since=held.stale_since,
        page=snapshot.page,
        incident_count=snapshot.incident_count,
        made_of=held.identity,
        shared=shared,
    )


def _etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
