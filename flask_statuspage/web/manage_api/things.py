"""Entity tags of what one path stands for, and requests that are made only if it is still as it was (RFC 9110, 13).

``If-Match`` is looked at under the lock of the write: of two changes with the same tag one wins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask import Response, request

from ...storage import pages
from ..failures import Outdated
from .call import Call


@dataclass(frozen=True)
class Thing:
    """What ``<resource>/<ident>`` stands for.

    :param answers: the types of answers that tell of it; the first one is what GET answers.
    :param show: reads it.
    :param hold: locks what a change of it locks, in the order in which all lock it; it may find that there is none.
    :param moving: fields that are measured, not written: a tag changes with them, but no change is refused for them.
    """

    answers: tuple[Any, ...]
    show: Callable[[Call, str], dict[str, Any]]
    hold: Callable[[Call, str], object]
    moving: Collection[str] = field(default=())

    def tag(self, shown: Mapping[str, Any]) -> str:
        """The entity tag of what :attr:`show` gave: one part for what is written, one for what is measured."""
        written = {name: value for name, value in shown.items() if name not in self.moving}
        if not self.moving:
            return _digest(written)
        return f"{_digest(written)}.{_digest({name: shown.get(name) for name in self.moving})[:16]}"

    def check(self, call: Call, ident: str) -> None:
        """Hold it, and look whether it is one of those that the request is for.

        :raises Outdated: when it is not.
        """
        pages.begin_writing(call.session)
        self.hold(call, ident)
        call.session.expire_all()  # what was read before the lock may have changed while it was waited for
        tag = self.tag(self.show(call, ident))
        wanted = request.if_match
        if not (wanted.star_tag or any(_written(tag) == _written(one) for one in wanted)):
            raise Outdated(tag)


def is_conditional() -> bool:
    """Whether the request is only for what is still as it was."""
    return "If-Match" in request.headers


def refuse_tags() -> None:
    """For what has no tag, so that none can be the right one.

    :raises Outdated: unless any will do.
    """
    if not request.if_match.star_tag:
        raise Outdated(None)


def mark(response: Response, tag: str) -> Response:
    """*response* with its tag; nothing but the tag where whoever asks has just that already."""
    response.set_etag(tag)
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
        unchanged = Response(status=304)
        unchanged.set_etag(tag)
        unchanged.headers["Cache-Control"] = response.headers["Cache-Control"]
        return unchanged
    return response


def _written(tag: str | None) -> str:
    """The part of *tag* that tells of what was written. None: werkzeug's word for the empty tag, which nothing has."""
    return (tag or "").partition(".")[0]


def _digest(value: Any) -> str:
    # By name: databases do not keep the order within JSON.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:32]
