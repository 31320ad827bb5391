"""Identifiers and slugs."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import UUID

MAX_SLUG = 80

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# First segments of fixed paths: a page under such a slug would hide them.
RESERVED_SLUGS = frozenset(
    [
        "admin",
        "api",
        "assets",
        "components",
        "confirm",
        "docs",
        "feed",
        "heartbeat",
        "history",
        "incidents",
        "maintenance",
        "manage",
        "metrics",
        "sms",
        "statuspage",
        "subscribe",
        "unsubscribe",
        "widget",
    ]
)


def new_id() -> UUID:
    """A random UUID of version 7 (RFC 9562): it begins with the time, so new rows land together in an index."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def first_id(at: datetime) -> UUID:
    """The least of the UUIDs that :func:`new_id` makes in the millisecond of *at* (aware); no row has it."""
    # Not by at.timestamp(): no double has most milliseconds, and what is a hair less is the one before.
    milliseconds = max(0, (at - _EPOCH) // timedelta(milliseconds=1))
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (0x2 << 62))


def slugify(text: str) -> str:
    """*text* as a slug: lower-case ASCII letters, digits and single hyphens; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].rstrip("-")


def is_slug(text: str) -> bool:
    """Whether *text* can stand as a slug in a URL."""
    return len(text) <= MAX_SLUG and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) is not None
