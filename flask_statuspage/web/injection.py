"""Put a note into a page that the host made, or leave the answer as it is."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response

MARK = "data-statuspage-banner"
"""The attribute of our boxes; a page that has one gets no second."""

STALE_HEADERS = (
    *("ETag", "Last-Modified", "Expires", "Accept-Ranges"),
    *("Content-MD5", "Digest", "Content-Digest", "Repr-Digest"),
)
"""What the host said of a page that is another one now."""

# What may hold the text "<body>" without being the tag, and the tag itself.
_BEGINS = re.compile(
    rb"<!--|<(?P<raw>script|style|title|textarea|template|noscript)(?=[\s/>])|<body(?=[\s/>])",
    re.IGNORECASE,
)
_REST_OF_TAG = re.compile(rb"""(?>[^>"']|"[^"]*"|'[^']*')*>""")


def add_note(response: Response, note: Callable[[], str]) -> Response:
    """*response* with a note at the beginning of its body, if it is a whole page that can take one.

    It is not to be kept by caches then, which would go on showing the note.
    """
    if not _is_whole_page(response):
        return response
    html = response.get_data()
    if f"{MARK}>".encode() in html or f"{MARK} ".encode() in html:
        return response
    place = after_body_tag(html)
    if place is None:
        return response
    charset = response.mimetype_params.get("charset", "utf-8")
    box = note().encode(charset, "xmlcharrefreplace")
    response.set_data(html[:place] + box + html[place:])
    for name in STALE_HEADERS:
        response.headers.pop(name, None)
    if not response.cache_control.no_store:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def after_body_tag(html: bytes) -> int | None:
    """Where the content of the body begins; None without such a tag."""
    place = 0
    while found := _BEGINS.search(html, place):
        if raw := found["raw"]:
            ends = re.compile(rb"</" + raw, re.IGNORECASE).search(html, found.end())
            place = ends.end() if ends else len(html)
        elif found[0] == b"<!--":
            ends_at = html.find(b"-->", found.end())
            place = ends_at if ends_at >= 0 else len(html)
        else:
            tag = _REST_OF_TAG.match(html, found.end())
            return tag.end() if tag else None
    return None


def _is_whole_page(response: Response) -> bool:
    return (
        response.status_code == 200
        and response.mimetype == "text/html"
        and not response.direct_passthrough
        and not response.is_streamed
        and "Content-Encoding" not in response.headers
        and "Content-Disposition" not in response.headers
    )
