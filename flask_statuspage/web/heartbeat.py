"""``/heartbeat/<token>``, with ``/start`` and ``/fail``: jobs report here, with any method and without a word.

No session, no key: the token in the path is the secret. A body is not read, whatever its size.
"""

from __future__ import annotations

import logging
from functools import partial

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from ..services import addresses, heartbeats
from ..services.heartbeats import Word
from ..storage.races import committed
from ..storage.session import current_session
from ..storage.trouble import worded

logger = logging.getLogger(__name__)

METHODS = ("GET", "POST")  # and HEAD, which Flask adds

WORDS = {"": Word.DONE, "/start": Word.START, "/fail": Word.FAIL}

RETRY_SECONDS = 5


def add_routes(blueprint: Blueprint) -> None:
    for path, word in WORDS.items():
        rule = f"{addresses.HEARTBEAT}/<token>{path}"
        name = f"heartbeat{path.replace('/', '_')}"
        defaults = {"word": word}
        blueprint.add_url_rule(rule, name, receive, methods=METHODS, defaults=defaults)


def receive(token: str, word: Word) -> Response:
    session = current_session()
    session.rollback()  # whatever the host's own hooks have read
    try:
        known = committed(session, partial(heartbeats.take, token=token, word=word))
    except SQLAlchemyError as error:
        logger.warning("status page: a heartbeat could not be kept: %s", worded(error))
        return _answer("Try again", 503)
    return _answer("OK", 200) if known else _answer("Not found", 404)


def _answer(text: str, status: int) -> Response:
    response = Response(f"{text}\n", status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
