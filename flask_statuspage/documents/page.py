"""The pages as HTML: one function for each template. What they are given besides is in :mod:`.rendering`."""

from __future__ import annotations

from markupsafe import Markup

from ..domain.facts import IncidentFact, MaintenanceFact, ShownPage
from ..domain.incident import IncidentStatus
from ..translation import said
from .banner import announcement, banner, near_maintenance
from .listing import past_days, sections
from .live import last_look, stale_note
from .neighbours import Neighbours, courses, following
from .rendering import Frame, render
from .repetition import repetition
from .responses import response
from .snapshot import Snapshot
from .strips import uptime_formula, uptime_strips
from .words import words_in


def home(
    snapshot: Snapshot,
    frame: Frame,
) -> str:
    """The page itself."""
    words = frame.words(snapshot.page)
    shown = banner(snapshot, words)
    return render(
        "home",
        snapshot.page,
        frame,
        here="home",
        snapshot=snapshot,
        banner=shown,
        looked=last_look(snapshot, shown, words),
        stale_note=stale_note(words),
        announced=near_maintenance(snapshot),
        sections=sections(snapshot),
        days=past_days(snapshot, words),
        strips=uptime_strips(snapshot, words),
        uptime_formula=uptime_formula(words, partial_weight=snapshot.partial_outage_weight),
        response=response(snapshot, words),
    )


def incident(
    snapshot: Snapshot,
    fact: IncidentFact,
    frame: Frame,
    *,
    neighbours: Neighbours | None = None,
) -> str:
    """One incident with all its updates, newest first.

    :param neighbours: the ones before and after it.
    """
    words = frame.words(snapshot.page)
    until = fact.ended_at or snapshot.generated_at
    is_timed = fact.resolved_at is not None or fact.status.is_open
    return render(
        "incident",
        snapshot.page,
        frame,
        snapshot=snapshot,
        incident=fact,
        lasted=words.duration(fact.started_at, until) if is_timed else None,
        courses=courses(fact),
        postmortems=[u for u in fact.updates if u.status is IncidentStatus.POSTMORTEM],
        updates=[u for u in fact.updates if u.status is not IncidentStatus.POSTMORTEM],
        neighbours=neighbours or Neighbours(),
        address=_address(
            f"{snapshot.page.url}/incidents/{fact.id}",
            frame.urls("incident", incident_id=fact.id),
        ),
    )


def maintenance(
    snapshot: Snapshot,
    fact: MaintenanceFact,
    frame: Frame,
) -> str:
    """One maintenance with its window and all its updates, newest first."""
    words = frame.words(snapshot.page)
    window = (fact.scheduled_start, fact.scheduled_end)
    elsewhere = any(when.astimezone(words.zone).utcoffset() for when in window)
    return render(
        "maintenance",
        snapshot.page,
        frame,
        snapshot=snapshot,
        maintenance=fact,
        is_overrun=fact.is_overrun(snapshot.generated_at),
        # In universal time as well, where the page's clock shows another one.
        universal=words_in(words.language, "UTC").moment if elsewhere else None,
        repeats=None if fact.status.is_over else repetition(fact, words),
        following=() if fact.status.is_over else following(snapshot, fact),
        address=_address(
            f"{snapshot.page.url}/maintenance/{fact.id}",
            frame.urls("maintenance", maintenance_id=fact.id),
        ),
    )


def banner_box(snapshot: Snapshot, frame: Frame) -> Markup:
    """A short note for a host's page; empty unless something is wrong, or maintenance is going on or near."""
    words = frame.words(snapshot.page)
    shown = banner(snapshot, words)
    if shown.status.is_calm and not snapshot.open_incidents:
        near = near_maintenance(snapshot)
        if near is None:
            return Markup("")
        shown = announcement(near, words)
    return Markup(render("_banner", snapshot.page, frame, snapshot=snapshot, banner=shown))


def error(
    page: ShownPage | None,
    frame: Frame,
    *,
    title: str,
    message: str,
    next_url: str | None = None,
    next_label: str | None = None,
) -> str:
    """Something that cannot be shown or done, with one way on; each text in the reader's language where it can be.

    :param page: None where there is no page either, or none that this visitor may know of.
    :param next_url: where *next_label* leads; without both of them it is the page.
    """
    return render(
        "error",
        page,
        frame,
        title=title,
        message=message,
        next_url=next_url or frame.urls("home"),
        next_label=next_label or said("Go to the current status"),
    )


def _address(public: str, link: str) -> str:
    """*public* in the language that the visitor chose, which *link* keeps: such a page is one by itself."""
    _, mark, query = link.partition("?")
    return f"{public}{mark}{query}"
