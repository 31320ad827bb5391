"""A member's second factor: codes of an app, and codes to write down for the day on which the phone is lost."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from ..domain import totp
from ..domain.roles import Role
from ..errors import Conflict, Forbidden, Invalid, TooMany
from ..storage import signups as stored
from ..storage.base import utc_now
from ..storage.team import Member, SecondFactor
from . import audit

RECOVERY_CODES = 8
ATTEMPTS_PER_HOUR = 10
"""So many codes of a member may be typed in an hour, under links and by who is signed in together."""

WRONG = "This code is wrong, or was used already. Take the one that the app shows now."
OFF = "The second factor is off. Set it up first."

_audit = partial(audit.of, subject="member")


def is_on(row: Member) -> bool:
    """Whether the member needs a code to sign in."""
    return row.second_factor is not None and row.second_factor.confirmed_at is not None


def begin(session: Session, row: Member) -> SecondFactor:
    """Begin to set it up: a secret for the app, which asks for nothing until it is confirmed.

    One that was begun before is begun again.

    :raises Conflict: when it is on.
    """
    if is_on(row):
        raise Conflict("The second factor is on already. Turn it off to set up another app.")
    if row.second_factor is None:
        row.second_factor = SecondFactor(secret=totp.new_secret())
    else:
        row.second_factor.secret = totp.new_secret()
    session.flush()
    return row.second_factor


def confirm(session: Session, row: Member, code: str) -> list[str]:
    """Turn it on by a code of the app; returns the codes to write down, which are told this once.

    :raises Conflict: when it is on, or was not begun.
    :raises Invalid: naming ``code``.
    """
    factor = row.second_factor
    if factor is None:
        raise Conflict(OFF)
    if is_on(row):
        raise Conflict("The second factor is on already.")
    if not _takes(factor, code):
        raise Invalid.field("code", WRONG)
    factor.confirmed_at = utc_now()
    codes = _write_down(factor)
    session.flush()
    _audit(session, "second_factor_on", row, row.identity)
    return codes


def renew(session: Session, row: Member, code: str) -> list[str]:
    """Other codes to write down; the old ones do not count any more.

    :raises Conflict: when it is off.
    :raises Invalid: naming ``code``.
    """
    _need(session, row, code)
    assert row.second_factor is not None
    codes = _write_down(row.second_factor)
    session.flush()
    _audit(session, "recovery_codes", row, row.identity)
    return codes


def turn_off(session: Session, row: Member, code: str) -> None:
    """Sign in by the link alone again.

    :raises Conflict: when it is off.
    :raises Invalid: naming ``code``.
    """
    _need(session, row, code)
    _remove(session, row, row.identity)


def reset(session: Session, row: Member, *, actor: str | None, actor_role: Role | None) -> None:
    """Take it from a member who has neither app nor codes.

    :param actor_role: None: the site's own shell or code.
    :raises Conflict: when it is off.
    :raises Forbidden: for anybody but an owner: whoever reads a member's mail could be let in by it.
    """
    if actor_role not in (None, Role.OWNER):
        raise Forbidden(Role.OWNER.value, actor_role.value if actor_role else None)
    if row.second_factor is None:
        raise Conflict("The second factor is off already.")
    _remove(session, row, actor)


def accept(session: Session, row: Member, typed: str) -> bool:
    """Whether *typed* is a code of the app or one that was written down; it does not count once more.

    :param row: held until the transaction ends.
    """
    factor = row.second_factor
    if factor is None:
        return False
    taken = _takes(factor, typed) or _crosses_out(factor, typed)
    session.flush()
    return taken


def count_attempt(session: Session, row: Member) -> None:
    """Count a code that is typed; to be committed whatever becomes of it.

    :param row: held until the transaction ends, which sees what others committed before that.
    :raises TooMany: beyond :data:`ATTEMPTS_PER_HOUR`.
    """
    key, now = f"code of {row.id}", utc_now()
    if stored.count(session, key, since=now - timedelta(hours=1)) >= ATTEMPTS_PER_HOUR:
        raise TooMany("Too many codes were typed. Try again in an hour.", retry_after=3600)
    stored.add(session, key, now)


def note_wrong(session: Session, row: Member) -> None:
    """Leave an entry of a code that was wrong."""
    _audit(session, "wrong_code", row, row.identity)


def _need(session: Session, row: Member, code: str) -> None:
    if not is_on(row):
        raise Conflict(OFF)
    if not accept(session, row, code):
        raise Invalid.field("code", WRONG)


def _takes(factor: SecondFactor, typed: str) -> bool:
    step = totp.matching_step(factor.secret, typed, time.time(), after=factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    return True


def _crosses_out(factor: SecondFactor, typed: str) -> bool:
    found = _digest(typed)
    left = [one for one in factor.recovery if not hmac.compare_digest(one, found)]
    crossed = len(left) < len(factor.recovery)
    factor.recovery = left  # another list: changes within one are not seen
    return crossed


def _write_down(factor: SecondFactor) -> list[str]:
    codes = [_spaced(secrets.token_hex(8)) for _ in range(RECOVERY_CODES)]
    # 64 random bits each, so no slow hash is needed.
    factor.recovery = [_digest(code) for code in codes]
    return codes


def _spaced(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _digest(code: str) -> str:
    text = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _remove(session: Session, row: Member, actor: str | None) -> None:
    row.second_factor = None
    session.flush()
    _audit(session, "second_factor_off", row, actor)
