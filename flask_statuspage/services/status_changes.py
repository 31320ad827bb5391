"""Several services at once are said to be otherwise, by somebody who saw how they were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.status import ComponentStatus, Source
from ..errors import Conflict
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, Condition
from ..storage.pages import Page
from ..storage.team import AuditEntry, latest_entries
from . import components

FOLLOW = "follow"
"""Takes a person's word back, so that monitors and incidents decide alone."""


@dataclass(frozen=True)
class Before:
    """What a person had said of a component; None: nothing.

    :param entry: the entry of the audit that has all of it, which :func:`take_back` goes by. None: nothing was changed.
    """

    status: ComponentStatus | None
    entry: int | None


def save(
    session: Session,
    page: Page,
    changes: Mapping[str, ComponentStatus | None],
    *,
    seen: Mapping[str, ComponentStatus],
    words: Mapping[str, str],
    note: str = "",
    until: datetime | None = None,
    notify: bool = False,
    actor: str,
) -> dict[str, Before]:
    """Say *changes* of components; returns what a person had said of each before.

    What was shown before may have been a monitor's word: said again by a person it would outlive the monitor's.

    :param changes: by slug; None takes a person's word back.
    :param seen: what was shown of each when it was chosen.
    :param words: the :func:`mark` of what a person said of each then.
    :raises Conflict: when something else is shown or said by now, naming each such component; nothing is changed then.
    :raises Invalid: for a component that is not there.
    """
    pages.touch(session, page.id, utc_now())
    rows = components.by_ident(session, page, list(changes), lock=True)
    _check_seen(rows, seen)
    before, known = _by_hand(session, rows), _latest(session, rows)
    _check_words(rows, before, words)
    for slug, status in changes.items():
        components.set_status(
            session, page, rows[slug], status, note=note, until=until, notify=notify, actor=actor
        )
    latest = _latest(session, rows)
    return {
        slug: Before(
            before[slug].status if slug in before else None,
            latest[slug] if latest.get(slug) != known.get(slug) else None,
        )
        for slug in changes
    }


def take_back(
    session: Session,
    page: Page,
    entries: Mapping[str, int],
    *,
    seen: Mapping[str, ComponentStatus],
    actor: str,
) -> None:
    """Let what a person had said before count again, with its note and its end. Nobody is told.

    What would have ended meanwhile has ended.

    :param entries: by slug the ``entry`` of :class:`Before`.
    :param seen: as for :func:`save`.
    :raises Conflict: when something else is shown by now, or was said since, or *actor* is not who said it.
    """
    now = utc_now()
    pages.touch(session, page.id, now)
    rows = components.by_ident(session, page, list(entries), lock=True)
    _check_seen(rows, seen)
    said, latest = _by_hand(session, rows), _latest(session, rows)
    for slug, row in rows.items():
        entry = session.get(AuditEntry, entries[slug])
        if entry is None or entry.id != latest.get(slug) or entry.actor != actor:
            raise Conflict(f"Of {row.name} something else was said since. Nothing was changed.")
        earlier = {**_told(said.get(slug)), **(entry.before or {})}
        until = datetime.fromisoformat(earlier["until"]) if earlier["until"] else None
        status = ComponentStatus(earlier["said"]) if earlier["said"] else None
        if until is not None and until <= now:
            status = until = None
        note = earlier["note"] if status else ""
        components.set_status(
            session, page, row, status, note=note, until=until, notify=False, actor=actor
        )


def _check_seen(rows: Mapping[str, Component], seen: Mapping[str, ComponentStatus]) -> None:
    moved = [
        f"{row.name} is {row.status.value.replace('_', ' ')} by now, not "
        f"{seen[slug].value.replace('_', ' ')}"
        for slug, row in rows.items()
        if slug in seen and row.status is not seen[slug]
    ]
    if moved:
        raise Conflict(
            f"Somebody else, or a monitor, was faster: {'; '.join(moved)}. Nothing was saved. Look again, and choose."
        )


def mark(word: Condition | None) -> str:
    """What tells a person's *word* about a component from another one; empty: nobody said anything."""
    if word is None:
        return ""
    told = repr((word.status.value, word.note, plain(word.until), word.actor))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _check_words(
    rows: Mapping[str, Component], now: Mapping[str, Condition], words: Mapping[str, str]
) -> None:
    """What is shown may be the same, and somebody's word about it another one."""
    moved = [
        f"of {row.name} {now[slug].actor or 'somebody'} says {now[slug].status.value.replace('_', ' ')}"
        if slug in now
        else f"of {row.name} nobody says anything any more"
        for slug, row in rows.items()
        if slug in words and words[slug] != mark(now.get(slug))
    ]
    if moved:
        raise Conflict(
            f"Somebody else was faster: {'; '.join(moved)}. Nothing was saved. Look again, and choose."
        )


def _by_hand(session: Session, rows: Mapping[str, Component]) -> dict[str, Condition]:
    """What a person says of each, by slug."""
    said = stored.said_of(session, [row.id for row in rows.values()])
    return {
        slug: condition
        for slug, row in rows.items()
        for condition in said[row.id]
        if condition.source is Source.MANUAL
    }


def _told(condition: Condition | None) -> dict[str, Any]:
    """As the audit tells it, which has only what was changed."""
    if condition is None:
        return {"said": None, "note": "", "until": None}
    return {
        "said": condition.status.value,
        "note": condition.note,
        "until": plain(condition.until),
    }


def _latest(session: Session, rows: Mapping[str, Component]) -> dict[str, int]:
    """The last entry of the audit about what was said of each, by slug."""
    ids = [row.id for row in rows.values()]
    found = latest_entries(session, "component", ids, action="set_status")
    return {slug: found[row.id] for slug, row in rows.items() if row.id in found}
