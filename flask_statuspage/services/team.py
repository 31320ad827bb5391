"""API keys: make one, and find out whose a key is."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..domain.roles import Role
from ..errors import Invalid, Unauthorized
from ..storage import team as stored
from ..storage.base import utc_now
from ..storage.team import Token
from . import audit

PREFIX = "sp_"
USED_AT_MOST = timedelta(minutes=1)
"""How exact ``last_used_at`` is: a write per request would cost more than it tells."""


def create_token(
    session: Session,
    *,
    name: str,
    role: Role,
    expires_at: datetime | None = None,
    actor: str | None = None,
) -> tuple[Token, str]:
    """A new key with its text, which is told this once and kept nowhere."""
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise Invalid.field("name", "Must have 1 to 200 characters.")
    key = PREFIX + secrets.token_urlsafe(32)
    token = Token(name=name, role=role, digest=stored.digest(key), expires_at=expires_at)
    session.add(token)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="create",
        subject="token",
        subject_id=token.id,
        after={"name": name, "role": role.value},
    )
    return token, key


def authenticate(session: Session, key: str | None) -> Token:
    """The token of *key*.

    :raises Unauthorized: without a key, and with one that is unknown, expired or revoked.
    """
    if not key:
        raise Unauthorized(
            "Send a key: 'Authorization-Token: <key>' or 'Authorization: Bearer <key>'."
        )
    token = stored.by_key(session, key)
    now = utc_now()
    if token is None or token.revoked_at is not None:
        raise Unauthorized("This key is not known.")
    if token.expires_at is not None and token.expires_at <= now:
        raise Unauthorized("This key has expired.")
    if token.last_used_at is None or now - token.last_used_at > USED_AT_MOST:
        token.last_used_at = now
    return token
