"""Who goes on hearing of a page that fewer people may see than before."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..errors import Invalid
from ..storage import subscriptions as stored
from ..storage.pages import Page
from ..storage.subscriptions import Subscription
from . import subscriptions

CHOICES = ("disable", "keep")


def narrow(
    session: Session,
    page: Page,
    *,
    reason: str,
    customers: bool,
    subscribers: str = "disable",
    actor: str | None,
) -> int:
    """Disable what visitors subscribed to themselves, confirmed or not; returns how many that were.

    Every event tells its subscribers where the page is now, so those whom the operator means to shut out would read on
    and learn its new link. What a member or host code made stays; a member can enable each of the others again.

    :param page: locked by the caller.
    :param customers: also those who were signed in when they subscribed.
    :param subscribers: ``keep`` leaves all of them as they are.
    """
    if subscribers == "keep":
        return 0
    count = 0
    for row in stored.waiting_or_active(session, page.id):
        if row.actor is None or (customers and _is_own(row)):
            subscriptions.disable(session, row, reason=reason, actor=actor, tell_owner=False)
            count += 1
    return count


def check(subscribers: str) -> None:
    if subscribers not in CHOICES:
        raise Invalid.field("subscribers", f"Must be one of {', '.join(CHOICES)}.")


def _is_own(row: Subscription) -> bool:
    """Whether its actor is the address itself, as a signed-in customer is known."""
    return row.actor is not None and row.actor.strip().casefold() == row.address.casefold()
