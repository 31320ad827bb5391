"""API keys: make, change and revoke them, and find out whose a key is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.markup import has_control, is_storable
from ..domain.roles import Role
from ..errors import Conflict, Invalid, NotFound, Unauthorized
from ..storage import pages
from ..storage import team as stored
from ..storage.base import utc_now
from ..storage.team import Token
from . import audit, members, ranks

PREFIX = "sp_"
USED_AT_MOST = timedelta(minutes=1)
"""How exact ``last_used_at`` is: a write per request would cost more than it tells."""

MADE_ALREADY = "This key was made already, and shown then. If you did not copy it, revoke it and make another one."

_audit = partial(audit.of, subject="token")


def create_token(
    session: Session,
    *,
    name: str,
    role: Role,
    expires_at: datetime | None = None,
    token_id: UUID | None = None,
    actor: str | None,
    actor_role: Role | None,
) -> tuple[Token, str]:
    """A new key with its text, which is told this once and kept nowhere.

    :param expires_at: aware; None: never.
    :param token_id: its id; whoever asks for the same one twice gets one key.
    :param actor_role: see :func:`.ranks.check`.
    :raises Invalid: naming ``name`` or ``expires_at``.
    :raises Forbidden: for a role above the actor's.
    :raises Conflict: when there is one with that id.
    """
    ranks.check(actor_role, role)
    values = _checked({"name": name, "expires_at": expires_at})
    members.hold_team(session)  # so that nobody else gives the name away
    if token_id is not None:
        if stored.token(session, token_id) is not None:
            raise Conflict(MADE_ALREADY)
        values["id"] = token_id
    _check_free(session, values["name"])
    key = PREFIX + secrets.token_urlsafe(32)
    token = Token(role=role, digest=stored.digest(key), **values)
    session.add(token)
    session.flush()
    _audit(session, "create", token, actor, after=described(token))
    return token, key


def get(session: Session, token_id: UUID, *, lock: bool = False) -> Token:
    """The key with that id, also one that was revoked.

    :param lock: as it is now, held until the transaction ends.
    :raises NotFound: when there is none.
    """
    if lock:
        pages.begin_writing(session)
    token = stored.token(session, token_id, lock=lock)
    if token is None:
        raise NotFound("token", token_id)
    return token


def change(
    session: Session,
    token_id: UUID,
    values: Mapping[str, Any],
    *,
    actor: str | None,
    actor_role: Role | None,
) -> Token:
    """Change ``name`` or ``expires_at`` of a key; its role stays what whoever uses it was given.

    :raises Invalid: naming what cannot be kept.
    :raises Conflict: for one that was revoked.
    :raises Forbidden: for one whose role is above the actor's.
    """
    values = _checked(values)
    if "name" in values:
        members.hold_team(session)
    token = get(session, token_id, lock=True)
    ranks.check(actor_role, token.role)
    if token.revoked_at is not None:
        raise Conflict("This key was revoked. Make another one.")
    if "name" in values:
        _check_free(session, values["name"], but=token)
    before = described(token)
    for name, value in values.items():
        setattr(token, name, value)
    session.flush()
    was, now_is = audit.difference(before, described(token))
    if now_is:
        _audit(session, "change", token, actor, before=was, after=now_is)
    return token


def revoke(
    session: Session, token_id: UUID, *, actor: str | None, actor_role: Role | None
) -> Token:
    """Let a key open nothing any more. It stays in the list, so that what it did keeps its name.

    :raises Forbidden: for one whose role is above the actor's.
    """
    token = get(session, token_id, lock=True)
    ranks.check(actor_role, token.role)
    if token.revoked_at is None:
        token.revoked_at = utc_now()
        session.flush()
        _audit(session, "revoke", token, actor, before=described(token))
    return token


def described(token: Token) -> dict[str, Any]:
    """What is written of *token* in the audit: nothing that opens anything."""
    return {
        "name": token.name,
        "role": token.role.value,
        "expires_at": plain(token.expires_at),
    }


def authenticate(session: Session, key: str | None) -> Token:
    """The token of *key*.

    :raises Unauthorized: without a key, and with one that is unknown, expired or revoked.
    """
    if not key:
        raise Unauthorized(
            "Send a key: 'Authorization-Token: <key>' or 'Authorization: Bearer <key>'."
        )
    now = utc_now()
    token = _that_counts(stored.by_key(session, key), now)
    if token.last_used_at is None or now - token.last_used_at > USED_AT_MOST:
        token.last_used_at = now
    return token


def renew(session: Session, token: Token, *, lock: bool) -> None:
    """Read a key that was let in anew: what it asks for may have waited for others.

    :param lock: hold it until the transaction ends.
    :raises Unauthorized: when it was revoked meanwhile, or expired.
    """
    session.refresh(token, with_for_update=lock or None)
    _that_counts(token, utc_now())


def _that_counts(token: Token | None, now: datetime) -> Token:
    if token is None:
        raise Unauthorized("This key is not known.")
    if token.revoked_at is not None:  # only who has the key itself learns that
        raise Unauthorized("This key was revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise Unauthorized("This key has expired.")
    return token


def _check_free(session: Session, name: str, *, but: Token | None = None) -> None:
    """:raises Invalid: when another key that counts has the name, in any case: the log knows keys by their names."""
    for row in session.scalars(stored.tokens(revoked=False)):
        if row is not but and row.name.casefold() == name.casefold():
            raise Invalid.field(
                "name", "Another key has this name. Revoke it, or take another one."
            )


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* as they are kept."""
    checked = dict(values)
    if "name" in checked:
        checked["name"] = checked["name"].strip()
        if not 1 <= len(checked["name"]) <= 200:
            raise Invalid.field("name", "Must have 1 to 200 characters.")
        if not is_storable(checked["name"]):
            raise Invalid.field("name", "Has a character that cannot be stored.")
        if has_control(checked["name"]):
            raise Invalid.field("name", "Must not have line breaks or control characters.")
    expires_at = checked.get("expires_at")
    if expires_at is not None and expires_at <= utc_now():
        raise Invalid.field("expires_at", "Must lie ahead. To end a key now, revoke it.")
    return checked
