"""What may be done, and which role it needs: the one table that the manage API and the console obey.

Whoever has a shell on the site's machine stands above it, as they stand above the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from .roles import Role


class Right(StrEnum):
    """A kind of thing to do. Each route of the manage API and of the console names the one that it needs."""

    SEE = "see"
    """What the pages tell, drafts among it, how monitors do, and ``/metrics``."""
    TELL = "tell"
    """Incidents, maintenance, the status of components, templates."""
    ARRANGE = "arrange"
    """Components and groups."""
    WATCH = "watch"
    """Monitors."""
    READERS = "readers"
    """Subscriptions: who they are, and what they get."""
    DELIVERIES = "deliveries"
    """What was sent to whom, and sending it again."""
    CONNECT = "connect"
    """Accounts and endpoints elsewhere by which a page posts."""
    CONFIGURE = "configure"
    """Status pages themselves: names, looks, who may see them."""
    AUDIT = "audit"
    """Who changed what."""
    TEAM = "team"
    """Members and API keys, up to the own role."""


NEEDED: Mapping[Right, Role] = MappingProxyType(
    {
        Right.SEE: Role.VIEWER,
        Right.TELL: Role.EDITOR,
        Right.ARRANGE: Role.EDITOR,
        Right.WATCH: Role.EDITOR,
        Right.READERS: Role.ADMIN,
        Right.DELIVERIES: Role.ADMIN,
        Right.CONNECT: Role.ADMIN,
        Right.CONFIGURE: Role.ADMIN,
        Right.AUDIT: Role.ADMIN,
        Right.TEAM: Role.ADMIN,
    }
)
"""The least role for each right."""


def may(role: Role, right: Right) -> bool:
    """Whether *role* has *right*."""
    return role.reaches(NEEDED[right])
