"""Behind the scenes: the mails and webhooks that arrived, and the operations log.

The mails of a real site are in its customers' mailboxes and the webhooks in their systems; here both
end on a page, so that you can see them.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from flask import Blueprint, Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect

from .console import say
from .models import log_entries
from .signatures import standard_signature_is_right, status_signature_is_right

T = TypeVar("T")

SHOWN = 100
"""Characters of a webhook's body that are printed."""

blueprint = Blueprint("backstage", __name__)


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Webhook:
    """A verified request. ``repeated``: the same ``webhook-id`` came before, as it may after a retry."""

    id: str
    event: str
    about: str
    body: str
    headers: dict[str, str]
    repeated: bool
    at: datetime


class Arrivals(Generic[T]):
    """The latest things that arrived, newest first. Any thread may add one."""

    def __init__(self, limit: int = 100) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def add(self, item: T) -> None:
        with self._lock:
            self._items.appendleft(item)

    def __iter__(self) -> Iterator[T]:
        with self._lock:
            return iter(list(self._items))


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    app.config.setdefault("RECEIVER_SECRET", None)
    app.extensions["mails"] = Arrivals[Mail]()
    app.extensions["webhooks"] = Arrivals[Webhook]()
    csrf.exempt(receive)  # a program calls it; its signature proves where it comes from
    app.register_blueprint(blueprint)


@blueprint.get("/mail")
def mail() -> ResponseReturnValue:
    return render_template("portal/mail.html", mails=list(current_app.extensions["mails"]))


@blueprint.get("/operations")
def operations() -> ResponseReturnValue:
    return render_template("portal/operations.html", entries=log_entries())


@blueprint.get("/webhooks")
def webhooks() -> ResponseReturnValue:
    return render_template(
        "portal/webhooks.html", webhooks=list(current_app.extensions["webhooks"])
    )


@blueprint.post("/webhooks/receiver")
def receive() -> ResponseReturnValue:
    """A receiver as a customer would run one: verify first, then read, and drop what came twice."""
    secret, body = current_app.config["RECEIVER_SECRET"], request.get_data()
    if not (
        secret
        and status_signature_is_right(secret, request.headers, body)
        and standard_signature_is_right(secret, request.headers, body)
    ):
        say("webhook", "refused: its signatures are not right")
        return {"error": "The signatures are not right."}, 401
    webhook = _described(body)
    current_app.extensions["webhooks"].add(webhook)
    note = ", came again" if webhook.repeated else ""
    say(
        "webhook",
        f"{webhook.event}, both signatures verified{note} ({webhook.about})",
        f"{body.decode()[:SHOWN]}…",
    )
    return {"received": True}


def _described(body: bytes) -> Webhook:
    data: dict[str, Any] = json.loads(body)
    about = data.get("incident") or data.get("component") or data.get("monitor") or {}
    names = ("Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "X-Status-Signature")
    return Webhook(
        id=request.headers["webhook-id"],
        event=data["event"],
        about=f"{about['name']}: {about['status']}" if about else "",
        body=json.dumps(data, indent=2, ensure_ascii=False),
        headers={name: request.headers[name] for name in names},
        repeated=any(
            known.id == request.headers["webhook-id"]
            for known in current_app.extensions["webhooks"]
        ),
        at=datetime.now(),
    )
