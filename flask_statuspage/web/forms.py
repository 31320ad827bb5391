"""Forms of signed-in visitors: the token that they carry, and whether one that was sent is genuine."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, g, request, session
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from ..errors import SetupError


def csrf_token() -> str:
    """A token for this visitor's session. Only made where somebody is signed in: others need no cookie.

    :raises SetupError: when the app has no key to sign it with.
    """
    try:
        return str(generate_csrf())
    except RuntimeError as error:
        raise SetupError(f"Forms of signed-in customers need SECRET_KEY: {error}") from error


def renew_token() -> None:
    """Let no token count that this session had until now: who planted the session knows it."""
    name = current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token")
    session.pop(name, None)
    g.pop(name, None)


def is_genuine(token: object) -> bool:
    """Whether *token* came with a form of ours that was made for this session."""
    if not isinstance(token, str):
        return False
    try:
        validate_csrf(token)
    except (ValidationError, RuntimeError):  # RuntimeError: no SECRET_KEY, so no token is genuine
        return False
    return True


def is_from_elsewhere() -> bool:
    """Whether the browser says that a page of another site sent this request.

    By Fetch Metadata (https://www.w3.org/TR/fetch-metadata/), which browsers send over TLS and to their own machine;
    else by ``Origin``. What neither comes with was sent by no page.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site != "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != request.host
    except ValueError:
        return True
