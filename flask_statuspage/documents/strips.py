"""Uptime strips: the last days of each component as a drawing, in words, and as a list of the days with events.

A strip is one path for each status that occurs, each in a shape of its own, so that nothing is told by colour alone.
Strokes are drawn, not areas: a row of days that are alike is one dashed line, however long it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

from markupsafe import Markup, escape

from ..domain.facts import AffectedFact
from ..domain.happenings import Happening, by_day
from ..domain.status import ComponentStatus
from ..domain.strip import Days, Strip, last_days, strip
from ..domain.uptime import percent_of
from .day_text import NO_DATA, DayText, event_days
from .rendering import Frame, render
from .snapshot import ComponentState, Snapshot
from .words import STATUSES, Words

WINDOWS = (90, 60, 30)
"""The days that a wide, a middling and a narrow strip shows, where so many are kept."""

SLOT = 8
"""The width of a day in the drawing, with the gap to the next; its bar is narrower by 2."""

HEIGHT = 34

_DASHED = {ComponentStatus.OPERATIONAL: 20, ComponentStatus.UNKNOWN: 31}
"""Rows of days that are alike, as one line: the middle of its stroke."""

# Strokes down from y, each as "v" and how far; a gap between two is "m0" and how far.
_UPRIGHT = {
    ComponentStatus.DEGRADED_PERFORMANCE: "0v3m0 3v28",
    ComponentStatus.PARTIAL_OUTAGE: "0v14m0 3v17",
    ComponentStatus.MAJOR_OUTAGE: "0v34",
    ComponentStatus.UNDER_MAINTENANCE: "6v11m0 6v11",
}


@dataclass(frozen=True)
class Shape:
    """One path: all days with one status."""

    tone: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Window:
    """The newest of the days, as a container of some width shows them.

    :param at: names of widths: ``wide``, ``middling``, ``narrow``, with spaces between.
    :param ago: where it begins; empty if that is today.
    :param uptime: its uptime, and of how long.
    """

    at: str
    ago: str
    uptime: str


@dataclass(frozen=True, kw_only=True)
class UptimeStrip:
    """A component's strip, ready for the template.

    :param label: all of it in one sentence; ``slider`` what the slider over it is.
    :param plain: what days are that have no text of their own: as many as the number, ``o`` for operational and ``-``
        where nothing is known. "20-70o".
    :param end: the last day.
    :param events: days with events by their place, the newest first, each with the beginning of its item in the list:
        all of it but links to what happened, and its end.
    :param summary: how many these are; ``full_summary`` names the component as well, to tell such lines apart.
    :param width: of the drawing in a strip that is not wide, in percent of it.
    :param is_short: a strip of middling width shows all days.
    """

    name: str
    label: str
    slider: str
    view: str
    shapes: tuple[Shape, ...]
    windows: tuple[Window, ...]
    plain: str
    end: date
    events: tuple[tuple[int, DayText, Markup], ...]
    summary: str
    full_summary: str
    width: str
    is_short: bool


def uptime_strips(snapshot: Snapshot, words: Words) -> dict[UUID, UptimeStrip]:
    """The strips of the components whose uptime is shown, by their ids."""
    scene = _Scene(snapshot, words)
    return {
        state.fact.id: _uptime_strip(scene, state)
        for state in snapshot.components
        if state.fact.showcase
    }


def strip_days(snapshot: Snapshot, words: Words) -> Days:
    """The days that strips of *snapshot* have: as many as are kept, :data:`WINDOWS`' most at most."""
    count = min(snapshot.uptime_days, WINDOWS[0])
    return last_days(count, until=snapshot.generated_at, zone=words.zone)


def strip_box(snapshot: Snapshot, state: ComponentState, frame: Frame) -> Markup:
    """One component with its strip, for a host's page."""
    words = frame.words(snapshot.page)
    key = "strip", state.fact.id, words.language
    drawn: UptimeStrip | None = snapshot.worked_out.get(key)
    if drawn is None and state.fact.showcase:
        drawn = _uptime_strip(_Scene(snapshot.about(state), words), state)
        snapshot.worked_out[key] = drawn
    return Markup(
        render("_strip_box", snapshot.page, frame, snapshot=snapshot, member=state, drawn=drawn)
    )


def uptime_formula(words: Words, *, partial_weight: float) -> str:
    """How uptimes are computed (:func:`..domain.uptime.uptime_percent`), in sentences for people."""
    # Translators: {share} is such as 30%, {whole} is 100%.
    return words.gettext(
        "Uptime is the share of the observed time in which the service worked. A major outage counts as downtime in "
        "full, a partial outage by {share}, degraded performance not at all. Time under maintenance or without data "
        "is not observed. The result is rounded down; it is {whole} only without any outage.",
        share=words.share(partial_weight),
        whole=words.share(1),
    )


class _Scene:
    """What all strips of a page have in common, made once."""

    def __init__(self, snapshot: Snapshot, words: Words) -> None:
        self.words = words
        self.days = strip_days(snapshot, words)
        self.partial_weight = snapshot.partial_outage_weight
        # Here and not in the template, where a sentence with gaps costs a multiple: a page has a thousand of these.
        pattern = str(escape(words.gettext("{date}: {text}")))
        shown = (words.day(day) for day in self.days.dates)
        dates = [f'<time datetime="{one.iso}">{escape(one.text)}</time>' for one in shown]
        self._lines = [pattern.format(date=date, text="{text}") for date in dates]
        self._everywhere: list[Happening] = []
        self._affected: dict[UUID, list[Happening]] = {}
        for incident in snapshot.incidents:
            self._note(incident.components, Happening.of_incident(incident))
        for work in snapshot.maintenances:
            one = Happening.of_maintenance(work)
            self._note(work.components, one)
            if not work.components:  # it is about the page as a whole
                self._everywhere.append(one)

    def happened(self, state: ComponentState) -> dict[int, list[Happening]]:
        """What went on at *state* by the places of the days."""
        return by_day([*self._affected.get(state.fact.id, ()), *self._everywhere], self.days)

    def item(self, place: int, told: DayText) -> Markup:
        """The beginning of a day's item in the list: its date and what is said of it.

        What the script says of it is the item's text, or stands beside it where that is not the same.
        """
        apart = ""
        if len(told.happenings) > 1 or "\u2068" in told.named:
            apart = f' data-text="{escape(told.named)}"'
        line = self._lines[place].format(text=escape(told.said))
        return Markup(f'<li data-day="{place}"{apart}>{line}')

    def _note(self, components: Iterable[AffectedFact], one: Happening) -> None:
        for component_id in {item.id for item in components}:
            self._affected.setdefault(component_id, []).append(one)


def _uptime_strip(scene: _Scene, state: ComponentState) -> UptimeStrip:
    words, days, weight = scene.words, scene.days, scene.partial_weight
    found = strip(state.history, days)
    name = words.isolated(state.fact.name)
    count = len(days.dates)
    events = event_days(found, scene.happened(state), words, partial_weight=weight)
    windows = _windows(found, words, partial_weight=weight)
    rows = _rows(found.statuses)
    missing = sum(number for status, number in rows if status is ComponentStatus.UNKNOWN)
    number = len(events)
    summary = words.ngettext(
        "{count} day with events", "{count} days with events", number, count=number
    )
    return UptimeStrip(
        name=name,
        label=_label(
            name,
            [windows[0].uptime, summary] if events else [windows[0].uptime],
            0 if found.first is None else missing,
            words,
        ),
        slider=words.gettext("{name}: history by day", name=name),
        view=f"0 0 {count * SLOT} {HEIGHT}",
        shapes=_shapes(rows),
        windows=windows,
        plain=_plain(rows),
        end=days.dates[-1],
        events=tuple((place, told, scene.item(place, told)) for place, told in events),
        summary=summary,
        full_summary=words.ngettext(
            "{count} day with events of {name}",
            "{count} days with events of {name}",
            number,
            count=number,
            name=name,
        ),
        width=f"{max(1, count / (60 if count > 60 else 30)) * 100:.6g}%",
        is_short=count <= 60,
    )


def _windows(found: Strip, words: Words, *, partial_weight: float) -> tuple[Window, ...]:
    """What stands below the strip, at each of the widths that make a difference: of exactly the days that are seen."""
    days = found.days
    count = len(days.dates)
    widths: dict[int, list[str]] = {}
    for name, most in zip(("wide", "middling", "narrow"), WINDOWS, strict=True):
        widths.setdefault(min(most, count), []).append(name)
    windows = []
    seconds: dict[ComponentStatus, float] = {}
    end = count
    # Newest days first, so that none is added up more than once.
    for number, names in reversed(widths.items()):
        for status, lasted in found.seconds(count - number, end).items():
            seconds[status] = seconds.get(status, 0.0) + lasted
        end = count - number
        percent = percent_of(seconds, partial_weight=partial_weight)
        first = found.first
        if percent is None or first is None:
            uptime = words.gettext(NO_DATA)
        elif first > count - number:
            # Translators: such as "99.95% uptime since 12 Oct 2026".
            uptime = words.gettext(
                "{percent} uptime since {date}",
                percent=words.percent(percent),
                date=words.day(days.dates[first]).text,
            )
        else:
            # Translators: such as "99.95% uptime over 90 days".
            uptime = words.ngettext(
                "{percent} uptime over {count} day",
                "{percent} uptime over {count} days",
                number,
                percent=words.percent(percent),
                count=number,
            )
        ago = ""
        if number > 1:
            ago = words.ngettext("{count} day ago", "{count} days ago", number, count=number)
        windows.append(Window(at=" ".join(names), ago=ago, uptime=uptime))
    return tuple(reversed(windows))


def _label(name: str, parts: list[str], missing: int, words: Words) -> str:
    """What the drawing shows, for who does not see it: "REST API: 99.95% uptime over 90 days, 4 days with events".

    :param missing: days without data since there are any.
    """
    if missing:
        parts.append(
            words.ngettext(
                "{count} day without data", "{count} days without data", missing, count=missing
            )
        )
    # Translators: the name of a service and what is said of it.
    return words.gettext("{name}: {text}", name=name, text=words.separator.join(parts))


def _rows(statuses: Iterable[ComponentStatus]) -> list[tuple[ComponentStatus, int]]:
    """The statuses with how many days in a row had them."""
    return [(status, len(list(row))) for status, row in groupby(statuses)]


def _plain(rows: Iterable[tuple[ComponentStatus, int]]) -> str:
    text, calm = "", 0
    for status, number in rows:
        if status is not ComponentStatus.UNKNOWN:
            calm += number
            continue
        text += f"{calm}o{number}-" if calm else f"{number}-"
        calm = 0
    return f"{text}{calm}o" if calm else text


def _shapes(rows: Iterable[tuple[ComponentStatus, int]]) -> tuple[Shape, ...]:
    """One path for each status that occurs. What has no shape is drawn as not known, never green."""
    paths: dict[ComponentStatus, str] = {}
    begin = 0
    for status, number in rows:
        upright = _UPRIGHT.get(status)
        if upright is not None:
            middles = range(begin * SLOT + SLOT // 2, (begin + number) * SLOT, SLOT)
            drawn = "".join([f"M{x} {upright}" for x in middles])
        else:
            if status not in _DASHED:
                status = ComponentStatus.UNKNOWN
            drawn = f"M{begin * SLOT + 1} {_DASHED[status]}h{number * SLOT - 2}"
        paths[status] = paths.get(status, "") + drawn
        begin += number
    return tuple(Shape(STATUSES[status].tone, path) for status, path in paths.items())
