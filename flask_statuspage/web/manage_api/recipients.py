"""``recipients`` (read): how many an event would be sent to, before it is"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...domain.events import PUBLIC_EVENTS
from ...domain.rights import Right
from ...services import components, recipients
from .answering import told
from .call import Call
from .door import Door
from .reading import asked, choice, idents

EVENT = choice("event", PUBLIC_EVENTS, "The event's name.", required=True)
COMPONENTS = idents("components", "Slugs or ids of the components that it would be about.")


@dataclass(frozen=True, kw_only=True)
class RecipientsAnswer:
    """How many active subscriptions would be told now.

    :param total: over all channels.
    :param channels: by channel; one by which nobody would hear of it is left out.
    """

    total: int
    channels: dict[str, int]


def add_routes(door: Door) -> None:
    door.route(
        "GET",
        "/recipients",
        count,
        right=Right.TELL,
        answer=RecipientsAnswer,
        parameters=(EVENT, COMPONENTS),
    )


def count(call: Call) -> dict[str, Any]:
    """Count whom an event would be sent to now."""
    named = asked(COMPONENTS) or []
    event = asked(EVENT)
    about = components.named(call.session, call.page, named)
    found = recipients.count(call.session, call.page, event, [one.id for one in about])
    return told(RecipientsAnswer, {"total": sum(found.values()), "channels": found})
