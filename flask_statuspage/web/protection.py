"""Maintenance for the host's own blueprints: 503 with the status page's banner, or a note in their pages.

Nothing here may take the host down: whatever fails is logged, and the host's request passes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from math import ceil
from weakref import ref

from flask import Blueprint, Flask, Response, after_this_request, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from ..documents import maintenance_notes as notes
from ..documents.rendering import Frame
from ..documents.snapshot import Snapshot
from ..domain.facts import MaintenanceFact, ShownPage
from ..errors import NotFound
from ..state import current_state
from ..storage.base import utc_now
from ..storage.trouble import concealed
from . import access, answers, counting, injection, shown, visits
from .mounts import is_meant, lineage

SHORTEST = 30
"""Seconds that ``Retry-After`` asks for at least."""

OVERRUN = 60
"""The same once the planned end has passed and nobody knows."""

RENEWED_WITHIN = timedelta(seconds=60)
"""An older snapshot could not be renewed."""

PAUSE = 5.0
"""Seconds without another look after one that failed, so that a database that hangs does not slow every request."""

PAUSE_WITHOUT_PAGE = 60.0


class Mode(StrEnum):
    """What a maintenance does to a protected blueprint."""

    BANNER = "banner"
    BLOCK = "block"


@dataclass(frozen=True)
class Protection:
    """A blueprint of the host (or its name) and the component whose maintenance concerns it."""

    blueprint: Blueprint | str
    component: str
    mode: Mode
    page: str | None
    app: ref[Flask] | None = None
    """The only app that it counts for."""

    def covers(self, app: Flask, name: str) -> bool:
        """Whether the blueprint that *app* has under *name* is meant."""
        if self.app is not None and self.app() is not app:
            return False
        return is_meant(app, self.blueprint, name)


@dataclass
class _Watch:
    """A protection in one app. Until ``quiet_until`` (monotonic seconds) it is not looked at."""

    protection: Protection
    quiet_until: float = 0.0
    is_known: bool = False
    was_missed: bool = False


@dataclass(frozen=True)
class _Found:
    """A maintenance that concerns this request."""

    protection: Protection
    snapshot: Snapshot
    fact: MaintenanceFact

    @property
    def component_name(self) -> str:
        slug = self.protection.component
        return next(item.name for item in self.fact.components if item.slug == slug)


class Guard:
    """Looks at every request of one app; *protections* may grow at any time."""

    def __init__(self, protections: list[Protection]) -> None:
        self._protections = protections
        self._seen = 0
        self._unknown_until = 0.0
        self._watches: dict[str, tuple[_Watch, ...]] = {}

    def check(self) -> Response | None:
        """The ``before_request`` function: None lets the request pass."""
        if not self._protections:
            return None
        name = request.blueprint
        if name is None:
            return None
        if self._seen != len(self._protections):
            seen = len(self._protections)
            self._watches = {}
            self._seen = seen
        known = self._watches  # another thread may begin a new one meanwhile
        watches = known.get(name)
        if watches is None:
            watches = known[name] = self._watches_of(name)
        if not watches:
            return None
        try:
            return self._answer(watches)
        except Exception:
            current_app.logger.exception("status page: a protected blueprint is not protected")
            return None

    def _watches_of(self, name: str) -> tuple[_Watch, ...]:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        chain = lineage(name)
        owner = current_state().owner
        if any(app.blueprints.get(one) is owner for one in chain):
            return ()  # the status page itself, inside of a protected blueprint
        return tuple(
            _Watch(protection)
            for protection in self._protections
            if any(protection.covers(app, one) for one in chain)
        )

    def _answer(self, watches: tuple[_Watch, ...]) -> Response | None:
        # A preflight does no work; without the host's CORS headers on its answer no script could read the 503.
        if request.method == "OPTIONS" or (request.endpoint or "").endswith(".static"):
            return None
        found = [one for watch in watches if (one := _look(watch))]
        blocking = next((one for one in found if one.protection.mode is Mode.BLOCK), None)
        if blocking is not None and not self._is_member():
            counting.uncount()
            return _refusal(blocking)
        if found:
            _announce(blocking or found[0], passing=blocking is not None)
        return None

    def _is_member(self) -> bool:
        now = time.monotonic()
        if now < self._unknown_until:
            return False
        try:
            return access.is_member()
        except SQLAlchemyError as error:
            concealed(error)
            self._unknown_until = now + PAUSE
            current_app.logger.exception(
                "status page: the team cannot be looked up; nobody is a member"
            )
        except Exception:
            current_app.logger.exception(
                "status page: the member loader failed; nobody is a member"
            )
        return False


def _look(watch: _Watch) -> _Found | None:
    """The maintenance that is going on, if the page tells of one."""
    now = time.monotonic()
    if now < watch.quiet_until:
        return None
    protection = watch.protection
    try:
        snapshot = visits.snapshot_for_host(protection.page)
    except NotFound as error:
        watch.quiet_until = now + PAUSE_WITHOUT_PAGE
        _complain_once(watch, str(error))
        return None
    except Exception:
        watch.quiet_until = now + PAUSE
        current_app.logger.exception("status page: a protected blueprint is not protected")
        return None
    fact = _going_on(snapshot, protection.component, utc_now())
    if fact is not None:
        return _Found(protection, snapshot, fact)
    if not watch.is_known:
        slugs = {state.fact.slug for state in snapshot.components}
        watch.is_known = protection.component in slugs
        if not watch.is_known:
            _complain_once(watch, f"There is no component {protection.component!r}.")
    return None


def _going_on(snapshot: Snapshot, component: str, now: datetime) -> MaintenanceFact | None:
    is_old = now - snapshot.generated_at > RENEWED_WITHIN
    for fact in snapshot.active_maintenances:
        # The last that is known holds while the database is away, which may be what is maintained; but not for ever.
        over = is_old and now >= fact.scheduled_end
        if not over and any(item.slug == component for item in fact.components):
            return fact
    return None


def _complain_once(watch: _Watch, reason: str) -> None:
    if not watch.was_missed:
        watch.was_missed = True
        current_app.logger.warning("status page: protect() has no effect. %s", reason)


@dataclass(frozen=True)
class _Telling:
    """What this visitor may be told of a maintenance. ``linked``: all of it, for the page is theirs to see."""

    page: ShownPage
    fact: MaintenanceFact
    frame: Frame
    linked: bool


def _telling(found: _Found) -> _Telling:
    page, fact = found.snapshot.page, found.fact
    if _is_shown(page):
        frame = shown.frame_for_host(page, found.protection.page)
        return _Telling(page, fact, frame, linked=True)
    page, fact = notes.untold(page, fact, found.component_name)
    return _Telling(page, fact, shown.frame_for_host(page, None), linked=False)


def _is_shown(page: ShownPage) -> bool:
    try:
        return visits.shows_to_visitor(page)
    except Exception:
        current_app.logger.exception("status page: a loader failed; the visitor is a stranger")
        return False


def _refusal(found: _Found) -> Response:
    now, told, name = utc_now(), _telling(found), found.component_name
    left = ceil((told.fact.scheduled_end - now).total_seconds())
    seconds = max(left, SHORTEST) if left > 0 else OVERRUN
    if answers.wants_json():
        detail = notes.sentence(told.page, told.fact, name, now, linked=told.linked)
        return answers.problem(503, detail, headers={"Retry-After": str(seconds)})
    turned_away = partial(
        notes.turned_away,
        told.page,
        told.fact,
        component_name=name,
        now=now,
        linked=told.linked,
    )
    try:
        html = turned_away(told.frame)
    except Exception:
        # The host's base template may count on functions of the host that run after this one.
        current_app.logger.exception(
            "status page: the host's template failed; ours takes its place"
        )
        html = turned_away(replace(told.frame, standalone=True))
    visits.note_shown(told.page)
    response = answers.page(html, 503)
    response.headers["Retry-After"] = str(seconds)
    return response


def _announce(found: _Found, *, passing: bool) -> None:
    """Put a note into the answer to this request, before any ``after_request`` function of the host sees it."""

    def note() -> str:
        told = _telling(found)
        return notes.box(
            told.page,
            told.fact,
            told.frame,
            component_name=found.component_name,
            now=utc_now(),
            linked=told.linked,
            passing=passing,
        )

    def add(response: Response) -> Response:
        try:
            return injection.add_note(response, note)
        except Exception:
            current_app.logger.exception("status page: no note in a protected blueprint's page")
            return response

    if request.method in ("GET", "HEAD"):
        # A 304 to what the visitor has from before would hide the note.
        for condition in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            request.environ.pop(condition, None)
    after_this_request(add)
