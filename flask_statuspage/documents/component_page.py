"""The page of one component: how it is, a year of its days, how fast it answered, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ..domain.happenings import ComponentPast, by_day
from ..domain.months import CalendarMonth, months
from ..domain.series import DEFAULT, RANGES, Series
from ..domain.status import ComponentStatus
from ..domain.strip import Strip, days_since, last_days, strip
from ..translation import marked
from .charts import LENGTHS, Chart, chart
from .day_text import NO_DATA, DayText, event_days
from .rendering import Frame, render
from .snapshot import ComponentState, Snapshot
from .strips import uptime_formula
from .words import Look, Moment, Words

WINDOWS = (7, 30, 90, 365)
"""Days that uptimes are told of, where the published history reaches back so far."""

LISTED = 20
"""So many incidents and maintenances are listed; a link leads to all of them."""

_WEEKDAYS = (
    # Translators: the seven days of the week, as short as a calendar has them.
    marked("Mon"),
    marked("Tue"),
    marked("Wed"),
    marked("Thu"),
    marked("Fri"),
    marked("Sat"),
    marked("Sun"),
)

_NO_DATA = Look(NO_DATA, "none", "none")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One day of a calendar.

    :param anchor: where the day is told of in full; None: there is no more to tell than its look.
    """

    number: int
    look: Look
    text: str
    anchor: str | None


@dataclass(frozen=True, kw_only=True)
class MonthTable:
    """:param weeks: rows of seven; None: that day is of another month, or not told of."""

    title: Moment
    uptime: str | None
    weeks: tuple[tuple[Cell | None, ...], ...]


@dataclass(frozen=True)
class EventDay:
    """A day that is told of in full."""

    anchor: str
    look: Look
    told: DayText


@dataclass(frozen=True)
class RangeLink:
    """``url`` shows so much of the time, or another region's, in the chart."""

    name: str
    url: str
    is_current: bool


def component(
    snapshot: Snapshot,
    state: ComponentState,
    past: ComponentPast,
    series: Series | None,
    frame: Frame,
    *,
    shown_range: str = DEFAULT,
    region: str | None = None,
) -> str:
    """The page of *state*.

    :param series: over *shown_range*; None: it cannot be read at the moment.
    :param region: the one whose response times are drawn; None: the first that has some.
    :raises Invalid: naming ``region``.
    """
    words = frame.words(snapshot.page)
    drawn = chart(series, words, region=region) if series else None
    days = days_since(past.since, until=snapshot.generated_at, zone=words.zone)
    found = strip(past.history, days)
    weight = snapshot.partial_outage_weight
    is_shown = state.fact.showcase
    calendar = months(found, partial_weight=weight) if is_shown else ()
    events = event_days(found, by_day(past.happenings, days), words, partial_weight=weight)
    told = dict(events)
    tables = [_table(month, found, told, words) for month in calendar]
    # A service that is new would begin with a year of nothing.
    empty = sum(found.first is None or month.places[-1] < found.first for month in calendar[:-1])
    seen = sorted(set(found.statuses), key=lambda status: status.severity)
    return render(
        "component",
        snapshot.page,
        frame,
        snapshot=snapshot,
        state=state,
        look=words.status(state.status),
        uptimes=_uptimes(snapshot, past, words) if is_shown else (),
        uptime_formula=uptime_formula(words, partial_weight=weight),
        weekdays=[words.gettext(name) for name in _WEEKDAYS],
        months=tables[empty:][::-1],
        empty_months=tables[:empty][::-1],
        legend=[_look(status, words) for status in seen],
        days=[
            EventDay(_link_to(days.dates[place]), _look(found.statuses[place], words), one)
            for place, one in events
            if is_shown
        ],
        happenings=past.happenings[:LISTED],
        now=snapshot.generated_at,
        chart=drawn,
        is_watched=state.check_interval is not None,
        ranges=_ranges(state, frame, words, shown_range, region),
        regions=_regions(state, frame, drawn, shown_range),
        badges=_badges(state, words),
    )


def _uptimes(snapshot: Snapshot, past: ComponentPast, words: Words) -> list[tuple[str, str]]:
    """What uptimes are of, and the uptimes: over the same days that a strip shows.

    Days before the component's first one are not counted in: it has an uptime since then.
    """
    most = max(WINDOWS)
    found = strip(past.history, last_days(most, until=snapshot.generated_at, zone=words.zone))
    told = []
    for number in WINDOWS:
        if found.days.edges[most - number] < past.observed_from.timestamp():
            continue
        weight = snapshot.partial_outage_weight
        percent = found.percent(most - number, most, partial_weight=weight)
        if percent is None or found.first is None:
            continue
        if found.first > most - number:
            since = words.day(found.days.dates[found.first]).text
            percent_since = words.gettext(
                "{percent} uptime since {date}", percent=words.percent(percent), date=since
            )
            told.append((words.gettext("Uptime"), percent_since))
            break  # longer ones are of the same days
        over = words.ngettext(
            "Uptime, last {count} day", "Uptime, last {count} days", number, count=number
        )
        told.append((over, words.percent(percent)))
    return told


def _link_to(day: date) -> str:
    """The id of what is told of *day*."""
    return f"sp-day-{day.isoformat()}"


def _look(status: ComponentStatus, words: Words) -> Look:
    if status is ComponentStatus.UNKNOWN:
        return Look(words.gettext(_NO_DATA.word), _NO_DATA.icon, _NO_DATA.tone)
    return words.status(status)


def _table(
    month: CalendarMonth, found: Strip, told: Mapping[int, DayText], words: Words
) -> MonthTable:
    first = date(month.year, month.month, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    cells: dict[int, Cell] = {}
    for place in month.places:
        day = found.days.dates[place]
        event = told.get(place)
        look = _look(found.statuses[place], words)
        cells[day.day] = Cell(
            number=day.day,
            look=look,
            # A day of which there is no more to tell was operational, or nothing is known of it.
            text=event.named if event else look.word,
            anchor=_link_to(day) if event else None,
        )
    row: list[Cell | None] = [None] * first.weekday()
    row += [cells.get(number) for number in range(1, last.day + 1)]
    row += [None] * (-len(row) % 7)
    return MonthTable(
        title=words.month(month.year, month.month),
        uptime=None if month.uptime_percent is None else words.percent(month.uptime_percent),
        weeks=tuple(tuple(row[start : start + 7]) for start in range(0, len(row), 7)),
    )


def _badges(state: ComponentState, words: Words) -> list[tuple[str, str]]:
    """The documents that are badges, and what each shows."""
    name = state.fact.name
    badges = [("component_status_badge", words.gettext("Status of {name}", name=name))]
    if state.fact.showcase:
        badges.append(("component_uptime_badge", words.gettext("Uptime of {name}", name=name)))
    if state.check_interval is not None:
        badges.append(
            ("component_response_badge", words.gettext("Response time of {name}", name=name))
        )
    return badges


def _ranges(
    state: ComponentState, frame: Frame, words: Words, shown_range: str, region: str | None
) -> list[RangeLink]:
    return [
        RangeLink(
            words.gettext(LENGTHS[name]),
            _url(state, frame, name, region),
            name == shown_range,
        )
        for name in RANGES
    ]


def _regions(
    state: ComponentState, frame: Frame, drawn: Chart | None, shown_range: str
) -> list[RangeLink]:
    if drawn is None:
        return []
    return [
        RangeLink(name, _url(state, frame, shown_range, name), name == drawn.region)
        for name in drawn.regions
    ]


def _url(state: ComponentState, frame: Frame, name: str, region: str | None) -> str:
    query = {} if name == DEFAULT else {"range": name}
    if region is not None:
        query["region"] = region
    return f"{frame.urls('component', component_slug=state.fact.slug, **query)}#sp-response"
