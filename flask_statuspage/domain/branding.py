"""What a page may say about its looks and its language: the logo's address and the locale."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LOGO = 500
MAX_PROSE = 2000
"""Characters of a page's header or footer."""

VISIBILITIES = ("public", "signed-in", "link")

# Plain ASCII: what stands here becomes a part of the page's Content-Security-Policy.
_HOST = re.compile(
    r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?",
    re.ASCII | re.IGNORECASE,
)
_LOCALE = re.compile(
    r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.ASCII | re.IGNORECASE,
)


def is_logo(text: str) -> bool:
    """Whether *text* is an https URL, or a path on the same host that begins with a single slash."""
    # Browsers read "\" as "/", and drop tabs and line breaks.
    if len(text) > MAX_LOGO or "\\" in text:
        return False
    if any(mark.isspace() or not mark.isprintable() for mark in text):
        return False
    if text.startswith("/"):
        return not text.startswith("//")
    return logo_origin(text) is not None


def logo_origin(text: str) -> str | None:
    """The origin of a logo elsewhere, ``https://<host>``, as a policy names it; None: it has none that can be named."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        return None
    return f"https://{parts.netloc.lower()}"


def locale(text: str) -> str | None:
    """*text* as BCP 47 writes it, ``pt-BR`` or ``zh-Hant-TW``; None: it has another shape."""
    found = _LOCALE.fullmatch(text) if len(text) <= 35 else None
    if found is None:
        return None
    parts = [found["language"].lower()]
    if found["script"]:
        parts.append(found["script"].title())
    if found["region"]:
        parts.append(found["region"].upper())
    return "-".join(parts) + found["variants"].lower()
