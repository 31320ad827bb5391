"""Who signed in by a mailed link: a note in the host's session, sealed, which counts while the member's row says so.

A Flask session is signed, not encrypted, and lives in the browser: it cannot be taken back. So the note bears a number
that the row has, too. A new one there ends all sessions of that member at once, and without a row there is none.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass, replace
from urllib.parse import unquote, urlsplit
from uuid import UUID

import flask
from flask import current_app, has_request_context, request, url_for
from sqlalchemy.orm import Session

from ..errors import SetupError
from ..state import current_settings
from ..storage import team as stored
from ..storage.encryption import reveal, seal
from ..storage.team import Member
from . import forms
from .mounts import current_mount

KEY = "flask_statuspage_member"
NEXT = "flask_statuspage_next"

LASTS = 12 * 3600
"""Seconds after which somebody signs in again, whatever they did."""

IDLE = 2 * 3600
"""Seconds without a request after which they do."""

APART = 60
"""So many seconds the clocks of two servers may lie apart."""

NOTED_AFTER = 300
"""How exact the last request is noted, in seconds: each note sends the cookie anew."""


@dataclass(frozen=True)
class _Note:
    """``began`` and ``seen`` are in seconds since 1970."""

    member: str
    sessions: int
    began: float
    seen: float


def is_on() -> bool:
    return current_settings().builtin_login


def begin(member: Member) -> None:
    """Sign *member* in, in this browser. What the host keeps in the session stays.

    :raises SetupError: when the app has no key to sign sessions with.
    """
    # A session that somebody else planted must not be the one that is signed in, where sessions have names.
    regenerate = getattr(current_app.session_interface, "regenerate", None)
    if callable(regenerate):
        regenerate(flask.session)
    now = time.time()
    _keep(_Note(member.id.hex, member.sessions, now, now))
    forms.renew_token()


def end() -> None:
    """Sign out, in this browser."""
    _forget(KEY)
    _forget(NEXT)


def member(session: Session, *, lock: bool = False) -> Member | None:
    """Who is signed in, and was there just now; None: nobody, or not any more."""
    row, opened, now = known(session, lock=lock), _note(), time.time()
    if row is None:
        _forget(KEY)
    elif opened is not None and now - opened.seen > NOTED_AFTER:
        _keep(replace(opened, seen=now))
    return row


def known(session: Session, *, lock: bool = False) -> Member | None:
    """Who is signed in; only looks.

    :param lock: as it is now, held until the transaction ends.
    """
    opened, now = _note(), time.time()
    if opened is None or not -APART <= now - opened.seen < IDLE or now - opened.began > LASTS:
        return None
    row = stored.member_by_id(session, UUID(opened.member), lock=lock)
    return row if row is not None and row.sessions == opened.sessions else None


def url(onward: str | None = None) -> str:
    """Where one signs in.

    :param onward: a path within the console that is shown afterwards.
    """
    return url_for(f"{current_mount()}.console.login", next=within(onward))


def here() -> str:
    """The address that was asked for, as it can be asked for again."""
    return str(request.root_path + request.full_path.rstrip("?"))


def keep_next(onward: str | None) -> None:
    """Remember where this browser was on its way to."""
    _forget(NEXT)
    if path := within(onward):
        flask.session[NEXT] = path


def take_next() -> str | None:
    """The way that was remembered, which is forgotten by that."""
    path = flask.session.get(NEXT)
    _forget(NEXT)
    return within(path)


def within(path: object) -> str | None:
    """*path*, if it leads into the console of this mount and nowhere else, however a browser reads it."""
    if (
        not isinstance(path, str)
        or len(path) > 2000
        or not path.isprintable()
        or not path.isascii()
    ):
        return None
    base = url_for(f"{current_mount()}.console.dashboard")
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    plain = _decoded(parts.path)
    is_plain = not (parts.scheme or parts.netloc or re.search(r"\\|//|(^|/)\.\.?(/|$)", plain))
    return path if is_plain and path.startswith(base) and plain.startswith(base) else None


def _decoded(path: str) -> str:
    """*path* without any ``%``, whichever server on the way would take it out."""
    for _ in range(5):
        path, before = unquote(path), path
        if path == before:
            return path
    return "//"


def _forget(name: str) -> None:
    if name in flask.session:  # without SECRET_KEY a session can be read only
        del flask.session[name]


def _keep(fresh: _Note) -> None:
    try:
        flask.session[KEY] = seal(json.dumps(asdict(fresh)))
    except RuntimeError as error:
        raise SetupError(f"Signing in needs SECRET_KEY: {error}") from error


def note() -> str | None:
    """The sealed note of this browser, if it brought one and notes count here; it may well be none of ours."""
    if not is_on() or not has_request_context():
        return None
    sealed = flask.session.get(KEY)
    return sealed if isinstance(sealed, str) else None


def _note() -> _Note | None:
    sealed = note()
    if sealed is None:
        return None
    try:
        text = reveal(sealed)
    except SetupError:  # the keys were changed meanwhile
        return None
    return _Note(**json.loads(text)) if text else None
