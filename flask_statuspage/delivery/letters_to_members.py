"""What members of the team are mailed: a link to sign in, and that they are members now. In English, as the console."""

from __future__ import annotations

import json

from ..domain.retry import Policy
from ..domain.status import ComponentStatus
from .formats import letter_html
from .formats.letter import Letter, Lines, Link, Part, plain
from .formats.sentence import Name, Sentence

POLICY = Policy(timeout=30.0)


def sign_in(*, page_name: str, page_url: str, url: str, minutes: int) -> str:
    """A link that signs in, as the body of a mail."""
    page = Name(page_name)
    letter = Letter(
        headline=Sentence("Sign in to {page}", {"page": page}),
        tone=ComponentStatus.UNKNOWN,
        parts=[
            Lines(
                [
                    Sentence(
                        "Somebody, most likely you, asked for a link to the console of {page}.",
                        {"page": page},
                    )
                ]
            ),
            Link(Sentence("Sign in"), url),
            Lines(
                [
                    Sentence(
                        f"The link works once, for {minutes} minutes. Nobody else needs it: do not pass it on."
                    ),
                    Sentence("If it was not you, do nothing: nobody is signed in without it."),
                ]
            ),
        ],
    )
    return _body(letter, page_name, page_url)


def invitation(*, page_name: str, page_url: str, url: str, role: str) -> str:
    """That somebody is a member now, as the body of a mail."""
    gaps = {"page": Name(page_name)}
    parts: list[Part] = [
        Lines([Sentence(f"You are in its team now, with the role “{role}”.")]),
        Link(Sentence("Open the console"), url),
    ]
    letter = Letter(
        headline=Sentence("Welcome to the team of {page}", gaps),
        tone=ComponentStatus.UNKNOWN,
        parts=parts,
    )
    return _body(letter, page_name, page_url)


def _body(letter: Letter, page_name: str, page_url: str) -> str:
    subject = letter.headline.plain()
    html = letter_html.page(
        letter,
        subject=subject,
        page_name=page_name,
        page_url=page_url,
        language="en",
        direction="ltr",
    ).replace(letter_html.LINKS, "")
    footer = f"{Name(page_name).plain('ltr')}: {page_url}"
    text = "\n\n".join((letter.headline.plain("ltr"), plain(letter.parts, "ltr"), footer))
    return json.dumps({"subject": subject, "text": text, "html": html}, ensure_ascii=False)
