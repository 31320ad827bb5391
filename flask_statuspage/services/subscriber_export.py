"""The people who are subscribed, batch by batch, as lines that an import takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from ..domain.subscriber_lines import Line
from ..storage import components, subscriber_list
from ..storage.apart import apart_from_host
from ..storage.pages import Page
from ..storage.subscriptions import Subscription
from . import audit
from .wishes import channels_of_people

BATCH = 500


def people(page_id: UUID, **narrowed: Any) -> Select[Subscription]:
    """Those of the page by channels of people only."""
    query = subscriber_list.of_page(page_id, **narrowed)
    return query.where(Subscription.channel.in_(channels_of_people()))


def note(session: Session, page: Page, looked_for: Mapping[str, str], *, actor: str) -> None:
    """Write down that *actor* takes the subscribers of *page* along.

    :param looked_for: what they were narrowed by. Of a search only that there was one: it may be an address.
    """
    told = {name: name == "search" or text for name, text in looked_for.items() if text}
    audit.record(
        session,
        actor=actor,
        action="export",
        subject="page",
        subject_id=page.id,
        page_id=page.id,
        after={"of": "subscribers", **told},
    )


def batches(
    page_id: UUID, *, first_in: Session | None = None, **narrowed: Any
) -> Iterator[list[Line]]:
    """Those of the page in the order in which they came, of channels of people only: the others are no subscribers but
    endpoints, whose addresses may be secrets.

    Each batch is read in a session of its own, so that no connection is held while it is sent somewhere.

    :param first_in: the session for the first batch, if there is one open anyway.
    :param narrowed: as :func:`~..storage.subscriber_list.of_page` takes it.
    """
    query = people(page_id, **narrowed)
    cursor: UUID | None = None
    number = 1
    slugs: Mapping[UUID, str] | None = None
    while True:
        with apart_from_host() as open_session:
            session = first_in or open_session()
            slugs = slugs or _slugs(session, page_id)
            cut = subscriber_list.after(query, cursor, limit=BATCH)
            rows = session.scalars(cut).all()
            batch = [_line(row, slugs, number + place) for place, row in enumerate(rows, 1)]
            cursor = rows[-1].id if rows else cursor
        first_in = None
        number += len(batch)
        yield batch
        if len(batch) < BATCH:
            return


def _slugs(session: Session, page_id: UUID) -> dict[UUID, str]:
    queries = (components.of_page(page_id), components.archived(page_id))
    return {row.id: row.slug for query in queries for row in session.scalars(query)}


def _line(row: Subscription, slugs: Mapping[UUID, str], number: int) -> Line:
    return Line(
        number=number,
        channel=row.channel,
        address=row.address,
        # One that was made since the first batch goes by its id, which an import knows as well.
        services=tuple(sorted(slugs.get(i.component_id, str(i.component_id)) for i in row.chosen)),
        language=row.locale or "",
        state=row.state.value,
        events=tuple(row.events or ()),
    )
