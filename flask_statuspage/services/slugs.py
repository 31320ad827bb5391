"""A free slug: the one that was asked for, or one made of the name."""

from __future__ import annotations

from collections.abc import Collection

from ..domain.ids import is_slug, slugify
from ..errors import Conflict, Invalid


def free_slug(slug: str | None, name: str, taken: Collection[str], *, kind: str) -> str:
    """*slug*, or one made of *name* that is not in *taken*.

    :raises Invalid: naming ``slug``, when it cannot stand in a URL.
    :raises Conflict: when it is taken.
    """
    if slug is not None:
        if not is_slug(slug):
            raise Invalid.field("slug", "Lower-case letters, digits and single hyphens only.")
        if slug in taken:
            raise Conflict(f"The slug {slug!r} is taken by another {kind} of this page.")
        return slug
    base = slugify(name)[:70].rstrip("-") or kind
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(candidate for candidate in (base, *numbered) if candidate not in taken)
