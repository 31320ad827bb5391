"""Where a redirect leads, and what goes along: RFC 9110 (15.4), in doubt the Fetch standard (4.4)."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from ..outgoing import Answer

MOST_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_OF_THE_BODY = frozenset(
    {"content-type", "content-encoding", "content-language", "content-location"}
)


@dataclass(frozen=True, slots=True)
class Question:
    """A request. ``secret`` are the headers that only the target's own origin gets, as it alone gets the body."""

    method: str
    url: str
    headers: Mapping[str, str]
    secret: Mapping[str, str]
    body: bytes | None

    @property
    def all_headers(self) -> Mapping[str, str]:
        return {**self.headers, **self.secret} if self.secret else self.headers


def following(question: Question, answer: Answer) -> Question | None:
    """What a browser would ask next; None: *answer* is the last one."""
    location = answer.headers.get("Location")
    if answer.status not in _REDIRECTS or not location:
        return None
    url = _joined(question.url, location)
    # Not given back either when it comes home: whoever is asked in between could choose where it goes.
    found = replace(question, url=url)
    to_get = answer.status == 303 and question.method != "HEAD"
    if to_get or (answer.status in (301, 302) and question.method == "POST"):
        found = _without_body(replace(found, method="GET"))
    if _origin(url) == _origin(question.url):
        return found
    # Not given back either when it comes home: whoever is asked in between could choose where it goes.
    return _without_body(replace(found, secret={}))


def _without_body(question: Question) -> Question:
    headers = {
        name: value for name, value in question.headers.items() if name.lower() not in _OF_THE_BODY
    }
    return replace(question, body=None, headers=headers)


def _joined(url: str, location: str) -> str:
    """*location* as seen from *url*, in ASCII. Whether it may be called is the client's to say."""
    # Headers come as Latin-1; what stands in them is UTF-8 if it is not ASCII, as browsers read it too.
    written = quote(location.strip().encode("latin-1", "replace"), safe=string.punctuation)
    try:
        return urldefrag(urljoin(url, written))[0]
    except ValueError:  # brackets that are no IPv6 address
        return written


def _origin(url: str) -> tuple[str, str, int | None] | str:
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme))
    except ValueError:
        return url  # the client will not call it
