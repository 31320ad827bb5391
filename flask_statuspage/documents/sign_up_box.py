"""The sign-up as a host puts it into its own pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ..domain.facts import ShownPage
from ..errors import FieldError
from .channel_words import channel_words
from .form_problems import problems_of
from .rendering import Frame, render
from .sign_up import Standing, ways_of


def subscribe_box(
    page: ShownPage,
    frame: Frame,
    *,
    email: str | None = None,
    components: Sequence[str] = (),
    channels: Sequence[str] = ("email",),
    events: Collection[str] | None = None,
    csrf_token: str | None = None,
    action: str | None = None,
    prefix: str = "sp-box",
    return_to: str | None = None,
    values: Mapping[str, Any] | None = None,
    form_errors: Iterable[FieldError] = (),
    said: str | None = None,
    code_url: str | None = None,
    standing: Standing | None = None,
) -> Markup:
    """A short form for a host's page that posts to the same place as :func:`.sign_up.subscribe_form`.

    :param email: of the visitor, where the host knows it; asked for otherwise.
    :param components: the slugs that it subscribes to; all services without one.
    :param channels: which of :data:`.channel_words.CHANNELS` can be chosen.
    :param events: the names of what it is about; None: what is usual.
    :param prefix: begins every id, for two forms on one page; posted as ``form``.
    :param return_to: the path of the host's page, where the outcome is shown.
    :param values: what was typed before: ``channel`` and ``address``.
    :param said: the outcome before, if it went well: ``asked``, ``waits``, ``received`` or ``active``.
    :param code_url: where a code is typed that was sent.
    :param standing: of the visitor's subscription, if there is one; *components* and *events* are added to it.
    """
    values = values or {}
    typed = values.get("channel")
    channel = str(typed) if typed in channels else next(iter(channels))
    html = render(
        "_subscribe_form",
        page,
        frame,
        known_email=email,
        email=email if list(channels) == ["email"] else None,
        components=components,
        ways=ways_of(channels, {}),
        channel=channel,
        addresses={
            name: (values.get("address") if name == typed else None)
            or (email if name == "email" else None)
            or ""
            for name in channels
        },
        events=events,
        problems=problems_of(form_errors),
        said=said,
        code_url=code_url,
        done=channel_words(channel),
        standing=standing,
        return_to=return_to,
        csrf_token=csrf_token,
        action=action or frame.urls("subscribe"),
        prefix=prefix,
    )
    return Markup(html)
