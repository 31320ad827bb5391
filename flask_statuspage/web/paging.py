"""Lists in pages: the ``Link`` header that leads from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def links(address: str, query: Mapping[str, object], *, number: int, size: int, total: int) -> str:
    """A ``Link`` header (RFC 8288): first, previous, next and last page.

    :param address: of the list, without a query.
    :param query: what the query holds besides ``page``.
    :param number: of the page that is answered, from 1. :param size: things on one page. :param total: of all.
    """
    address = address.replace("<", "%3C").replace(">", "%3E")
    last = max(1, -(-total // size))
    wanted = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
    return ", ".join(
        f'<{address}?{urlencode({**query, "page": target})}>; rel="{relation}"'
        for relation, target in wanted.items()
        if 1 <= target <= last
    )
