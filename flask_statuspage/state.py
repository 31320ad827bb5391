"""What one app knows about its status page: ``app.extensions["statuspage"]``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app

from .config import Settings
from .errors import SetupError

EXTENSION = "statuspage"


EmailSender = Callable[[EmailMessage], None]
"""Sends a whole message, whose ``To`` is its only recipient; raises what :mod:`smtplib` raises when it cannot."""

SmsSender = Callable[[str, str], str | None]
"""Sends a text: number (E.164), text → what the other side calls it, if anything. What it raises is a failure."""


def _nobody() -> str | None:
    return None


def _no_account(subscription_id: UUID, refused: str | None) -> str:
    raise SetupError("No account is connected.")


@dataclass
class State:
    """Per-app state. The roof fills it while it mounts; all lower rooms only read it.

    ``owner`` is the :class:`~flask_statuspage.StatusPage` that is mounted.
    ``wake`` starts a task soon (``wake("deliver")``); losing a wake costs time, never work.
    ``page_changed`` drops what this process knows of versions, so that its next reader sees its own change.
    ``documents`` is the web room's cache of rendered documents.
    ``describe_api`` is the OpenAPI document of a page, given its snapshot.
    ``fast_lane`` is the layer before the app that answers by itself what everybody may have, if the host put one there.
    ``email_sender`` and ``sms_sender`` are what the host registered to send by, if anything.
    ``access_token`` is the token with which a subscription's account elsewhere may be used, given the subscription's id
    and the token that was refused just now, if one was.
    ``has_member_loader`` tells whether the host registered a ``member_loader``, which knows nobody where it did not.
    ``mounts`` are the blueprint names under which the pages answer, the first one is canonical.
    """

    settings: Settings
    owner: object = None
    wake: Callable[[str], None] = lambda task: None
    page_changed: Callable[[], None] = lambda: None
    mounts: list[str] = field(default_factory=list)
    member_loader: Callable[[], str | None] = _nobody
    has_member_loader: Callable[[], bool] = lambda: False
    subscriber_loader: Callable[[], str | None] = _nobody
    email_sender: Callable[[], EmailSender | None] = lambda: None
    sms_sender: Callable[[], SmsSender | None] = lambda: None
    access_token: Callable[[UUID, str | None], str] = _no_account
    documents: Any = None
    describe_api: Callable[[Any], bytes] = lambda snapshot: b"{}"
    fast_lane: Any = None


def state_of(app: Flask) -> State:
    """The state that ``register_blueprint(statuspage)`` left on *app*."""
    return cast(State, app.extensions[EXTENSION])


def current_state() -> State:
    """The state of the app whose context is active."""
    return state_of(current_app)


def current_settings() -> Settings:
    """The settings of the app whose context is active."""
    return current_state().settings


def signing_keys() -> tuple[str, ...]:
    """The app's keys, newest first: ``STATUSPAGE_SECRET_KEYS``, else ``SECRET_KEY`` and its fallbacks.

    :raises SetupError: without any key.
    """
    keys = current_settings().secret_keys or tuple(
        key.decode("latin-1") if isinstance(key, bytes) else str(key)
        for key in (
            current_app.secret_key,
            *(current_app.config.get("SECRET_KEY_FALLBACKS") or ()),
        )
        if key
    )
    if not keys:
        raise SetupError(
            "Stored secrets and mailed links need a key: set SECRET_KEY or STATUSPAGE_SECRET_KEYS."
        )
    return keys
