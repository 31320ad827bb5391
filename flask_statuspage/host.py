"""What host code gets back: a small handle instead of a row of ours."""

from __future__ import annotations

from asyncio import current_task
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from threading import Lock, get_ident
from types import TracebackType
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy.orm import Session

from .domain.incident import IncidentStatus
from .domain.maintenance import MaintenanceStatus
from .domain.status import ComponentStatus, Impact
from .errors import Conflict, Invalid, NotFound
from .services import audit, incidents, maintenance_course, maintenance_edits, maintenances, pages
from .services.timetable import DONE
from .storage.apart import after_host, committed, host_is_in_the_way
from .storage.base import utc_now
from .storage.pages import Page
from .storage.session import current_session

EARLY = "Ended early by an error."
STOPPED = "Ended early."

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class HostIncident:
    """An incident that host code opened. Its changes are part of the host's transaction: commit as usual."""

    id: UUID
    page_slug: str | None

    def update(
        self,
        status: str | None = None,
        body: str = "",
        *,
        components: Mapping[str, str] | None = None,
        impact: str | None = None,
        next_update_due: datetime | None = None,
        notify: bool = True,
    ) -> HostIncident:
        """The next update: ``incident.update("identified", "A bad deploy; rolling back.")``.

        :param next_update_due: aware; when readers are promised the next news by.
        """
        return self._step(
            incidents.update,
            status=word(IncidentStatus, "status", status) if status else None,
            body=body,
            affected=affected(components) if components is not None else None,
            impact=word(Impact, "impact", impact) if impact else None,
            next_update_due=next_update_due,
            notify=notify,
        )

    def resolve(self, body: str = "", *, notify: bool = True) -> HostIncident:
        """The incident is over."""
        return self._step(incidents.resolve, body=body, notify=notify)

    def postmortem(self, body: str, *, notify: bool = True) -> HostIncident:
        """What was learnt, in Markdown, once the incident is over."""
        return self._step(incidents.postmortem, body=body, notify=notify)

    def reopen(
        self,
        body: str = "",
        *,
        status: str = "investigating",
        components: Collection[str] | Mapping[str, str] | None = None,
        notify: bool = True,
    ) -> HostIncident:
        """It was not over; the incident speaks for its components again.

        :param components: None: as they were before the end.
        """
        return self._step(
            incidents.reopen,
            status=word(IncidentStatus, "status", status),
            body=body,
            affected=affected(components) if components is not None else None,
            notify=notify,
        )

    def _step(self, use_case: Callable[..., object], **options: Any) -> HostIncident:
        session = current_session()
        page = pages.find(session, self.page_slug)
        use_case(session, page, self.id, actor=audit.HOST, **options)
        return self


@dataclass(frozen=True)
class HostMaintenance:
    """A maintenance of host code. Its changes are part of the host's transaction: commit as usual.

    :param apart: each change is committed by itself instead, see :class:`MaintenanceBlock`.
    """

    id: UUID
    page_slug: str | None
    apart: bool = False

    def start(self, body: str = "", *, notify: bool = True) -> HostMaintenance:
        """Begin now, whatever was planned."""
        return self._do(maintenances.start, body=body, notify=notify)

    def update(
        self, body: str = "", status: str | None = None, *, notify: bool = True
    ) -> HostMaintenance:
        """The next word: ``work.update("Nearly done.", "verifying")``."""
        new = word(MaintenanceStatus, "status", status) if status else None
        return self._do(maintenances.update, body=body, status=new, notify=notify)

    def complete(self, body: str = "", *, notify: bool = True) -> HostMaintenance:
        """It is over."""
        return self._do(maintenances.complete, body=body, notify=notify)

    def cancel(
        self, body: str = "", *, series: bool = False, notify: bool = True
    ) -> HostMaintenance:
        """It does not take place, or not to its end.

        :param series: a recurring one ends with it; else the next occurrence stays planned.
        """
        return self._do(maintenances.cancel, body=body, series=series, notify=notify)

    def move(
        self, start: datetime | None = None, end: datetime | None = None, *, notify: bool = True
    ) -> HostMaintenance:
        """Another window; None: as it was. Subscribers hear of it once."""
        times = {"scheduled_start": start, "scheduled_end": end}
        values = {name: value for name, value in times.items() if value is not None}
        return self._do(maintenance_edits.edit, values=values, notify=notify)

    def extend(self, by: timedelta, *, notify: bool = True) -> HostMaintenance:
        """It is planned to last longer than before."""

        def later(session: Session, page: Page, ident: UUID, **options: Any) -> None:
            end = maintenance_course.held(session, page, ident).scheduled_end + by
            maintenance_edits.edit(session, page, ident, {"scheduled_end": end}, **options)

        return self._do(later, notify=notify)

    def _do(self, use_case: Callable[..., object], **options: Any) -> HostMaintenance:
        def work(session: Session) -> None:
            page = pages.find(session, self.page_slug)
            use_case(session, page, self.id, actor=audit.HOST, **options)

        if self.apart:
            committed(work)
        else:
            work(current_session())
        return self


@dataclass(frozen=True, eq=False)
class _Running:
    """A block that was entered and not left yet, and by whom."""

    worker: tuple[int, int | None]
    app: Flask
    work: HostMaintenance


class MaintenanceBlock:
    """A maintenance around a block or a function, committed by itself: see ``StatusPage.maintenance``."""

    def __init__(
        self,
        title: str,
        *,
        components: Collection[str],
        body: str,
        expected: timedelta,
        notify: bool,
        page: str | None,
    ) -> None:
        if not isinstance(expected, timedelta) or expected < timedelta(seconds=1):
            raise Invalid.field("expected", "Must be a timedelta of at least one second.")
        self._title, self._components, self._body = title, components, body
        self._expected, self._notify, self._page = expected, notify, page
        self._running: list[_Running] = []
        self._turning = Lock()

    def __enter__(self) -> HostMaintenance:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        ident = committed(self._begin)
        work = HostMaintenance(ident, self._page, apart=True)
        with self._turning:
            self._running.append(_Running(_current_worker(), app, work))
        return work

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        running = self._latest()
        app, work = running.app, running.work
        body = DONE if error is None else EARLY if isinstance(error, Exception) else STOPPED
        try:
            with _context_of(app):
                if host_is_in_the_way():
                    after_host(lambda: self._end(work, body))
                else:
                    self._end(work, body)
        except Exception:
            if error is None:
                raise
            app.logger.exception(
                "status page: maintenance %s could not be completed; the clock does at its planned end",
                work.id,
            )

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate *function*: each call is a maintenance of its own."""
        if (
            iscoroutinefunction(function)
            or isgeneratorfunction(function)
            or isasyncgenfunction(function)
        ):
            raise TypeError(
                f"{function.__qualname__} returns before its work is done; use 'with' inside of it."
            )

        @wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            with copy(self):
                return function(*args, **kwargs)

        return within

    def __copy__(self) -> MaintenanceBlock:
        """The same maintenance once more, with nothing running."""
        return MaintenanceBlock(
            self._title,
            components=self._components,
            body=self._body,
            expected=self._expected,
            notify=self._notify,
            page=self._page,
        )

    def _latest(self) -> _Running:
        """Take out what was entered last here; a generator may be closed elsewhere than it was begun."""
        worker = _current_worker()
        with self._turning:
            own = [item for item in self._running if item.worker == worker]
            latest = (own or self._running)[-1]
            self._running = [item for item in self._running if item is not latest]
            return latest

    def _begin(self, session: Session) -> UUID:
        now = utc_now()
        row = maintenances.schedule(
            session,
            pages.find(session, self._page),
            title=self._title,
            body=self._body,
            affected=self._components,
            scheduled_start=now,
            scheduled_end=now + self._expected,
            status=MaintenanceStatus.IN_PROGRESS,
            remind_before=(),
            actor=audit.HOST,
            notify=self._notify,
        )
        return row.id

    def _end(self, work: HostMaintenance, body: str) -> None:
        try:
            work.complete(body, notify=self._notify)
        except (Conflict, NotFound):
            # Somebody, or the clock, was faster: it is over, which is all that is wanted.
            current_app.logger.info("status page: maintenance %s was over already", work.id)


def _current_worker() -> tuple[int, int | None]:
    """The thread, and the task in it."""
    try:
        task = current_task()
    except RuntimeError:  # no event loop runs here
        task = None
    return get_ident(), id(task) if task else None


def _context_of(app: Flask) -> AbstractContextManager[object]:
    """The app's context; a generator may be closed when the one it began in is gone."""
    if current_app and current_app._get_current_object() is app:  # type: ignore[attr-defined]
        return nullcontext()
    return app.app_context()


E = TypeVar("E", bound=StrEnum)


def word(kind: type[E], field: str, text: str) -> E:
    """*text* as a member of *kind*.

    :raises Invalid: naming *field* and what is allowed.
    """
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise Invalid.field(field, f"{text!r} is none of {allowed}.") from None


def affected(
    components: Collection[str] | Mapping[str, str],
) -> Collection[str] | dict[str, ComponentStatus]:
    """Slugs, or slugs with statuses, as the services take them."""
    if isinstance(components, Mapping):
        return {
            slug: word(ComponentStatus, f"components.{slug}", status)
            for slug, status in components.items()
        }
    if isinstance(components, str):
        raise Invalid.field("components", "Must be a list of slugs, not one text.")
    return components


def slugs(components: Collection[str]) -> Collection[str]:
    """Slugs, as the services take them."""
    if isinstance(components, str | Mapping):
        raise Invalid.field("components", "Must be a list of slugs.")
    return list(components)
