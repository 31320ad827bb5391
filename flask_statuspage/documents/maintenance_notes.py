"""What visitors of a host's part are told while it is under maintenance."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from markupsafe import Markup

from ..domain.facts import MaintenanceFact, ShownPage
from .rendering import Frame, render
from .words import words_in


def untold(
    page: ShownPage, fact: MaintenanceFact, component_name: str
) -> tuple[ShownPage, MaintenanceFact]:
    """Both without what only readers of the page may know: what stays are the component's name and the times.

    Templates get nothing else then, so that one of the host's own cannot tell more either.
    """
    bare = replace(
        page,
        slug="",
        name="Status",
        url="",
        locale=None,
        language=None,
        link_token=None,
        logo=None,
        colours=(),
        header="",
        footer="",
    )
    components = tuple(item for item in fact.components if item.name == component_name)
    return bare, replace(fact, title=component_name, updates=(), components=components)


def sentence(
    page: ShownPage, fact: MaintenanceFact, component_name: str, now: datetime, *, linked: bool
) -> str:
    """For programs, in English: what is maintained, until when, and why if they may know."""
    until = words_in("en", page.time_zone).moment(fact.scheduled_end).text
    planned = "longer than planned" if fact.is_overrun(now) else f"until {until}"
    said = f"{component_name} is under maintenance {planned}"
    return f"{said}: {fact.title}" if linked else f"{said}."


def turned_away(
    page: ShownPage,
    fact: MaintenanceFact,
    frame: Frame,
    *,
    component_name: str,
    now: datetime,
    linked: bool,
) -> str:
    """The page that stands in for the host's own.

    :param linked: whether to lead to the status page and to say why; else give what :func:`untold` leaves.
    """
    return render(
        "maintenance_503",
        page,
        frame,
        maintenance=fact,
        component_name=component_name,
        is_overrun=fact.is_overrun(now),
        linked=linked,
    )


def box(
    page: ShownPage,
    fact: MaintenanceFact,
    frame: Frame,
    *,
    component_name: str,
    now: datetime,
    linked: bool,
    passing: bool = False,
) -> Markup:
    """A short note on one maintenance for a host's page.

    :param linked: as for :func:`turned_away`.
    :param passing: the reader is a member, whom the maintenance lets pass.
    """
    return Markup(
        render(
            "_maintenance_box",
            page,
            frame,
            maintenance=fact,
            component_name=component_name,
            is_overrun=fact.is_overrun(now),
            linked=linked,
            passing=passing,
        )
    )
