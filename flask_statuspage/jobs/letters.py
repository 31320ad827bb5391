"""Mails to members of the team leave one after the other: there are few, and somebody waits for each."""

from __future__ import annotations

from functools import partial

from ..delivery.channels import channels
from ..delivery.channels.email import EmailChannel
from ..services import letters
from ..services.letters import Letter
from ..state import current_settings
from ..storage.races import committed
from ..storage.session import current_session

AT_ONCE = 20
"""So many mails leave before the worker turns to other tasks; the scheduler finds the rest."""


def send_letters() -> int:
    """Send what is due; returns how many there were. No transaction is open while a mail server is spoken with.

    Each mail is taken when its turn has come: one that waited for slow ones would be taken again by somebody else.
    """
    settings, channel = current_settings(), channels[EmailChannel.name]
    if channel.available(settings):
        return 0
    letter, sent = _take(), 0
    if letter is None:
        return 0
    with channel.open(settings) as line:
        while letter is not None:
            outcome = line.send(letter.parcel)
            committed(current_session(), partial(letters.note, letter=letter, outcome=outcome))
            sent += 1
            letter = _take() if sent < AT_ONCE else None
    return sent


def _take() -> Letter | None:
    return committed(current_session(), letters.take)
