"""What a signed-in customer is subscribed to already."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..errors import Invalid
from ..state import current_settings
from ..storage import subscriptions as stored
from ..storage.subscriptions import Subscription, SubscriptionState
from .owner_notices import MAIL


def subscription_of(session: Session, page_id: UUID, identity: str | None) -> Subscription | None:
    """The running subscription of the mailbox *identity*, to be read only.

    One that waits for a confirmation is left out: a stranger may have typed the address, and chosen for it.
    """
    if identity is None:
        return None
    try:
        address = channels[MAIL].normalise(identity, current_settings())
    except Invalid:  # the host names its customers otherwise
        return None
    row = stored.by_address(session, page_id, MAIL, address, lock=False)
    return row if row is not None and row.state is SubscriptionState.ACTIVE else None
