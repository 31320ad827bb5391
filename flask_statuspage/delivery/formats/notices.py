"""What letters say of a subscription itself: the question whether it is wanted, its end, a test, what was held back."""

from __future__ import annotations

from ...domain.events import Event
from ...domain.status import ComponentStatus
from ...translation import marked
from .letter import Code, Entries, Letter, Lines, Link
from .phrases import Phrases
from .sentence import Figure, Name

TEST_MESSAGE = marked("This is a test. If you can read it, notifications reach you.")

NEUTRAL = ComponentStatus.UNKNOWN


def confirmation(event: Event, words: Phrases) -> Letter:
    """Asks an address, or tells its owner that it is subscribed already."""
    page, data = Name(event.data["page"]["name"]), event.data
    if "confirm_url" in data:
        headline = words.gettext("Please confirm your subscription")
        before = words.gettext(
            "Somebody, probably you, asked for status updates of {page} to be sent to this address."
        )
        press = words.gettext("To receive them, open this page and press the button")
        after = words.gettext(
            "The link works for 7 days. If it was not you, do nothing: you will not hear from us again."
        )
        url = data["confirm_url"]
    else:
        headline = words.gettext("You are subscribed already")
        before = words.gettext(
            "Somebody, probably you, asked for status updates of {page}. You receive them already."
        )
        press = words.gettext("To change what you receive, open this page")
        after = words.gettext("If it was not you, do nothing: nothing has changed.")
        url = data["manage_url"]
    return Letter(
        headline=words.say(headline),
        tone=NEUTRAL,
        parts=[
            Lines([words.say(before, page=page)]),
            Link(words.say(press), url),
            Lines([words.say(after)]),
        ],
    )


def disabled(event: Event, words: Phrases) -> Letter:
    """For the owner of an address that is no mailbox."""
    subscription, page = event.data["subscription"], Name(event.data["page"]["name"])
    channel = Figure(subscription["channel"])
    before = words.gettext(
        "Status updates of {page} are no longer sent to this address, because of how it answered. "
        "It is yours, or you set it up."
    )
    reason = subscription["reason"]
    facts = [
        words.say(
            words.gettext("Address: {address} ({channel})"),
            address=Figure(_without_query(subscription["address"])),
            channel=channel,
        ),
        words.say(
            words.gettext("Reason: {reason}"),
            reason=Name(reason) if reason else words.gettext("not known"),
        ),
        words.say(words.gettext("Since: {time}"), time=words.time(event.occurred_at.isoformat())),
    ]
    how = words.gettext(
        "Once it works again, somebody with an admin's key of the manage API switches it on with one request:"
    )
    after = words.gettext(
        "If you have no such key, ask the team behind {page}. What happens until then is not sent later by itself."
    )
    return Letter(
        headline=words.say(words.gettext("Your {channel} was switched off"), channel=channel),
        tone=ComponentStatus.DEGRADED_PERFORMANCE,
        parts=[
            Lines([words.say(before, page=page)]),
            Lines(facts),
            Lines([words.say(how)]),
            Code(f"POST {event.data['enable_url']}"),
            Lines([words.say(after, page=page)]),
        ],
    )


def test(event: Event, words: Phrases) -> Letter:
    """Says that messages arrive. A message of another program is told as it stands."""
    return Letter(
        headline=words.say(words.gettext("Test message")),
        tone=NEUTRAL,
        parts=[Lines([words.say("{message}", message=Name(test_message(event, words)))])],
    )


def digest(event: Event, words: Phrases) -> Letter:
    """Stands for all messages beyond the reader's hourly share, oldest first. ``more`` are too old to be listed."""
    notices, limit = event.data["notices"], event.data["limit"]
    more = event.data.get("more", 0)
    count = len(notices) + more
    why = words.ngettext(
        "More than {limit} message an hour would have been sent to you. Here are the others, oldest first.",
        "More than {limit} messages an hour would have been sent to you. Here are the others, oldest first.",
        limit,
    )
    entries = [
        (
            words.say(
                words.gettext("{time} - {news}"),
                time=words.time(notice["at"]),
                news=words.news(notice["event"], notice["status"], notice["title"]),
            ),
            notice["url"],
        )
        for notice in notices
    ]
    lines = [words.say(why, limit=str(limit))]
    if more:
        unlisted = words.ngettext(
            "{count} earlier one is not listed.", "{count} earlier ones are not listed.", more
        )
        lines.append(words.say(unlisted, count=str(more)))
    headline = words.ngettext(
        "This message stands for {count} message", "This message stands for {count} messages", count
    )
    return Letter(
        headline=words.say(headline, count=str(count)),
        tone=NEUTRAL,
        parts=[Lines(lines), Entries(entries)],
    )


def test_message(event: Event, words: Phrases) -> str:
    """What a test says: our own message in the reader's language, another one as it stands."""
    message = str(event.data["message"])
    return words.gettext(message) if message == TEST_MESSAGE else message


def _without_query(address: str) -> str:
    """What stands behind the question mark may be a key, which mail servers on the way need not read."""
    return address.partition("?")[0].partition("#")[0]
