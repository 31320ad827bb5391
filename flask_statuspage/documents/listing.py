"""What a page lists: its services in groups, and its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from ..domain.facts import GroupFact, IncidentFact
from ..domain.status import ComponentStatus
from .snapshot import NEWEST_INCIDENTS, ComponentState, Snapshot, rolled_up
from .words import Moment, Words

PAST_DAYS = 14
FOLDED_FROM = 3
"""From this many groups on, those that are fine are folded."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A group as it is listed; ``group`` is None for the services that belong to none."""

    group: GroupFact | None
    members: tuple[ComponentState, ...]
    status: ComponentStatus
    folded: bool


@dataclass(frozen=True)
class Day:
    """One day of the page's zone with the incidents that began on it; ``is_cut`` where there may be more of them."""

    date: Moment
    incidents: tuple[IncidentFact, ...]
    is_cut: bool = False


def sections(snapshot: Snapshot) -> tuple[Section, ...]:
    """The services to list. Those shown only while degraded are left out while nothing is wrong."""
    shown = [
        (group, tuple(member for member in members if _is_shown(member)))
        for group, members in snapshot.sections
    ]
    shown = [(group, members) for group, members in shown if members]
    many = sum(group is not None for group, _ in shown) >= FOLDED_FROM
    return tuple(
        Section(
            group=group,
            members=members,
            status=rolled_up(members),
            folded=many
            and group is not None
            and all(member.status is ComponentStatus.OPERATIONAL for member in members),
        )
        for group, members in shown
    )


def past_days(snapshot: Snapshot, words: Words) -> tuple[Day, ...]:
    """The last :data:`PAST_DAYS` days, newest first, those without incidents too.

    An incident that is still open stands on its day as well: "no incidents" would be untrue there. A day that the
    snapshot's incidents do not reach is left out for the same reason: the last one is then cut.
    """
    today = snapshot.generated_at.astimezone(words.zone).date()
    begun: dict[date, list[IncidentFact]] = {}
    for fact in snapshot.incidents:
        begun.setdefault(fact.started_at.astimezone(words.zone).date(), []).append(fact)
    days = (today - timedelta(days=back) for back in range(PAST_DAYS))
    reach = _reach(snapshot, words)
    return tuple(
        Day(words.day(day), tuple(begun.get(day, ())), is_cut=day == reach)
        for day in days
        if reach is None or day >= reach
    )


def _reach(snapshot: Snapshot, words: Words) -> date | None:
    """The first day of which the snapshot has incidents, perhaps not all of them; None: it has all there are."""
    newest = snapshot.incidents[:NEWEST_INCIDENTS]
    if snapshot.incident_count <= len(snapshot.incidents) or not newest:
        return None
    return newest[-1].started_at.astimezone(words.zone).date()


def _is_shown(state: ComponentState) -> bool:
    return not (state.fact.only_show_if_degraded and state.status.is_calm)
