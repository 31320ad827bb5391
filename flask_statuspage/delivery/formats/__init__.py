"""Formats by name. A new one is one file with a :class:`Format` and one line here."""

from __future__ import annotations

from ...registry import Registry
from . import email, native, slack, sms, statusgator, statusmate, statuspage, statuspageone, text, x
from .format import Format, Posting

formats: Registry[Format] = Registry(
    "flask_statuspage.formats",
    {
        "email": email.format,
        "sms": sms.format,
        "text": text.format,
        "native": native.format,
        "statusmate": statusmate.format,
        "statuspageone": statuspageone.format,
        "statusgator": statusgator.format,
        "statuspage": statuspage.format,
        "slack": slack.format,
        "x": x.format,
    },
)

__all__ = ["Format", "Posting", "formats"]
