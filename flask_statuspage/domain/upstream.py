"""What the status page of another service says, in the words of this house, and what of it is news."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from .dialects import NATIVE_STATUS, STATUSPAGE_COMPONENT, STATUSPAGE_INDICATOR
from .ids import slugify
from .status import ComponentStatus, worst
from .verdict import Verdict

MAX_URL = 500

_UP = ComponentStatus.OPERATIONAL
_FINE = (None, ComponentStatus.UNKNOWN, _UP)


def _bare(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold()


_COMPONENT_WORDS = {
    **{_bare(word): status for status, word in STATUSPAGE_COMPONENT.items() if status.severity},
    **{_bare(word): status for status, word in NATIVE_STATUS.items()},
    "degraded": ComponentStatus.DEGRADED_PERFORMANCE,
    "fulloutage": ComponentStatus.MAJOR_OUTAGE,
    "minoroutage": ComponentStatus.PARTIAL_OUTAGE,
}
_PAGE_WORDS = {
    **_COMPONENT_WORDS,
    **{_bare(word): status for status, word in STATUSPAGE_INDICATOR.items() if status.severity},
    "hasissues": ComponentStatus.DEGRADED_PERFORMANCE,
}

VERDICTS = {
    ComponentStatus.UNKNOWN: Verdict.UNKNOWN,
    ComponentStatus.OPERATIONAL: Verdict.UP,
    ComponentStatus.UNDER_MAINTENANCE: Verdict.UP,
    ComponentStatus.DEGRADED_PERFORMANCE: Verdict.DEGRADED,
    ComponentStatus.PARTIAL_OUTAGE: Verdict.DEGRADED,
    ComponentStatus.MAJOR_OUTAGE: Verdict.DOWN,
}
"""What the word of a page makes of a check. Planned work is no failure."""


def component_status(word: str | None) -> ComponentStatus:
    """What a page's word for a component means, however it spells it; a word that nobody knows says nothing."""
    return _COMPONENT_WORDS.get(_bare(word or ""), ComponentStatus.UNKNOWN)


def page_word(word: str | None) -> ComponentStatus:
    """What a page's word for itself, or for the impact of an incident, means: an indicator, or as for a component."""
    return _PAGE_WORDS.get(_bare(word or ""), ComponentStatus.UNKNOWN)


class NotThere(Exception):
    """The page has no such component, or several. ``str()`` is one of two fixed sentences."""


@dataclass(frozen=True, kw_only=True)
class UpstreamComponent:
    """``group`` is the group's name, ``id`` None on pages that give none."""

    name: str
    status: ComponentStatus
    group: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class UpstreamNews:
    """An incident or maintenance that goes on.

    :param status: what it amounts to.
    :param about: the components that it names, by their ids where they have any.
    :param at: aware; None: not told.
    """

    title: str
    text: str
    status: ComponentStatus
    about: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class UpstreamState:
    """A page at one moment.

    :param said: its own word for itself; None: it has none.
    :param news: what goes on, newest first.
    :param as_of: aware; when the page says that it was changed last.
    :param lists_components: False for feeds, which tell of what is wrong only.
    """

    name: str | None = None
    said: ComponentStatus | None = None
    components: tuple[UpstreamComponent, ...] = ()
    news: tuple[UpstreamNews, ...] = ()
    as_of: datetime | None = None
    url: str | None = None
    icon_url: str | None = None
    lists_components: bool = True

    @property
    def status(self) -> ComponentStatus:
        """The page's own word. One that calls itself fine is not believed while a component of it is not; one that has
        no word is as its components and what goes on."""
        if not self.lists_components:
            return worst([_UP, *(one.status for one in self.news)])
        if self.said not in _FINE:
            return self.said or _UP
        heard = [one.status for one in self.components]
        if self.said is _UP:
            return worst([_UP, *heard])
        return worst([*heard, *(one.status for one in self.news)])

    def narrowed(self, wanted: str) -> UpstreamState:
        """What the page says of one component, or of the components of one group.

        :param wanted: an id, a name, ``Group - Name`` where names repeat, or a group's name; case matters in ids only.
        :raises NotThere: where the page lists its components and none or several fit.
        """
        if not self.lists_components:
            return replace(self, news=tuple(one for one in self.news if _names(one, wanted)))
        found = self._find(wanted)
        about = {_folded(name) for one in found for name in (one.id, one.name, _full(one)) if name}
        news = tuple(one for one in self.news if about & {_folded(name) for name in one.about})
        # A component that says how it is needs no incident to say so.
        speaks = any(one.status is not ComponentStatus.UNKNOWN for one in found)
        said = worst(one.status for one in found) if speaks else None
        return replace(self, said=said, components=found, news=news)

    def _find(self, wanted: str) -> tuple[UpstreamComponent, ...]:
        name = _folded(wanted)
        by_id = [one for one in self.components if one.id == wanted.strip()]
        full = [one for one in self.components if _folded(_full(one)) == name]
        named = [one for one in self.components if _folded(one.name) == name]
        for found in (by_id, full, named):
            if len(found) == 1:
                return tuple(found)
        if by_id or full or named:
            raise NotThere("The status page has several components of that name")
        members = tuple(one for one in self.components if one.group and _folded(one.group) == name)
        if not members:
            raise NotThere("The status page has no such component")
        return members


def described(
    state: UpstreamState, *, target: str, watched: str | None, told: Mapping[str, Any]
) -> dict[str, Any]:
    """*state* as plain data, with what the next message about it needs.

    :param target: the address that was read; :param watched: the component that was asked for.
    :param told: what the monitor's owner says instead of the page: ``name``, ``home_page_url``, ``status_page_url``,
        ``favicon_url``, each may be None.
    """
    topic = state.news[0] if state.news else None
    url = told.get("status_page_url") or link(state.url) or urljoin(target, "/")
    name = told.get("name") or state.name or urlsplit(target).hostname or target
    return {
        "name": name,
        "slug": slugify(name) or slugify(urlsplit(target).hostname or "") or "service",
        "status": state.status.value,
        "components": [
            {"id": one.id, "name": one.name, "group": one.group, "status": one.status.value}
            for one in state.components
        ],
        "title": topic.title if topic else None,
        "text": topic.text if topic else "",
        "status_page_url": url,
        "home_page_url": told.get("home_page_url") or urljoin(url, "/"),
        "favicon_url": told.get("favicon_url")
        or link(state.icon_url)
        or urljoin(url, "/favicon.ico"),
        "as_of": state.as_of.astimezone(UTC).isoformat() if state.as_of else None,
        "watched": [target, watched],
    }


def readable(observed: Mapping[str, Any]) -> dict[str, Any] | None:
    """What of *observed* is as :func:`described` has it, in a new dictionary that every database keeps; None: it has
    another shape, as what another package's probe observes may have."""
    try:
        as_of = observed["as_of"]
        return {
            **{name: _told(observed[name]) for name in _TEXTS},
            "status": ComponentStatus(observed["status"]).value,
            "components": [
                {
                    "id": _told_or_none(one["id"]),
                    "name": _told(one["name"]),
                    "group": _told_or_none(one["group"]),
                    "status": ComponentStatus(one["status"]).value,
                }
                for one in observed["components"]
            ],
            "title": _told_or_none(observed["title"]),
            "as_of": None if as_of is None else _instant(as_of),
            "watched": [_told_or_none(one) for one in observed["watched"]],
        }
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


_TEXTS = ("name", "slug", "text", "status_page_url", "home_page_url", "favicon_url")


def _told(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("It is no text.")
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def _told_or_none(value: object) -> str | None:
    return None if value is None else _told(value)


def _instant(text: str) -> str:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError("It does not tell its zone.")
    return at.astimezone(UTC).isoformat()


def link(url: str | None) -> str | None:
    """*url* if it is one that may stand in a message: http or https, printable ASCII, not too long."""
    if not url or len(url) > MAX_URL or not re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE):
        return None
    try:
        return url if urlsplit(url).hostname else None
    except ValueError:
        return None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The components whose status differs, as ``{id, name, group, previous_status, status}``. One that came or went has
    not changed."""
    was = {_key(one): one["status"] for one in before["components"]}
    return [
        {**one, "previous_status": was[_key(one)]}
        for one in after["components"]
        if was.get(_key(one), one["status"]) != one["status"]
    ]


OLDER_COPY = timedelta(minutes=15)
"""For so long after a change a copy of the page that says it is older than what is known does not count."""


@dataclass(frozen=True)
class Sight:
    """How one region saw the page. ``at`` is aware, ``observed`` as of :func:`described`."""

    region: str
    at: datetime
    observed: Mapping[str, Any]


def seen(
    memory: Mapping[str, Any] | None, sight: Sight, *, heard: Collection[str]
) -> dict[str, Any] | None:
    """The memory of a page after *sight*, as plain data; None: there is nothing to write down.

    Memory is ``{"told": what subscribers know, "news": what they do not know yet or None, "views": {region: how it saw
    the page last}, "at": since when this is known}``. A sight that differs is news if its region saw the page otherwise
    before: one that is served an older copy does not take back what another one told. Where no region that is *heard*
    sees the page as it is known, any sight that differs is news.

    :param heard: the regions that have seen the page of late.
    """
    view = _view(sight.observed)
    if memory is None or memory["told"]["watched"] != sight.observed["watched"]:
        return _memory(sight.observed, None, {sight.region: view}, sight)
    known = memory["news"] or memory["told"]
    at = datetime.fromisoformat(memory["at"])
    if sight.at < at or _is_older_copy(known, at, sight):
        return None
    views = {**memory["views"], sight.region: view}
    agreed = {region for region, one in memory["views"].items() if one == _view(known)}
    turned = memory["views"].get(sight.region, view) != view
    if view == _view(known) or not (turned or agreed.isdisjoint(heard)):
        return None if views == memory["views"] else {**memory, "views": views}
    if _is_same(memory["told"], sight.observed):
        return _memory(sight.observed, None, views, sight)
    return _memory(memory["told"], sight.observed, views, sight)


def _memory(
    told: Mapping[str, Any],
    news: Mapping[str, Any] | None,
    views: Mapping[str, str],
    sight: Sight,
) -> dict[str, Any]:
    return {
        "told": dict(told),
        "news": news and dict(news),
        "views": dict(views),
        "at": sight.at.astimezone(UTC).isoformat(),
    }


def _is_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return before["status"] == after["status"] and not changes(before, after)


def _is_older_copy(known: Mapping[str, Any], at: datetime, sight: Sight) -> bool:
    before, now = known["as_of"], sight.observed["as_of"]
    if before is None or now is None or sight.at - at > OLDER_COPY:
        return False
    return datetime.fromisoformat(now) < datetime.fromisoformat(before)


def _view(observed: Mapping[str, Any]) -> str:
    """What counts of a sight, in one short text: two of one text are the same."""
    told = [observed["status"], [[_key(one), one["status"]] for one in observed["components"]]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _key(component: Mapping[str, Any]) -> str:
    return component["id"] or f"{component['group'] or ''}\n{component['name']}"


def _full(component: UpstreamComponent) -> str:
    return f"{component.group} - {component.name}" if component.group else component.name


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _names(news: UpstreamNews, wanted: str) -> bool:
    """Whether a feed's entry names *wanted* as a word of its title or of what it says that it is about."""
    word = re.compile(rf"(?<!\w){re.escape(_folded(wanted))}(?!\w)")
    return any(word.search(_folded(text)) for text in (news.title, *news.about))
