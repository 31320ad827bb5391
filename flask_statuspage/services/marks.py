"""What a form carries of something that readers are told of, and brings back: so nothing is written over unseen.

It is compared while the page is held, so that of two members one is first, and the other one learns what the first one
wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Protocol, TypeVar

from ..domain.facts import plain
from ..errors import Conflict, Invalid

NOTHING_NEW = "This would say nothing new: write something, or choose another state or status."


class Written(Protocol):
    """An update of an incident or a maintenance."""

    id: Any
    number: Any
    body: Any
    created_at: Any


Update = TypeVar("Update", bound=Written)


def mark(state: Mapping[str, Any], updates: Collection[Written]) -> str:
    """The number of the latest update, and a print of all that can be changed.

    :param state: all but the updates, as plain data.
    """
    written = [
        [str(update.id), update.body, plain(update.created_at)]
        for update in sorted(updates, key=lambda update: update.number)
    ]
    whole = json.dumps([state, written], sort_keys=True)
    return f"{latest(updates).number}.{hashlib.sha256(whole.encode()).hexdigest()[:20]}"


def number_in(seen: str) -> int:
    """The number of the latest update that was shown; 0 for what is no mark."""
    number = seen.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def latest(updates: Collection[Update]) -> Update:
    return max(updates, key=lambda update: update.number)


def check(present: str, seen: str, *, what: str) -> None:
    """:raises Conflict: when *what*, in a word, is otherwise by now than it was shown."""
    if present != seen:
        raise Conflict(
            f"This {what} was changed while you wrote. Nothing of yours was saved. Look at what is new, mend your text "
            "if it needs that, and press the button again."
        )


def check_title(typed: str, title: str, *, what: str) -> None:
    """:raises Invalid: naming ``title``, unless *typed* is the title of what is to be deleted."""
    if " ".join(typed.split()) != " ".join(title.split()):
        raise Invalid.field("title", f"This is not the title of the {what}.")
