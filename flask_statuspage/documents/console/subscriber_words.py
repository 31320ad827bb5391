"""What the page of a subscriber says of where it came from and what was sent to it."""

from __future__ import annotations

from ...domain.events import CONFIRMATION, DIGEST, DISABLED, PAGE_CHANGE, TEST, UPSTREAM_CHANGE
from ..words import EVENTS

_OWN = {
    CONFIRMATION: "The question whether they want it",
    DIGEST: "Several news in one message",
    DISABLED: "It is switched off",
    PAGE_CHANGE: "Services change their status",
    TEST: "A test",
    UPSTREAM_CHANGE: "Another service's page changes",
}


def event(name: str) -> str:
    """An event in words; one that has none by its name."""
    return EVENTS.get(name) or _OWN.get(name, name)


def confirmed_by(action: str, actor: str, *, is_owner: bool, is_asked: bool) -> str:
    """How a subscription became active.

    :param action: what the log calls it.
    :param is_owner: the actor is whoever has the address; *is_asked*: its channel asks them.
    """
    if not is_owner:
        return f"by {actor}, from a file" if action == "import" else f"by {actor}"
    if action == "confirm":
        return "by its owner, with the link or the code that was sent"
    if action == "enable":
        return "by its owner, who answered START"
    return "by its owner, who was signed in" if is_asked else "at once: nobody is asked there"


def made_by(actor: str | None, *, is_owner: bool) -> str:
    """Whom a subscription belongs to, or who made it.

    :param is_owner: *actor* is whoever has the address, signed in at the site.
    """
    if actor is None:
        return "Whoever signed up on the page"
    return "A signed-in customer of the site" if is_owner else f"Added by {actor}"
