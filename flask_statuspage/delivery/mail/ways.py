"""By which way mails leave, and from whom.

The first of these counts: a sender that the site registered, ``STATUSPAGE_SMTP_URL``, the site's Flask-Mail, its
Flask-Mailman.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Any

from flask import Flask, current_app, has_app_context

from ...config import Settings
from ...state import EXTENSION, state_of
from .host import FlaskMail, FlaskMailman, RegisteredSender
from .message import mailbox
from .smtp import SmtpTransport
from .transport import Transport


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way out.

    :param name: for the site's team.
    """

    name: str
    open: Callable[[], Transport]


def chosen(settings: Settings) -> Way | None:
    """The way that mails leave by; None: there is none. Outside of an app context only a mail server's URL counts."""
    app: Flask | None = current_app._get_current_object() if has_app_context() else None  # type: ignore[attr-defined]
    if app is not None and EXTENSION in app.extensions:
        sender = state_of(app).email_sender()
        if sender is not None:
            return Way(name="the registered sender", open=lambda: RegisteredSender(app, sender))
    if (url := settings.smtp_url) is not None:
        return Way(name="STATUSPAGE_SMTP_URL", open=lambda: SmtpTransport(url))
    if app is not None and _sends(app.extensions.get("mail"), "connect"):
        return Way(name="Flask-Mail", open=lambda: FlaskMail(app))
    if app is not None and _sends(app.extensions.get("mailman"), "get_connection"):
        return Way(name="Flask-Mailman", open=lambda: FlaskMailman(app))
    return None


def missing(settings: Settings) -> str | None:
    """What there is to be done before mails can be sent; None: nothing."""
    if chosen(settings) is None:
        return (
            "STATUSPAGE_SMTP_URL is not set, and the site has neither Flask-Mail nor Flask-Mailman "
            "nor a registered sender."
        )
    try:
        sender(settings)
    except ValueError as error:
        return str(error)
    return None


def sender(settings: Settings) -> Address:
    """``STATUSPAGE_EMAIL_FROM``, else ``MAIL_DEFAULT_SENDER`` of the site.

    :raises ValueError: when there is none, or what is there is no address.
    """
    if settings.email_from is not None:
        return mailbox(settings.email_from)
    default: Any = current_app.config.get("MAIL_DEFAULT_SENDER") if has_app_context() else None
    if not default:
        raise ValueError("Neither STATUSPAGE_EMAIL_FROM nor MAIL_DEFAULT_SENDER is set.")
    # Both libraries take a pair of name and address as well.
    return mailbox(default if isinstance(default, str) else "{} <{}>".format(*default))


def _sends(extension: object, method: str) -> bool:
    """Whether it is what its name says: others use the same key."""
    return callable(getattr(extension, method, None))
