"""Slack on loopback: incoming webhooks that check what they get against Slack's documented limits, and answer so.

Sources: Slack's "Sending messages using incoming webhooks", "Improving error conditions for Incoming Webhooks", "Rate
limits", and its references of blocks and of secondary attachments.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from . import http
from .http import Answer, Received, Receiver

OK = Answer(headers={"Content-Type": "text/html"})
MAX_TEXT = 40_000
MAX_BLOCKS = 50
MAX_ATTACHMENTS = 100
BLOCKS = {"section", "context", "header", "divider", "actions", "image"}


class Slack:
    """One workspace: :meth:`webhook` opens an incoming webhook, :meth:`close` ends it with one of Slack's words.

    :ivar messages: what was taken, by the path of the webhook, in their order.
    """

    def __init__(self, site: Receiver) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._open: set[str] = set()
        self._closed: dict[str, Answer] = {}
        self._trouble: list[Answer] = []
        self.messages: dict[str, list[dict[str, Any]]] = {}
        site.answer = self._answer

    @property
    def port(self) -> int:
        return self._site.port

    @property
    def requests(self) -> list[Received]:
        return self._site.requests

    def webhook(self) -> str:
        """The address of a new incoming webhook; whoever has it may post."""
        path = f"/services/T{_mark(8)}/B{_mark(8)}/{secrets.token_hex(12)}"
        self._open.add(path)
        return self._site.url + path

    def close(self, address: str, status: int, word: str) -> None:
        """From now on it answers as Slack does for a conversation or webhook that is closed."""
        self._closed[self._path(address)] = Answer(status=status, body=word.encode())

    def fail_once(self, answer: Answer) -> None:
        """Let the next message be answered so, whatever it is."""
        self._trouble.append(answer)

    def taken(self, address: str) -> list[dict[str, Any]]:
        with self._lock:
            return list(self.messages.get(self._path(address), ()))

    def wait_for(self, address: str, count: int, timeout: float = 10) -> list[dict[str, Any]]:
        """The messages of one webhook once there are *count*."""
        end = time.monotonic() + timeout
        while len(found := self.taken(address)) < count:
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return found

    def _path(self, address: str) -> str:
        return address.removeprefix(self._site.url)

    def _answer(self, request: Received) -> Answer:
        if self._trouble:
            return self._trouble.pop(0)
        if request.path in self._closed:
            return self._closed[request.path]
        if request.path not in self._open:
            return Answer(status=404, body=b"no_service")
        if request.method != "POST":
            return Answer(status=400, body=b"invalid_payload")
        body, word = read(request.body, request.headers.get("Content-Type", ""))
        if body is None:
            return Answer(status=400, body=word.encode())
        with self._lock:
            self.messages.setdefault(request.path, []).append(body)
        return OK


def read(sent: bytes, content_type: str) -> tuple[dict[str, Any] | None, str]:
    """The message, or None and Slack's word for what is wrong with it."""
    if content_type.partition(";")[0].strip() != "application/json":
        return None, "invalid_payload"
    try:
        body = json.loads(sent.decode())
    except ValueError:
        return None, "invalid_payload"
    if not isinstance(body, dict):
        return None, "invalid_payload"
    return (None, word) if (word := wrong(body)) else (body, "")


def wrong(body: Mapping[str, Any]) -> str | None:
    """Slack's word for what it would not show; None: nothing."""
    text, attachments = body.get("text", ""), body.get("attachments", [])
    if not isinstance(text, str) or not isinstance(attachments, list):
        return "invalid_payload"
    if not text and not attachments and not body.get("blocks"):
        return "no_text"
    if len(text) > MAX_TEXT:
        return "msg_too_long"
    if len(attachments) > MAX_ATTACHMENTS:
        return "too_many_attachments"
    groups = [body.get("blocks", []), *(one.get("blocks", []) for one in attachments)]
    if not all(re.fullmatch("#[0-9a-fA-F]{6}", one.get("color", "#000000")) for one in attachments):
        return "invalid_attachments"
    for blocks in groups:
        if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
            return "invalid_blocks"
        if not all(_is_valid(block) for block in blocks):
            return "invalid_blocks"
    return None


def _is_valid(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    if kind not in BLOCKS:
        return False
    if kind == "section":
        fields = block.get("fields", [])
        if len(fields) > 10 or not all(_is_text(one, 2000) for one in fields):
            return False
        return bool(fields) if "text" not in block else _is_text(block["text"], 3000)
    if kind == "header":
        return _is_text(block.get("text"), 150) and block["text"]["type"] == "plain_text"
    if kind == "context":
        elements = block.get("elements", [])
        return 1 <= len(elements) <= 10 and all(_is_text(one, 3000) for one in elements)
    return True


def _is_text(text: Any, most: int) -> bool:
    if not isinstance(text, Mapping) or text.get("type") not in ("mrkdwn", "plain_text"):
        return False
    return isinstance(text.get("text"), str) and 1 <= len(text["text"]) <= most


def _mark(size: int) -> str:
    return secrets.token_hex(size)[:size].upper()


@contextmanager
def running() -> Iterator[Slack]:
    with http.receiver() as site:
        yield Slack(site)
