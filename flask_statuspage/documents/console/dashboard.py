"""The page "Dashboard": what is open, who hears of it, and how each service is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.status import ComponentStatus, Impact
from ..words import STATUSES
from .room import Room, shown

CHOICE = tuple((status.value, look.word) for status, look in STATUSES.items())[:5]
"""What a person may say of a service."""


@dataclass(frozen=True)
class Way:
    """A link and its words."""

    url: str
    word: str


HOURS = (("", "Until it is changed"), ("1", "1 hour"), ("4", "4 hours"))
"""For how long what a person says counts."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An open incident, or a maintenance that runs or is near.

    :param state: in words.
    :param impact: of an incident.
    :param affects: names of services.
    :param at: when it was last told of; of a maintenance when it begins or is to end.
    :param when: what *at* is, in words.
    :param ways: what can be done about it.
    """

    title: str
    url: str
    state: str
    affects: Sequence[str]
    at: datetime
    when: str
    impact: Impact | None = None
    is_draft: bool = False
    ways: Sequence[Way] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceRow:
    """A service and who says how it is.

    :param status: as it is kept, which is compared when another one is saved.
    :param seen: as readers see it: unknown where checks were missed.
    :param source: in words: "Monitor", "Manual, by ann@example.com".
    :param is_manual: a person's word stands, which can be taken back. *note*: what they wrote beside it.
    :param mark: of that word, which is compared when another one is saved.
    """

    slug: str
    name: str
    status: ComponentStatus
    seen: ComponentStatus
    source: str
    since: datetime | None
    until: datetime | None
    is_manual: bool
    note: str
    mark: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """``incidents``: that readers see, ``drafts``: of open ones that they do not. ``came``: how many of the subscribers
    came within seven days, ``went``: how many others went. ``failed``: within a day.
    """

    incidents: int
    drafts: int
    maintenances: int
    subscribers: int
    came: int
    went: int
    failed: int


def dashboard(
    room: Room,
    *,
    figures: Figures,
    happenings: Sequence[Happening],
    groups: Sequence[tuple[str | None, Sequence[ServiceRow]]],
    lacking: Sequence[str] = (),
    offer: Way | None = None,
) -> str:
    """Fields of its form: ``status.<slug>`` (a status, ``follow`` or nothing), ``was.<slug>``, ``note``, ``hours``,
    ``notify``.

    :param groups: names, None for services of no group, each with its services in the page's order.
    :param lacking: the commands of work that nobody does.
    :param offer: what may be done next, beside the notice of what was done.
    """
    return shown(
        room,
        "dashboard",
        figures=figures,
        happenings=happenings,
        groups=groups,
        choice=CHOICE,
        hours=HOURS,
        lacking=lacking,
        offer=offer,
    )
