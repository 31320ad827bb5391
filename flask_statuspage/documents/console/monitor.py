"""The pages of one monitor: how it is and what it found, its deletion, and a heartbeat's new address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ...domain.facts import RegionFact
from ...domain.series import RANGES, Series
from ...domain.status import ComponentStatus
from ...domain.verdict import Verdict
from ..charts import LENGTHS, chart
from ..component_page import RangeLink
from ..words import STATUSES, Moment, Words
from .monitor_words import kind_word
from .monitors import VERDICTS, CheckLine
from .room import Room, shown


@dataclass(frozen=True)
class Named:
    """Something else, and where the console shows it; None: nowhere, or not to this member."""

    name: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class MonitorView:
    """A monitor as its page tells of it. Fields are those of the manage API where nothing else is said.

    :param silence: why it says nothing at the moment, in words.
    :param reports: nobody asks it: it reports by itself.
    :param address_mark: of the address that it reports to; the button that makes another one brings it back.
    :param notices: how many were sent of its being down.
    """

    id: UUID
    name: str
    slug: str
    kind: str
    target: str
    interval: int
    timeout: float
    failure_threshold: int
    recovery_threshold: int
    degraded_threshold: int | None
    degraded_over_ms: int | None
    quorum: int
    outage_status: ComponentStatus
    open_incident: bool
    escalation_intervals: Sequence[int]
    verdict: Verdict
    since: datetime | None
    silence: str | None
    is_paused: bool
    is_flapping: bool
    is_declared: bool
    reports: bool
    address_mark: str
    notices: int
    service: Named | None
    parent: Named | None
    template: Named | None
    regions: Sequence[RegionFact]
    run_counts_as: str | None
    options: Sequence[tuple[str, str]]


def monitor(
    room: Room,
    view: MonitorView,
    *,
    checks: Sequence[CheckLine],
    series: Series,
    region: str | None,
    ran: CheckLine | None,
) -> str:
    """:param region: whose response times are drawn; None: the first that has some.
    :param ran: the check that was just asked for.
    """
    words = room.frame.words(room.page)
    drawn = chart(series, words, region=region)

    def link(name: str, url: dict[str, str], is_current: bool) -> RangeLink:
        return RangeLink(
            name, room.to("monitor", ident=view.id, _anchor="chart", **url), is_current
        )

    kept = {"region": region} if region else {}
    return shown(
        room,
        "monitor",
        view=view,
        look=VERDICTS[view.verdict],
        verdicts=VERDICTS,
        kind=kind_word(view.kind),
        outage=STATUSES[view.outage_status].word,
        chart=drawn,
        series=series,
        ranges=[
            link(LENGTHS[name], {"range": name, **kept}, name == series.range) for name in RANGES
        ],
        chart_regions=[
            link(name, {"range": series.range, "region": name}, name == drawn.region)
            for name in drawn.regions
        ]
        if drawn
        else [],
        checks=checks,
        ran=ran,
        exact=lambda at: _exact(at, words),
    )


def _exact(at: datetime, words: Words) -> Moment:
    """*at* to the second: checks may come every few."""
    local = at.astimezone(words.zone)
    text = f"{words.day(local.date()).text}, {local:%H:%M:%S} {words.clock(at)}"
    return Moment(words.moment(at).iso, text)


def delete(room: Room, *, ident: UUID, name: str, is_declared: bool) -> str:
    """Field: ``name``, which is typed."""
    return shown(room, "monitor_delete", ident=ident, name=name, is_declared=is_declared)


def address(room: Room, *, ident: UUID, name: str, url: str) -> str:
    """The only page that ever shows the address that a heartbeat reports to."""
    return shown(room, "monitor_address", ident=ident, name=name, address=url)
