"""Channels by name. A new one is one file with a :class:`Channel` and one line here."""

from __future__ import annotations

from ...registry import Registry
from . import email, webhook, x
from .channel import Channel, Line

channels: Registry[Channel] = Registry(
    "flask_statuspage.channels",
    {
        "email": email.EmailChannel(),
        "webhook": webhook.WebhookChannel(),
        "x": x.XChannel(),
    },
)

__all__ = ["Channel", "Line", "channels"]
