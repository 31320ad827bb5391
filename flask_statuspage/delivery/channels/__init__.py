"""Channels by name. A new one is one file with a :class:`Channel` and one line here."""

from __future__ import annotations

from ...registry import Registry
from . import apprise, email, slack, sms, webhook, x
from .channel import Channel, Line

channels: Registry[Channel] = Registry(
    "flask_statuspage.channels",
    {
        "email": email.EmailChannel(),
        "webhook": webhook.WebhookChannel(),
        "sms": sms.SmsChannel(),
        "slack": slack.SlackChannel(),
        "x": x.XChannel(),
        "apprise": apprise.AppriseChannel(),
    },
)

__all__ = ["Channel", "Line", "channels"]
