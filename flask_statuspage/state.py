"""What one app knows about its status page: ``app.extensions["statuspage"]``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast
from uuid import UUID
from weakref import ref

from flask import Flask, current_app

from .config import Settings
from .errors import SetupError

EXTENSION = "statuspage"


EmailSender = Callable[[EmailMessage], None]
"""Sends a whole message, whose ``To`` is its only recipient; raises what :mod:`smtplib` raises when it cannot."""

SmsSender = Callable[[str, str], str | None]
"""Sends a text: number (E.164), text → what the other side calls it, if anything. What it raises is a failure."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A monitor that the site's code makes: a function that is called, or a blueprint whose requests are counted.

    :param page: the slug of the page; None: the default one.
    :param target: what the probe knows it by, the same in every process.
    :param fields: what the code says of the monitor, by the names of the API.
    :param blueprint: itself, or its name; before an app is known, a weak reference to it.
    :param app: the only app that it counts for.
    :param unnamed: ``slug`` and ``name`` as far as they are made of the target, which each app knows by its full name.
    """

    kind: str
    slug: str
    target: str
    fields: Mapping[str, Any]
    page: str | None = None
    function: Callable[[], object] | None = None
    blueprint: Any = None
    app: ref[Flask] | None = None
    unnamed: Collection[str] = ()

    def counts_for(self, app: Flask) -> bool:
        return self.app is None or self.app() is app


def _nobody() -> str | None:
    return None


def _no_account(subscription_id: UUID, refused: str | None) -> str:
    raise SetupError("No account is connected.")


@dataclass
class State:
    """Per-app state. The roof fills it while it mounts; all lower rooms only read it.

    ``owner`` is the :class:`~flask_statuspage.StatusPage` that is mounted.
    ``wake`` starts a task soon (``wake("deliver")``); losing a wake costs time, never work.
    ``waiting_jobs`` asks Redis how many triggers wait in each queue, and answers None while Redis does not; it is None
    itself where there is no Redis.
    ``page_changed`` drops what this process knows of versions, so that its next reader sees its own change.
    ``documents`` is the web room's cache of rendered documents.
    ``describe_api`` is the OpenAPI document of a page, given its snapshot.
    ``fast_lane`` is the layer before the app that answers by itself what everybody may have, if the host put one there.
    ``email_sender`` and ``sms_sender`` are what the host registered to send by, if anything.
    ``access_token`` is the token with which a subscription's account elsewhere may be used, given the subscription's id
    and the token that was refused just now, if one was.
    ``locale_loader`` is the host's word for the language of this request, ``has_locale_loader`` whether it has a say.
    ``has_member_loader`` tells whether the host registered a ``member_loader``, which knows nobody where it did not.
    ``declarations`` are the monitors that the site's code makes; ``traffic`` counts the requests that they watch.
    ``rates`` counts what may be done so often a minute only.
    ``mounts`` are the blueprint names under which the pages answer, the first one is canonical.
    """

    settings: Settings
    owner: object = None
    wake: Callable[[str], None] = lambda task: None
    waiting_jobs: Callable[[], Mapping[str, int] | None] | None = None
    page_changed: Callable[[], None] = lambda: None
    mounts: list[str] = field(default_factory=list)
    member_loader: Callable[[], str | None] = _nobody
    has_member_loader: Callable[[], bool] = lambda: False
    subscriber_loader: Callable[[], str | None] = _nobody
    locale_loader: Callable[[], str | None] = _nobody
    has_locale_loader: Callable[[], bool] = lambda: False
    email_sender: Callable[[], EmailSender | None] = lambda: None
    sms_sender: Callable[[], SmsSender | None] = lambda: None
    access_token: Callable[[UUID, str | None], str] = _no_account
    declarations: Callable[[], Sequence[Declaration]] = tuple
    traffic: Any = None
    documents: Any = None
    describe_api: Callable[[Any], bytes] = lambda snapshot: b"{}"
    fast_lane: Any = None
    rates: Any = None


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
