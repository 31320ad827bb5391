"""Mails to members of the team leave one after the other: there are few, and somebody waits for each."""

from __future__ import annotations

from functools import partial

from ..delivery.channels import channels
from ..delivery.channels.email import EmailChannel
from ..services import letters
from ..state import current_settings
from ..storage.races import committed
from ..storage.session import current_session


def send_letters() -> int:
    """Send what is due; returns how many there were. No transaction is open while a mail server is spoken with."""
    settings, channel = current_settings(), channels[EmailChannel.name]
    if channel.available(settings):
        return 0
    taken = committed(current_session(), letters.take)
    if not taken:
        return 0
    with channel.open(settings) as line:
        for letter in taken:
            outcome = line.send(letter.parcel)
            committed(current_session(), partial(letters.note, letter=letter, outcome=outcome))
    return len(taken)
