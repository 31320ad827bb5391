"""What visitors of a host's part are told while it is under maintenance."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from ..domain.facts import MaintenanceFact, PageFact
from . import words
from .rendering import Urls, render
from .snapshot import Snapshot

OWN_BASE = "statuspage/base.html"


def sentence(page: PageFact, fact: MaintenanceFact, component_name: str, now: datetime) -> str:
    """For programs: what is maintained, until when, and why."""
    until = words.moment(fact.scheduled_end, ZoneInfo(page.time_zone)).text
    planned = "longer than planned" if fact.is_overrun(now) else f"until {until}"
    return f"{component_name} is under maintenance {planned}: {fact.title}"


def turned_away(
    snapshot: Snapshot,
    fact: MaintenanceFact,
    urls: Urls,
    *,
    component_name: str,
    now: datetime,
    linked: bool,
    standalone: bool = False,
) -> str:
    """The page that stands in for the host's own.

    :param linked: whether to lead to the status page, which the visitor may see.
    :param standalone: in our own base template, whatever the settings say.
    """
    return render(
        "maintenance_503",
        snapshot.page,
        urls,
        maintenance=fact,
        component_name=component_name,
        is_overrun=fact.is_overrun(now),
        linked=linked,
        base_template=OWN_BASE if standalone else None,
    )


def box(
    snapshot: Snapshot,
    fact: MaintenanceFact,
    urls: Urls,
    *,
    now: datetime,
    linked: bool,
    passing: bool = False,
) -> Markup:
    """A short note on one maintenance for a host's page.

    :param passing: the reader is a member, whom the maintenance lets pass.
    """
    return Markup(
        render(
            "_maintenance_box",
            snapshot.page,
            urls,
            maintenance=fact,
            is_overrun=fact.is_overrun(now),
            linked=linked,
            passing=passing,
        )
    )
