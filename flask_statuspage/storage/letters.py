"""Mails to members of the team: one at most waits for each, in the member's own row.

Nothing that lets anybody in waits there: a link is made by whoever sends it, at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, or_, select, update
from sqlalchemy.orm import Session

from . import sign_in_links
from .team import Member

SIGN_IN = "sign_in"
"""A link to sign in."""

INVITATION = "invitation"
"""That somebody is a member now, and where the console is."""

WAITS = {SIGN_IN: timedelta(minutes=15), INVITATION: timedelta(days=1)}
"""How long it is tried to send each."""

AGAIN_AFTER = timedelta(seconds=60)
"""A mail that failed, or whose worker died, is tried again so much later."""


def ask(session: Session, identity: str, letter: str, now: datetime) -> None:
    """Let *letter* be sent to the member of that identity; nothing happens where there is none.

    One statement either way, so that it takes as long for a stranger as for a member.
    """
    session.execute(
        update(Member)
        .where(Member.identity == identity)
        .values(letter=letter, letter_asked_at=now, letter_tried_at=None),
        execution_options={"synchronize_session": False},
    )


def due(session: Session, now: datetime, *, limit: int) -> Sequence[UUID]:
    """The members to whom a mail is to be sent now, whoever has waited longest first."""
    query = select(Member.id).where(_is_due(now)).order_by(Member.letter_asked_at)
    return session.scalars(query.limit(limit)).all()


def any_due(session: Session, now: datetime) -> bool:
    return bool(due(session, now, limit=1))


def take(session: Session, member_id: UUID, now: datetime, link_digest: str) -> str | None:
    """Take the mail of a member, if nobody else has; returns which it is.

    :param link_digest: of the link to sign in that is about to be sent.
    """
    for letter in WAITS:
        taken = session.execute(
            update(Member)
            .where(Member.id == member_id, Member.letter == letter, _is_due(now))
            .values(letter_tried_at=now),
            execution_options={"synchronize_session": False},
        )
        if cast("CursorResult[object]", taken).rowcount:
            if letter == SIGN_IN:
                sign_in_links.add(session, member_id, link_digest, now)
            return letter
    return None


def done(session: Session, member_id: UUID, taken_at: datetime) -> None:
    """Forget the mail that was taken then, unless another one was asked for meanwhile."""
    session.execute(
        update(Member)
        .where(Member.id == member_id, Member.letter_tried_at == taken_at)
        .values(letter=None, letter_asked_at=None, letter_tried_at=None),
        execution_options={"synchronize_session": False},
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    fresh = [
        and_(Member.letter == letter, Member.letter_asked_at > now - lasts)
        for letter, lasts in WAITS.items()
    ]
    has_room = or_(Member.letter != SIGN_IN, sign_in_links.may_have_more(now))
    rested = Member.letter_tried_at < now - AGAIN_AFTER
    return and_(or_(*fresh), has_room, or_(Member.letter_tried_at.is_(None), rested))
