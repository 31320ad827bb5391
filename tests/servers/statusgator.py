"""A receiver of StatusGator's webhook, written from its support page alone ("Integrating StatusGator with Webhooks").

It takes the message apart as strictly as that page describes it, answers 200, and anything else with 400 and why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .http import Answer, Received

WORDS = {"up", "warn", "down", "maintenance"}
TEXTS = ("details", "message", "service_name", "slug")
ADDRESSES = ("favicon_url", "home_page_url", "status_page_url")
LISTS = {
    "component_status_changes": {"group_name", "name", "last_status", "current_status"},
    "component_statuses": {"group_name", "name", "status"},
}
FIELDS = {"current_status", "last_status", "occurred_at", *TEXTS, *ADDRESSES, *LISTS}


class NotDocumented(Exception):
    """The message is not what the page describes."""


@dataclass
class StatusGatorReceiver:
    """To be a receiver's ``answer``; ``bodies`` are those that were taken, ``refused`` says why others were not."""

    bodies: list[bytes] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __call__(self, request: Received) -> Answer:
        try:
            if request.method != "POST":
                raise NotDocumented(request.method)
            read(request.body)
        except (NotDocumented, ValueError) as error:
            self.refused.append(str(error))
            return Answer(status=400)
        self.bodies.append(request.body)
        return Answer()


def read(body: bytes) -> dict[str, Any]:
    """The message in *body*.

    :raises NotDocumented: where it has another field, lacks one, or a value is of another kind.
    """
    message = json.loads(body.decode(), object_pairs_hook=_once)
    _check(set(message) == FIELDS, f"fields {sorted(set(message) ^ FIELDS)}")
    for name in TEXTS:
        _check(isinstance(message[name], str) and message[name] != "", name)
    for name in ADDRESSES:
        _check(str(message[name]).startswith(("https://", "http://")), name)
    _check({message["current_status"], message["last_status"]} <= WORDS, "status")
    _check(datetime.fromisoformat(message["occurred_at"]).tzinfo is not None, "occurred_at")
    for name, fields in LISTS.items():
        _check(isinstance(message[name], list), name)
        for row in message[name]:
            _check(set(row) == fields, f"fields of {name}")
            _check(isinstance(row["name"], str), f"name in {name}")
            _check(isinstance(row["group_name"], str | None), f"group_name in {name}")
            words = {value for key, value in row.items() if key.endswith("status")}
            _check(words <= WORDS, f"status in {name}")
    return dict(message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _check(len(dict(pairs)) == len(pairs), "a field stands there twice")
    return dict(pairs)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise NotDocumented(what)
