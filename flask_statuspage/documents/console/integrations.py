"""The pages of the console as HTML: one function for each template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.facts import ShownPage
from ..rendering import Frame, render
from .room import OtherPage

NOTICES = {
    "connected": "The account is connected. Posts begin with the next event.",
    "disconnected": "The account is disconnected. Nothing is posted by it any more.",
    "left": (
        "The account is disconnected. Nothing is posted by it any more. X could not be told: end the access there, "
        "too, under the account's connected apps."
    ),
    "test": "The test is on its way. It should stand on X within two minutes.",
}
"""What the page says was done."""


@dataclass(frozen=True, kw_only=True)
class AccountCard:
    """An account as its card shows it.

    :param since: when it was connected, *by* whom.
    :param state: of the subscription that posts by it; None: there is none. *reason* is why it is disabled.
    :param failed_at: when the last failure was, *failure* what it was.
    """

    name: str
    since: datetime
    by: str | None
    state: str | None
    reason: str | None
    failed_at: datetime | None
    failure: str | None
    test_url: str
    disconnect_url: str


def integrations(
    page: ShownPage,
    frame: Frame,
    *,
    accounts: Sequence[AccountCard],
    missing: str | None,
    callback_url: str,
    is_guessed: bool,
    connect_url: str,
    others: Sequence[OtherPage],
    slug: str | None,
    csrf_token: str,
    done: str | None = None,
    problem: str | None = None,
) -> str:
    """Accounts elsewhere by which *page* posts.

    Fields that its forms post: ``csrf_token``, and ``status_page`` where *slug* is one.

    :param missing: what is missing before anybody can sign in with X; None: nothing.
    :param callback_url: what the app at X must know. *is_guessed*: nobody said where the page is.
    :param done: one of :data:`NOTICES`; others are not shown.
    :param problem: what went wrong, in place.
    """
    return render(
        "admin/integrations",
        page,
        frame,
        accounts=accounts,
        missing=missing,
        callback_url=callback_url,
        is_guessed=is_guessed,
        connect_url=connect_url,
        others=others,
        slug=slug,
        csrf_token=csrf_token,
        notice=NOTICES.get(done or ""),
        problem=problem,
    )
