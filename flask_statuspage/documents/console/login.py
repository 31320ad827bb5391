"""The pages on which members sign in by a mailed link. They tell nothing of any status page."""

from __future__ import annotations

from ..rendering import Frame, render


def login(
    frame: Frame,
    *,
    url: str,
    csrf_token: str,
    onward: str | None = None,
    email: str = "",
    problem: str | None = None,
    notice: str | None = None,
) -> str:
    """Asks for the address. Fields that its form posts to *url*: ``csrf_token``, ``email``, ``next``.

    :param onward: where the member was on the way to.
    :param problem: why it is shown again, or why a link did not work. *notice*: what was done.
    """
    return render(
        "admin/login",
        None,
        frame,
        url=url,
        csrf_token=csrf_token,
        onward=onward,
        email=email,
        problem=problem,
        notice=notice,
    )


def link_sent(frame: Frame, *, email: str, minutes: int, login_url: str) -> str:
    """The answer to every address, whether or not it is a member's.

    :param minutes: how long the link works.
    """
    return render("admin/link_sent", None, frame, email=email, minutes=minutes, login_url=login_url)


def enter(
    frame: Frame,
    *,
    url: str,
    csrf_token: str,
    member: str,
    needs_code: bool,
    login_url: str,
    problem: str | None = None,
) -> str:
    """Where a mailed link leads: its form, which posts ``csrf_token`` and ``code`` to *url*, signs in."""
    return render(
        "admin/enter",
        None,
        frame,
        url=url,
        csrf_token=csrf_token,
        member=member,
        needs_code=needs_code,
        login_url=login_url,
        problem=problem,
    )


def leave(frame: Frame, *, url: str, csrf_token: str) -> str:
    """Signing out once more, where the form that asked for it was too old."""
    return render("admin/leave", None, frame, url=url, csrf_token=csrf_token)
