"""The pages as HTML: one function for each template. What they are given besides is in :mod:`.rendering`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from ..domain.facts import IncidentFact, MaintenanceFact, ShownPage
from ..domain.status import ComponentStatus
from . import words
from .rendering import Urls, render
from .snapshot import Snapshot


def home(
    snapshot: Snapshot,
    urls: Urls,
    *,
    stale_since: datetime | None = None,
    standalone: bool = False,
) -> str:
    """The page itself.

    :param stale_since: when *snapshot* could no longer be renewed; the page then says so.
    :param standalone: in our own base template, whatever the settings say; so for all of these.
    """
    return render(
        "home",
        snapshot.page,
        urls,
        here="home",
        snapshot=snapshot,
        banner=words.banner(snapshot),
        sections=words.sections(snapshot),
        days=words.past_days(snapshot),
        stale_since=stale_since,
        standalone=standalone,
    )


def incident(
    snapshot: Snapshot,
    fact: IncidentFact,
    urls: Urls,
    *,
    stale_since: datetime | None = None,
    standalone: bool = False,
) -> str:
    """One incident with all its updates, newest first."""
    until = fact.resolved_at or snapshot.generated_at
    return render(
        "incident",
        snapshot.page,
        urls,
        snapshot=snapshot,
        incident=fact,
        lasted=words.duration(fact.started_at, until),
        stale_since=stale_since,
        standalone=standalone,
    )


def maintenance(
    snapshot: Snapshot,
    fact: MaintenanceFact,
    urls: Urls,
    *,
    stale_since: datetime | None = None,
    standalone: bool = False,
) -> str:
    """One maintenance with its window and all its updates, newest first."""
    return render(
        "maintenance",
        snapshot.page,
        urls,
        snapshot=snapshot,
        maintenance=fact,
        is_overrun=fact.is_overrun(snapshot.generated_at),
        stale_since=stale_since,
        standalone=standalone,
    )


def banner_box(snapshot: Snapshot, urls: Urls) -> Markup:
    """A short note for a host's page; empty unless something is wrong, or maintenance is going on or near."""
    shown = words.banner(snapshot)
    calm = (ComponentStatus.OPERATIONAL, ComponentStatus.UNKNOWN)
    if shown.status in calm and not snapshot.open_incidents:
        near = words.near_maintenance(snapshot)
        if near is None:
            return Markup("")
        shown = words.announcement(near, ZoneInfo(snapshot.page.time_zone))
    return Markup(render("_banner", snapshot.page, urls, snapshot=snapshot, banner=shown))


def error(
    page: ShownPage | None,
    urls: Urls,
    *,
    title: str,
    message: str,
    next_url: str | None = None,
    next_label: str = "Go to the current status",
) -> str:
    """Something that cannot be shown or done, with one way on.

    :param page: None where there is no page either.
    :param next_url: where *next_label* leads; the page without it.
    """
    return render(
        "error",
        page,
        urls,
        title=title,
        message=message,
        next_url=next_url or urls("home"),
        next_label=next_label,
    )
