"""How channels and formats are offered to people: a new channel is one entry here."""

from __future__ import annotations

from dataclasses import dataclass

from ..translation import said


@dataclass(frozen=True, kw_only=True)
class ChannelWords:
    """What a form says of a channel.

    Sentences are :class:`~..translation.Said`, so that a form shows them in its reader's language.

    :param label: the channel in the list of ways.
    :param address: what its kind of address is called.
    :param hint: what such an address looks like, and what happens with it.
    :param missing: what to do where nothing was typed.
    :param input_type: of the field, and ``autocomplete``, as HTML names them.
    :param done: the heading of the answer to a sign-up that its owner has to confirm; ``told`` what it says, the same
        whether or not the address was known; ``missed`` what helps when nothing comes.
    :param is_secret: whoever knows the address may write there.
    """

    label: str
    address: str
    hint: str = ""
    missing: str
    input_type: str = "text"
    autocomplete: str = "off"
    example: str = ""
    done: str = said("One more step")
    told: str = said(
        "If this address is not subscribed yet, we have just sent a message to it. Confirm it there."
    )
    missed: str = said("Nothing has arrived after a few minutes?")
    is_secret: bool = False


CHANNELS = {
    "email": ChannelWords(
        label=said("Email"),
        address=said("Email address"),
        hint=said("We send a link to confirm it."),
        missing=said("Enter an email address."),
        input_type="email",
        autocomplete="email",
        example="name@example.com",
        done=said("Check your inbox"),
        told=said(
            "If this address is not subscribed yet, we have just sent a message to it. Follow the link in it to "
            "confirm your subscription."
        ),
        missed=said("Nothing has arrived after a few minutes? Look into the spam folder."),
    ),
    "sms": ChannelWords(
        label=said("Text message (SMS)"),
        address=said("Mobile number"),
        hint=said("With the country code, such as +1 500 555 0006. We send a text to confirm it."),
        missing=said("Enter a mobile number."),
        input_type="tel",
        autocomplete="tel",
        example="+1 500 555 0006",
        done=said("Check your phone"),
        told=said(
            "If this number is not subscribed yet, we have just sent a text to it. Answer as the text says to confirm "
            "your subscription."
        ),
        missed=said("Nothing has arrived after a few minutes? Look at the country code."),
    ),
    "slack": ChannelWords(
        label="Slack",
        address=said("Incoming webhook URL of Slack"),
        hint=said(
            "Made in Slack for one of your channels; it begins with https://hooks.slack.com/services/."
        ),
        missing=said("Enter the incoming webhook URL that Slack gave you."),
        input_type="url",
        is_secret=True,
    ),
    "webhook": ChannelWords(
        label=said("Webhook"),
        address=said("Webhook URL"),
        hint=said("Begins with https://. Events are sent there for a program to read."),
        missing=said("Enter the URL that shall be called."),
        input_type="url",
        autocomplete="url",
    ),
}

FORMATS: dict[str, str] = {
    "native": said("Our own JSON"),
    "slack": said("Slack message"),
    "statusgator": "StatusGator JSON",
    "statusmate": "StatusMate JSON",
    "statuspage": "Atlassian Statuspage JSON",
    "statuspageone": "StatusPage.one JSON",
}
"""What a webhook can be written in."""


def channel_words(name: str) -> ChannelWords:
    """The words for a channel; plain ones for one that another package brought."""
    label = name.replace("_", " ").capitalize()
    return CHANNELS.get(name) or ChannelWords(
        label=label,
        address=said("Address for {way}", way=label),
        missing=said("Enter an address for {way}.", way=label),
    )


def format_word(name: str) -> str:
    """What people call a format."""
    return FORMATS.get(name, name)
