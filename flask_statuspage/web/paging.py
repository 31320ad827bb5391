"""Lists in pages: the numbers in a query, and the ``Link`` header that leads from page to page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from ..errors import Invalid

MAX_PAGE = 1_000_000


def positive(name: str, text: str, most: int) -> int:
    """The whole number that *text* says.

    :raises Invalid: naming *name*, unless it is one from 1 to *most*.
    """
    # The length first: Python refuses to read numbers of thousands of digits.
    if len(text) > 9 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise Invalid.field(name, f"Must be a whole number from 1 to {most}.")
    return int(text)


def links(address: str, query: Mapping[str, object], *, number: int, size: int, total: int) -> str:
    """A ``Link`` header (RFC 8288): first, previous, next and last page.

    :param address: of the list, without a query.
    :param query: what the query holds besides ``page``.
    :param number: of the page that is answered, from 1. :param size: things on one page. :param total: of all.
    """
    last = max(1, -(-total // size))
    wanted = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
    return ", ".join(
        f'<{address}?{urlencode({**query, "page": target})}>; rel="{relation}"'
        for relation, target in wanted.items()
        if 1 <= target <= last
    )
