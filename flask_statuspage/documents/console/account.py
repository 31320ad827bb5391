"""The page "Your sign-in": a member's second factor, and signing out everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from .room import Room, shown


def account(
    room: Room, *, is_on: bool, secret: str | None, address: str | None, codes_left: int
) -> str:
    """Fields of its forms: ``code``.

    :param secret: for the app, while the second factor was only begun; *address*: the same as ``otpauth://``.
    :param codes_left: how many of those that were written down can still be used.
    """
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) if secret else None
    return shown(
        room, "account", is_on=is_on, secret=spaced, address=address, codes_left=codes_left
    )


def recovery(room: Room, *, codes: Sequence[str]) -> str:
    """The only page that ever shows these codes."""
    return shown(room, "recovery", codes=codes)
