"""How often a key may ask, and how often an address may be wrong about one.

The headers are those of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
"""

from __future__ import annotations

from flask import Response, g, request
from sqlalchemy.orm import Session

from ...errors import TooMany, Unauthorized
from ...services import signups, team
from ...state import current_settings, current_state
from ...storage.rates import WINDOW, Rate, Rates
from ...storage.team import Token

WRONG_KEYS = 60
"""So many wrong keys a minute cost a look into the database for each; what the address sends then is not looked up."""


def authenticate(session: Session, key: str | None) -> Token:
    """The token of *key*, if it may ask once more.

    :raises Unauthorized: without a key, and with one that does not count.
    :raises TooMany: beyond ``STATUSPAGE_API_RATE``, or after too many wrong keys from this address.
    """
    rates: Rates = current_state().rates
    origin = f"wrong key {signups.network(request.remote_addr or '')}"
    if key and key not in rates.known:
        wrong = rates.count_here(origin, WRONG_KEYS, times=0)
        if wrong.left == 0:
            raise TooMany("Too many wrong keys came from here.", retry_after=wrong.resets)
    try:
        token = team.authenticate(session, key)
    except Unauthorized:
        if key:
            rates.count_here(origin, WRONG_KEYS)
        raise
    assert key is not None
    rates.known.add(key)
    if limit := current_settings().api_rate:
        g.statuspage_rate = rate = rates.count(f"key {token.id}", limit)
        if rate.is_exceeded:
            message = f"This key may ask {limit} times a minute."
            raise TooMany(message, retry_after=rate.resets)
    return token


def tell(response: Response) -> Response:
    """Add to an answer how often the key may ask yet."""
    rate: Rate | None = g.pop("statuspage_rate", None)
    if rate is not None:
        response.headers["RateLimit-Policy"] = f'"key";q={rate.limit};w={WINDOW}'
        response.headers["RateLimit"] = f'"key";r={rate.left};t={rate.resets}'
    return response
