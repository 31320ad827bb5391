"""Several services at once are said to be otherwise, by somebody who saw how they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from ..domain.status import ComponentStatus, Source
from ..errors import Conflict
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.pages import Page
from . import components

FOLLOW = "follow"
"""Takes a person's word back, so that monitors and incidents decide alone."""


def save(
    session: Session,
    page: Page,
    changes: Mapping[str, ComponentStatus | None],
    *,
    seen: Mapping[str, ComponentStatus],
    note: str = "",
    until: datetime | None = None,
    notify: bool = False,
    actor: str,
) -> dict[str, ComponentStatus | None]:
    """Say *changes* of components; returns what a person had said of each before, None: nothing.

    What was shown before may have been a monitor's word: said again by a person it would outlive the monitor's.

    :param changes: by slug; None takes a person's word back.
    :param seen: what was shown of each when it was chosen.
    :raises Conflict: when something else is shown by now, naming each such component; nothing is changed then.
    :raises Invalid: for a component that is not there.
    """
    pages.touch(session, page.id, utc_now())
    rows = components.by_ident(session, page, list(changes), lock=True)
    said = stored.said_of(session, [row.id for row in rows.values()])
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
    before = dict.fromkeys(changes) | {
        slug: condition.status
        for slug, row in rows.items()
        for condition in said[row.id]
        if condition.source is Source.MANUAL
    }
    for slug, status in changes.items():
        components.set_status(
            session, page, rows[slug], status, note=note, until=until, notify=notify, actor=actor
        )
    return before
