"""The pages that keep what somebody typed: whose sign-in has ended, or whose form is not there any more."""

from __future__ import annotations

from collections.abc import Sequence

from ..rendering import Frame, render

LONG = 60
"""Texts from so many characters on, or with several lines, are shown in a box of several lines."""


def kept(
    frame: Frame,
    *,
    url: str,
    fields: Sequence[tuple[str, str]],
    left_out: Sequence[str],
    has_file: bool,
    sign_in_url: str | None,
    home_url: str,
) -> str:
    """What was typed, in a form that posts it to *url* once more. It tells nothing of any status page.

    :param fields: names and values, as they were posted.
    :param left_out: the names of those of which something is not there, since it is secret.
    :param has_file: a file was chosen, which no page can send once more.
    :param sign_in_url: where one signs in; None: that is the host's login.
    """
    return render(
        "admin/kept",
        None,
        frame,
        url=url,
        fields=fields,
        left_out=[(name, _word(name)) for name in left_out],
        has_file=has_file,
        texts=[
            value
            for name, value in fields
            if not name.startswith("was.") and (len(value) >= LONG or "\n" in value)
        ],
        sign_in_url=sign_in_url,
        home_url=home_url,
    )


def lost(
    frame: Frame,
    *,
    title: str,
    message: str,
    fields: Sequence[tuple[str, str]],
    left_out: Sequence[str],
    home_url: str,
) -> str:
    """What was typed, to be copied: nothing can be done with it here. It tells nothing of any status page.

    :param message: why.
    :param fields: names and values, as they were posted. *left_out*: as of :func:`kept`.
    :param home_url: the console's first page.
    """
    return render(
        "admin/lost",
        None,
        frame,
        title=title,
        message=message,
        fields=[(_word(name), value) for name, value in fields],
        left_out=[_word(name) for name in left_out],
        home_url=home_url,
    )


def _word(name: str) -> str:
    return name.replace("_", " ")
