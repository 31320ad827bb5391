"""RSS 2.0 and Atom (RFC 4287): one entry per incident and per maintenance, those with news first.

An entry keeps its id and its link for ever. As on Atlassian's Statuspage its title is the name alone, and its content
tells the state and all updates, the newest first: readers know an entry by its id, an update brings it up again, and
those that take a new title for a new thing do not show it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ..domain.facts import AffectedFact, IncidentFact, MaintenanceFact, UpdateFact
from ..domain.markup import to_html
from .cleaning import clean, one_line
from .snapshot import Snapshot
from .words import Words, words_of

if TYPE_CHECKING:
    from .feed_formats import Atom, Rss


def rss(snapshot: Snapshot) -> bytes:
    """The feed as RSS 2.0 in UTF-8, with ``atom:link rel="self"`` and a ``guid`` that is no address.

    ``pubDate`` is the time of the latest update, as on Atlassian's Statuspage: RSS has no other date of an item, and
    readers put items in order by it.
    """
    from .feed_formats import Rss  # here and not above: see that module

    entries = _entries(snapshot)
    feed = Rss(**_heading(snapshot, entries, "feed.xml"))
    for entry in entries:
        feed.add_item(
            title=entry.title,
            link=entry.link,
            description=entry.html,
            pubdate=entry.updated,
            unique_id=entry.id,
            unique_id_is_permalink=False,
            categories=entry.categories,
        )
    return _written(feed)


def atom(snapshot: Snapshot) -> bytes:
    """The feed as Atom in UTF-8. An entry was ``updated`` with its latest update and ``published`` with its first."""
    from .feed_formats import Atom  # here and not above: see that module

    entries = _entries(snapshot)
    feed = Atom(**_heading(snapshot, entries, "feed.atom"))
    for entry in entries:
        feed.add_item(
            title=entry.title,
            link=entry.link,
            description=None,
            content=entry.html,
            pubdate=entry.published,
            updateddate=entry.updated,
            unique_id=entry.id,
            categories=entry.categories,
        )
    return _written(feed)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    id: str
    title: str
    link: str
    html: str
    published: datetime
    updated: datetime
    categories: tuple[str, ...]


def _heading(snapshot: Snapshot, entries: list[_Entry], name: str) -> dict[str, object]:
    page, focus, words = snapshot.page, snapshot.focus, words_of(snapshot.page)
    title = one_line(page.name) or urlsplit(page.url).netloc
    author = title
    where = f"{page.url}/api/{name}"
    if focus is not None:
        # Translators: the title of a feed or calendar about one service of a page.
        service = one_line(focus.fact.name) or focus.fact.slug
        title = words.gettext("{page}: {service}", page=title, service=service)
        where = f"{page.url}/components/{quote(focus.fact.slug, safe='')}/{name}"
    return {
        "title": title,
        "link": page.url,
        # Translators: what a feed is about; the name is that of a page or service.
        "description": words.gettext("Incidents and maintenance of {name}", name=title),
        "language": words.language,
        "author_name": author,
        "feed_url": where,
        "feed_guid": f"urn:uuid:{focus.fact.id if focus else page.id}",
        "updated": max((entry.updated for entry in entries), default=_whole(page.updated_at)),
    }


def _written(feed: Rss | Atom) -> bytes:
    out = BytesIO()
    feed.write(out, "utf-8")
    return out.getvalue()


def _entries(snapshot: Snapshot) -> list[_Entry]:
    words, url = words_of(snapshot.page), snapshot.page.url
    found = [_incident(fact, words, url) for fact in snapshot.incidents]
    found += [_maintenance(fact, words, url) for fact in snapshot.maintenances]
    return sorted(found, key=lambda entry: (entry.updated, entry.id), reverse=True)


def _incident(fact: IncidentFact, words: Words, url: str) -> _Entry:
    published, updated = _times(fact)
    kind = words.gettext("Incident")
    heading = [
        words.gettext("Status: {state}", state=words.state(fact.status)),
        words.gettext("Impact: {impact}", impact=words.impact(fact.impact).word),
    ]
    return _Entry(
        id=f"urn:uuid:{fact.id}",
        title=one_line(fact.title) or kind,
        link=f"{url}/incidents/{fact.id}",
        html=_html([*heading, *_affected(fact.components, words)], fact.updates, words),
        published=published,
        updated=updated,
        categories=(kind, *_names(fact.components)),
    )


def _maintenance(fact: MaintenanceFact, words: Words, url: str) -> _Entry:
    published, updated = _times(fact)
    if fact.revision:
        # A window that was moved is news, though nobody wrote a word.
        updated = max(updated, _whole(fact.updated_at))
    kind = words.maintenance.word
    title = one_line(fact.title) or kind
    if kind.casefold() not in title.casefold():
        # Otherwise "Database upgrade" stands among incidents as if it were one.
        title = words.gettext("Maintenance: {title}", title=title)
    start, end = (words.moment(when).text for when in (fact.scheduled_start, fact.scheduled_end))
    heading = [
        words.gettext("Status: {state}", state=words.state(fact.status)),
        # Translators: when a maintenance begins and ends.
        words.gettext("Window: {start} to {end}", start=start, end=end),
    ]
    return _Entry(
        id=f"urn:uuid:{fact.id}",
        title=title,
        link=f"{url}/maintenance/{fact.id}",
        html=_html([*heading, *_affected(fact.components, words)], fact.updates, words),
        published=published,
        updated=updated,
        categories=(kind, *_names(fact.components)),
    )


def _times(fact: IncidentFact | MaintenanceFact) -> tuple[datetime, datetime]:
    """When its first and its latest update were written. That a word of one was mended is no news."""
    times = [_whole(update.created_at) for update in fact.updates]
    if not times:
        return _whole(fact.created_at), _whole(max(fact.created_at, fact.updated_at))
    return min(times), max(times)


def _whole(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(microsecond=0)


def _names(components: Iterable[AffectedFact]) -> list[str]:
    return [name for component in components if (name := one_line(component.name))]


def _affected(components: Iterable[AffectedFact], words: Words) -> list[str]:
    names = _names(components)
    return [words.gettext("Affected: {names}", names=words.names(names))] if names else []


def _html(heading: list[str], updates: Iterable[UpdateFact], words: Words) -> str:
    lines = "<br>".join(escape(line) for line in heading)
    told = "".join(_told(update, words) for update in updates)
    # Cleaned at the very end: Markdown turns the reference `&#12;` into a form feed.
    return clean(f"<p>{lines}</p>{told}")


def _told(update: UpdateFact, words: Words) -> str:
    when = escape(words.moment(update.created_at).text)
    return f"<p><strong>{words.state(update.status)}</strong>, {when}</p>\n{to_html(update.body)}"
