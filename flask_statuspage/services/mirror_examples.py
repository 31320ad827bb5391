"""What lies beside a mirror's files: how to serve them with nginx, or on hosts of static sites, by ``_headers``.

A page's address is typed by people: what could end a quoted text there, or begin something else, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import render_template

from ..documents.policy import content_security_policy
from ..domain.branding import logo_origin
from ..domain.facts import ShownPage

_TEMPLATES = {"nginx.example.conf": "mirror_nginx.conf", "_headers": "mirror_headers.txt"}
_SAFE_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\-\[\]]+")
_UNSAFE_IN_QUOTES = re.compile(r'["\\$\s]')


def examples(shown: Sequence[ShownPage], folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of the files.

    :param shown: all pages of the mirror.
    :param folder: where it lies on this machine.
    """
    live = {found for page in shown if (found := origin(page.url))}
    logos = {found for page in shown if page.logo and (found := logo_origin(page.logo))}
    policy = content_security_policy(images=sorted(live | logos), forms=sorted(live))
    # nginx has no way to write all of these.
    place = "/the/folder" if _UNSAFE_IN_QUOTES.search(str(folder)) else folder
    for name, template in _TEMPLATES.items():
        yield name, render_template(f"statuspage/{template}", folder=place, policy=policy)


def origin(url: str) -> str | None:
    """``https://host`` or ``https://host:port`` in ASCII; None: *url* has none that can be written down safely."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:  # UnicodeError is one
        return None
    found = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return found if _SAFE_ORIGIN.fullmatch(found) else None
