"""``Idempotency-Key``: a POST that is sent again is not done again
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).

The answer is kept in the transaction of the change, so that neither is there without the other. What is refused changed
nothing and is not kept: sent again, it is looked at anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Response, current_app, request
from sqlalchemy.orm import Session

from ...errors import Invalid
from ...storage import kept_answers
from ...storage.base import utc_now
from ...storage.encryption import reveal, seal
from ..answers import JSON_TYPE
from ..failures import check_size
from .call import Call

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY = 255
HEADERS = ("Cache-Control", "ETag", "Link", "Location")
"""Those of an answer that are kept with it."""


class Answered(Exception):
    """The request was answered before, by ``response``."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__()


@dataclass(frozen=True)
class Repeatable:
    """A request with a key. ``key`` and ``sent`` are digests of who asks what under which key, and of what was sent."""

    key: str
    sent: str

    def claim(self, session: Session) -> None:
        """Make sure that nobody else does the same at this moment, or did it already.

        :raises Answered: when it was done.
        :raises Invalid: naming the header, when something else was done under the key.
        """
        found = kept_answers.claim(session, self.key, self.sent, utc_now())
        if found is None:
            return
        if found.request != self.sent:
            raise Invalid.field(HEADER, "Was used for another request within the last 24 hours.")
        raise Answered(_response(reveal(found.answer) or ""))

    def keep(self, session: Session, response: Response) -> None:
        kept = {
            "status": response.status_code,
            "headers": {
                name: response.headers[name] for name in HEADERS if name in response.headers
            },
            "body": response.get_data(as_text=True),
        }
        kept_answers.keep(session, self.key, seal(json.dumps(kept)))


def repeatable(call: Call) -> Repeatable | None:
    """The request with its key; None without one, and for methods that do nothing twice anyway.

    :raises Invalid: naming the header.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid.field(HEADER, f"Must be 1 to {MAX_KEY} printable ASCII characters.")
    check_size()
    place = (call.token.id.hex, request.method, request.path)
    return Repeatable(
        key=kept_answers.digest(*place, key),
        sent=kept_answers.digest(request.query_string, request.get_data()),
    )


def _response(text: str) -> Response:
    kept = json.loads(text)
    response = current_app.response_class(kept["body"], kept["status"], mimetype=JSON_TYPE)
    response.headers.update(kept["headers"])
    response.headers[REPLAYED] = "true"
    return response
