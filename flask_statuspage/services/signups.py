"""How often strangers may sign up: counted by the network they come from and by where messages would go."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from ..errors import TooMany
from ..state import current_settings
from ..storage import signups as stored
from ..storage.base import utc_now
from ..translation import said

TARGET_FACTOR = 5
"""One host may be the target of so many times the sign-ups that one network may make: many use the same service."""


def count_attempt(session: Session, origin: str, address: str) -> None:
    """Count an attempt, whatever becomes of it: the answer must not tell who is subscribed already.

    :param origin: the asker's network address.
    :raises TooMany: beyond ``STATUSPAGE_SIGNUPS_PER_HOUR``.
    """
    now = utc_now()
    limit = current_settings().signups_per_hour
    target = urlsplit(address).hostname if "://" in address else address
    limits = {f"from {network(origin)}": limit, f"to {target}": limit * TARGET_FACTOR}
    for key, most in limits.items():
        if stored.count(session, key, since=now - timedelta(hours=1)) >= most:
            raise TooMany(said("Too many sign-ups. Try again in an hour."), retry_after=3600)
        stored.add(session, key, now)


def network(origin: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one, which belongs to one household."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin
    if address.version == 4:
        return origin
    return str(ipaddress.ip_network((address, 64), strict=False))


def forget(session: Session, now: datetime) -> None:
    """Drop the attempts that count no more."""
    stored.forget_before(session, now - timedelta(hours=2))
