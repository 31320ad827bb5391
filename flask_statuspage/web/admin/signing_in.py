"""Where members sign in."""

from __future__ import annotations

from .. import own_login


def sign_in_url() -> str | None:
    """Where a member signs in; None: that is the host's, whose address is not known here."""
    return own_login.url() if own_login.is_on() else None
