"""Read what goes on from the RSS or Atom feed of a status page.

A feed has no list of components and no word for the page as a whole, only entries that people wrote. The rule is a
careful one; docs/monitoring-upstream.md says it for operators:

* Entries of one incident count once, the newest. They have one id or one address of an incident; where neither tells,
  one title but for its state.
* Its state is what its title says (``[RESOLVED] …``, ``RESOLVED: …``), else the first line of its text that begins with
  a state (``Resolved - …``, ``Status: Resolved``): pages write the newest first.
* One whose state nobody tells goes on for a day; one that is said to go on does so until two weeks after its last news.
* How bad it is only its title, or a line such as ``Impact: Major outage``, can say; else it is degraded performance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..domain.foreign import Node
from ..domain.source_page import MAX_NAME
from ..domain.status import ComponentStatus
from ..domain.upstream import UpstreamNews, UpstreamState, link, page_word
from .upstream_document import MAX_TEXT, newest_first
from .upstream_xml import Element, moment, plain
from .upstream_xml import read as read_xml

UNTOLD = timedelta(days=1)
FORGOTTEN = timedelta(days=14)
MAX_TITLE = 1000
MAX_ID = 500
"""Characters that are looked at."""

_OVER = (
    *("resolved", "completed", "complete", "postmortem", "post-mortem", "closed", "restored"),
    *("fixed", "recovered", "cancelled", "canceled", "operational", "mitigated and resolved"),
    *("service is operating normally", "informational message", "informational", "notice"),
    *("scheduled", "planned", "upcoming"),
)
_OPEN = (
    *("investigating", "identified", "monitoring", "update", "updated", "in progress", "open"),
    *("verifying", "ongoing", "created", "new", "active", "service impact", "service issue"),
    *("service degradation", "service disruption", "performance issues", "service outage"),
    *("disruption", "degradation", "outage"),
)
_STATES = {word: False for word in _OVER} | {word: True for word in _OPEN}
_STATE = "|".join(sorted(map(re.escape, _STATES), key=len, reverse=True))

# "RESOLVED: …", "[Resolved] …", "Service is operating normally: [RESOLVED] …"
_DASH = "[-\u2013\u2014]"
_IN_TITLE = re.compile(rf"\s*(?:\[({_STATE})\]|({_STATE})(?:\s*:|\s+{_DASH}\s))\s*", re.IGNORECASE)
# "Resolved - …", "Status: Resolved", "Resolved, Feb 19", "[14:00 UTC] Resolved."
_IN_LINE = re.compile(
    rf"(?:\[[^\]]{{0,60}}\]\s*)?(?:(?:current\s+)?(?:status|state)\s*:\s*)?"
    rf"({_STATE})\s*(?:[:,.]|$|{_DASH}\s)",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"(impact|severity|affected(?: components| services)?|components|services)\s*:\s*(.+)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(status|state|window|impact|severity|affected[\w ]*|components|services)\s*:", re.I
)
_FULL = re.compile(
    r"\b(major|full|complete|total|critical)\s+outage\b|\bservice disruption\b", re.I
)
_PART = re.compile(r"\b(partial\s+outage|outage|service outage)\b", re.IGNORECASE)
_PLANNED = re.compile(r"\bmaintenance\b", re.IGNORECASE)
_PLANNED_STATES = {"scheduled", "in progress", "verifying"}
_HARMLESS = re.compile(r"none|no impact", re.IGNORECASE)
_DATE = re.compile(r"[A-Z][a-z]{2,8}\.?\s+\d{1,2}\b.{0,40}")


def read(body: bytes, now: datetime) -> UpstreamState:
    """The page in *body*, as of *now*.

    :raises ValueError: where it is no feed.
    """
    feed = read_xml(body)
    entries = [_entry(one) for one in feed.entries]
    name = re.sub(rf" ?{_DASH} ?incident history$", "", _title(feed), flags=re.I)
    pages = [found for one in feed.links if (found := link(one))]
    return UpstreamState(
        name=name or None,
        news=newest_first(_news(one) for one in _latest(entries) if one.goes_on(now)),
        as_of=max((one.at for one in entries if one.at), default=None),
        url=pages[0] if pages else None,
        icon_url=link(feed.text("icon", "logo")),
        lists_components=False,
    )


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """:param says: whether its incident goes on; None: it does not say so."""

    title: str
    lines: tuple[str, ...]
    keys: frozenset[str]
    says: bool | None
    about: tuple[str, ...]
    at: datetime | None

    def goes_on(self, now: datetime) -> bool:
        if self.says is None:
            return self.at is not None and self.at > now - UNTOLD
        return self.says and (self.at is None or self.at > now - FORGOTTEN)


def _entry(element: Element) -> _Entry:
    whole = _title(element)
    title, states = _without_state(whole)
    lines = tuple(plain(element.text("content", "encoded", "description", "summary")).split("\n"))
    if not states:
        found = (match for line in lines if (match := _IN_LINE.match(line)))
        states = [match[1].casefold() for match in found][:1]
    dates = (element.text(name) for name in ("updated", "pubDate", "published", "date"))
    return _Entry(
        title=whole,
        lines=lines,
        keys=_keys(element, title),
        # Of "Service is operating normally: [RESOLVED] …" either would do; of contradictions the one that is over.
        says=all(_STATES[state] for state in states) if states else None,
        about=(*element.texts.get("category", ()), *_labelled(lines, "affected", "comp", "serv")),
        at=next((at for text in dates if text and (at := moment(text))), None),
    )


def _without_state(title: str) -> tuple[str, list[str]]:
    """*title* without the states that it begins with, and those."""
    states = []
    while match := _IN_TITLE.match(title):
        states.append((match[1] or match[2]).casefold())
        title = title[match.end() :]
    return title, states


def _keys(element: Element, title: str) -> frozenset[str]:
    """What entries of one incident have in common."""
    ident = element.text("id", "guid")[:MAX_ID]
    stem = _stem(ident)
    incidents = [one for one in element.links if "/incident" in one.casefold()]
    keys = [f"link {one}" for one in incidents[:1]]
    if ident:
        keys.append(f"id {stem}")
    if stem == ident and not incidents:
        # Not where ids tell: at AWS the same title stands over what happens in many places.
        keys.append(f"title {title.casefold()}")
    return frozenset(keys)


def _stem(ident: str) -> str:
    """*ident* without what AWS ends the ids of an incident's entries with, their times, and Google Cloud with the ids
    of its updates."""
    stem, _, at = ident.rpartition("_")
    if len(at) >= 9 and at.isdecimal():
        return stem
    before, mark, own = ident.rpartition(":feed:")
    incident, _, update = own.rpartition(".")
    is_update = mark and update and incident and "." not in incident
    return f"{before}{mark}{incident}" if is_update else ident


def _latest(entries: list[_Entry]) -> list[_Entry]:
    """Of each incident its newest entry; those of one time, or without one, as the feed has them: the newest first."""
    never = datetime.min.replace(tzinfo=UTC)
    known: set[str] = set()
    found = []
    for entry in sorted(entries, key=lambda one: one.at or never, reverse=True):
        if known.isdisjoint(entry.keys):
            found.append(entry)
        known |= entry.keys
    return found


def _news(entry: _Entry) -> UpstreamNews:
    title, _ = _without_state(entry.title)
    node = Node({"title": title or entry.title or "Incident", "text": "\n".join(_newest(entry))})
    return UpstreamNews(
        title=node.line("title", at_most=MAX_NAME),
        text=node.body("text", at_most=MAX_TEXT),
        status=_severity(entry),
        about=entry.about,
        at=entry.at,
    )


def _newest(entry: _Entry) -> list[str]:
    """The latest word on it: from the first line with a state to the next one; all of it where there is none."""
    lines = [line for line in entry.lines if not _LABEL.match(line)]
    begins = [place for place, line in enumerate(lines) if _IN_LINE.match(line)]
    if begins:
        lines = lines[begins[0] : begins[1] if begins[1:] else None]
    while lines and _DATE.fullmatch(lines[-1]):
        lines.pop()  # of the update before
    return lines


def _severity(entry: _Entry) -> ComponentStatus:
    said = {match[1].casefold() for line in entry.lines if (match := _IN_LINE.match(line))}
    is_planned = _PLANNED.search(entry.title) or any(map(_PLANNED.fullmatch, entry.about))
    if is_planned or said & _PLANNED_STATES:
        return ComponentStatus.UNDER_MAINTENANCE
    for told in (*_labelled(entry.lines, "impact", "sev"), entry.title):
        if _HARMLESS.fullmatch(told):
            return ComponentStatus.OPERATIONAL
        word = page_word(told)
        if word.severity > ComponentStatus.OPERATIONAL.severity:
            return word
        if _FULL.search(told):
            return ComponentStatus.MAJOR_OUTAGE
        if _PART.search(told):
            return ComponentStatus.PARTIAL_OUTAGE
    return ComponentStatus.DEGRADED_PERFORMANCE


def _labelled(lines: tuple[str, ...], *labels: str) -> list[str]:
    """What stands behind labels that begin so."""
    found = (match for line in lines if (match := _LABELLED.match(line)))
    return [match[2] for match in found if match[1].casefold().startswith(labels)]


def _title(element: Element) -> str:
    """The title on one line."""
    return " ".join(plain(element.text("title")).split())[:MAX_TITLE]
