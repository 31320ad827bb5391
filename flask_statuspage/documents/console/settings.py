"""The pages "Settings": what a status page is called, how it looks, who may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...domain.branding import VISIBILITIES
from ...domain.colours import DARK, DARK_PREFIX, LIGHT
from .room import Room, shown

WHO = {
    "public": "Everybody",
    "signed-in": "Signed-in visitors of this site",
    "link": "Whoever has its link",
}
"""Who sees a page, by its visibility."""

WORDS = {"bg": "background"}
"""Of tokens whose names are no words."""

COLOURS = tuple(
    (prefix + token, WORDS.get(token, token), usual, bool(prefix))
    for prefix, tokens in (("", LIGHT), (DARK_PREFIX, DARK))
    for token, usual in tokens.items()
)
"""Token, its word, the usual colour, and whether it is for the dark."""


@dataclass(frozen=True, kw_only=True)
class PageLine:
    """A status page in the list."""

    name: str
    slug: str
    visibility: str
    url: str
    is_here: bool


def settings(
    room: Room,
    *,
    values: Mapping[str, str],
    link: str | None,
    pages: Sequence[PageLine],
    may_delete: bool,
) -> str:
    """The form of the page: ``name slug url time_zone locale visibility subscribers logo header footer`` and
    ``colours.<token>``.

    :param values: what stands in the fields, and is compared when they are saved; empty: the site's settings count.
    :param link: where it is seen, while only its link leads there.
    :param pages: all status pages of the site.
    :param may_delete: it is not the default one.
    """
    return shown(
        room,
        "settings",
        values=values,
        link=link,
        pages=pages,
        may_delete=may_delete,
        visibilities=[(name, WHO[name]) for name in VISIBILITIES],
        tokens=COLOURS,
    )


def new_page(room: Room) -> str:
    """The form of a new status page: ``name slug visibility``."""
    return shown(room, "page_new", visibilities=[(name, WHO[name]) for name in VISIBILITIES])
