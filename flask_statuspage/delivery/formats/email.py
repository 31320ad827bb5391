"""A mail's subject and its two bodies in the reader's language, as JSON ``{"subject", "text", "html"}``.

The channel adds the headers.

Until :func:`complete` the words of the reader's own links stand beside them, and their place is marked in the HTML.
"""

from __future__ import annotations

import json

from ...domain.events import (
    INCIDENT_EVENTS,
    MAINTENANCE_EVENTS,
    PUBLIC_EVENTS,
    REMINDER,
    Event,
)
from ...domain.markup import one_line
from ...domain.reader import Reader
from ...domain.retry import HOUR, MINUTE, Policy
from . import letter_html
from .format import Format, Posting
from .letter import plain
from .letters import written
from .phrases import Phrases
from .sentence import Name


def render(event: Event) -> str:
    """For whom nothing is known of: in English, by UTC."""
    return render_for(event, Reader())


def render_for(event: Event, reader: Reader) -> str:
    """Subject, plain text and HTML of *event*, and the labels ``manage`` and ``unsubscribe``."""
    page, words, letter = event.data["page"], Phrases(reader), written(event, reader)
    subject = f"[{one_line(page['name'])}] {letter.headline.plain()}"
    footer = f"{Name(page['name']).plain(words.direction)}: {one_line(page['url'])}"
    text = "\n\n".join(
        part
        for part in (
            letter.headline.plain(words.direction),
            plain(letter.parts, words.direction),
            footer,
        )
        if part
    )
    html = letter_html.page(
        letter,
        subject=subject,
        page_name=page["name"],
        page_url=page["url"],
        language=words.language,
        direction=words.direction,
    )
    body = {
        "subject": subject,
        "text": text,
        "html": html,
        "manage": words.gettext("Change what you receive"),
        "unsubscribe": words.gettext("Unsubscribe"),
    }
    return json.dumps(body, ensure_ascii=False)


def complete(body: str, posting: Posting) -> str:
    """*body* with the reader's own links in both parts, where there are any, and with nothing else beside the mail."""
    kept = json.loads(body)
    text, links = kept["text"], ""
    if posting.manage_url and posting.unsubscribe_url:
        manage, leave = kept["manage"], kept["unsubscribe"]
        text += f"\n\n{manage}: {posting.manage_url}\n{leave}: {posting.unsubscribe_url}\n"
        links = letter_html.links(manage, posting.manage_url, leave, posting.unsubscribe_url)
    html = kept["html"].replace(letter_html.LINKS, links)
    return json.dumps({"subject": kept["subject"], "text": text, "html": html}, ensure_ascii=False)


format = Format(
    name="email",
    channels=frozenset({"email"}),
    render=render,
    render_for=render_for,
    complete=complete,
    unasked=frozenset((*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER)),
    offered=frozenset(PUBLIC_EVENTS),
    # A mail server that defers asks for patience; two days is what mail users are used to.
    policy=Policy(
        timeout=30.0, delays=(MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 8 * HOUR, 24 * HOUR)
    ),
)
