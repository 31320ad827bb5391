"""The page "API keys", and the one that shows a new key, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.roles import Role
from .pager import Pager
from .room import Room, shown

STATES = {"active": "Active", "expired": "Expired", "revoked": "Revoked"}


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A key as the list shows it.

    :param last_used: to a minute; None: never. *expires*: None: never.
    :param state: one of :data:`STATES`. *revoke_url*: None: it cannot be revoked by who looks.
    """

    name: str
    role: Role
    made: datetime
    last_used: datetime | None
    expires: datetime | None
    state: str
    revoke_url: str | None


def keys(
    room: Room,
    *,
    rows: Sequence[KeyRow],
    pager: Pager,
    shows_all: bool,
    roles: Sequence[Role],
    once: str,
    api_url: str,
) -> str:
    """Fields of its form: ``name``, ``role``, ``expires_at``, ``once``. The filter: ``show``.

    :param shows_all: also those that were revoked.
    :param once: makes one key of a form, however often it is sent.
    """
    return shown(
        room,
        "keys",
        rows=rows,
        pager=pager,
        shows_all=shows_all,
        roles=[(role.value, role.value.capitalize()) for role in roles],
        states=STATES,
        once=once,
        api_url=api_url,
    )


def made(room: Room, *, name: str, role: Role, key: str, api_url: str) -> str:
    """The only page that ever shows *key*."""
    return shown(room, "key_made", name=name, role=role, key=key, api_url=api_url)
