"""What somebody who was sent a text answers: the words that end texts, bring them back, or ask who writes."""

from __future__ import annotations

import unicodedata
from enum import StrEnum


class Answer(StrEnum):
    STOP = "STOP"
    START = "START"
    HELP = "HELP"


STOPPED = "Its owner answered STOP."
"""The reason of what ended with a STOP, and of the suppression: by it START knows what to bring back."""

_WORDS = {
    **dict.fromkeys(
        ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"), Answer.STOP
    ),
    **dict.fromkeys(("START", "YES", "UNSTOP"), Answer.START),
    **dict.fromkeys(("HELP", "INFO"), Answer.HELP),
}


def answer_of(text: str) -> Answer | None:
    """What *text* says, if it is one of the words and nothing else but case, spaces and punctuation.

    "Stop!" and "stop all" count, "Please don't stop" does not: a wrong STOP silences somebody who needs the news.
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    return _WORDS.get("".join(mark for mark in folded if not _is_ignored(mark)))


def _is_ignored(mark: str) -> bool:
    # Separators, punctuation, and what keyboards put in unseen: control and format characters.
    return unicodedata.category(mark)[0] in "ZPC"
