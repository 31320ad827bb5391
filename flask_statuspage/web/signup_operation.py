"""What a sign-up by JSON is, for the API's description. Only that needs this module."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from ..documents.operation import Operation
from .signup import ADDRESS_FIELDS, CHANNEL_OF, MAX_CHOSEN

Chosen = Annotated[list[str], Field(max_length=MAX_CHOSEN)]


def _reachable(schema: dict[str, Any]) -> None:
    """Some address is needed, and its channel unless the address's name says it."""
    channels = [{"required": [name]} for name in ("channel", "type", *CHANNEL_OF)]
    addresses = [{"required": [name]} for name in ADDRESS_FIELDS]
    schema["allOf"] = [{"anyOf": addresses}, {"anyOf": channels}]


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """Where to tell what. A field of another name is refused.

    :param channel: such as ``email``, ``sms``, ``webhook`` or ``slack``; may be left out beside ``url``, ``email``,
        ``phone`` or ``number``.
    :param type: another word for ``channel``.
    :param address: where to; ``url``, ``email``, ``phone`` and ``number`` are other words for it.
    :param format: of a webhook's messages.
    :param level: the severity from which on it wants to be told, where the format has such levels.
    :param secret: what a webhook's messages are signed with, 16 to 200 bytes.
    :param locale: the language of messages that people read, as BCP 47 writes it; else what ``Accept-Language`` asks
        for, else the page's.
    :param time_zone: the clock that they are told by, an IANA name; else the page's.
    :param scope: ``all``, or ``some``: then ``components`` must name one.
    :param components: slugs of those to hear of; none: all.
    :param events_scope: ``usual``: what is usual for the format, whatever ``events`` names; ``some``: then ``events``
        must name one.
    :param events: names of those to hear of; none: what is usual for the format.
    :param csrf_token: of the session, with which a signed-in customer speaks; others need none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", json_schema_extra=_reachable
    )

    channel: str | None = None
    type: str | None = None
    address: str | None = None
    url: str | None = None
    email: str | None = None
    phone: str | None = None
    number: str | None = None
    format: str | None = None
    level: str | None = None
    secret: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    scope: Literal["all", "some"] | None = None
    components: Chosen = field(default_factory=list)
    events_scope: Literal["usual", "some"] | None = None
    events: Chosen = field(default_factory=list)
    csrf_token: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignUpAnswer:
    """``state`` is ``pending`` where whoever has the address has to confirm it, or a member to approve it.

    :param confirm_url: where a code that was texted to the address is posted, as ``{"code": "…"}``; only of channels
        that send one.
    """

    success: bool
    message: str
    channel: str
    state: str
    confirm_url: str | None = None


OPERATION = Operation(
    name="subscribe",
    method="POST",
    path="/subscribe",
    says=(
        "Subscribe an address.\n\n201: it is done. 202: a message is on its way to the address; it counts once the "
        "button on the page behind its link is pressed. A text holds a code: it counts once that is typed there, "
        'answered, or posted to `confirm_url` as `{"code": "123456"}`. To whoever proved nothing the answer does not '
        "tell whether the address was known before."
    ),
    tag="subscribe",
    body=SignUp,
    statuses=(201, 202),
    answer=SignUpAnswer,
    problems=(400, 403, 404, 413, 422, 429, 503),
)
