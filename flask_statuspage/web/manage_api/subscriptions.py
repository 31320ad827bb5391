"""``subscriptions``, with ``test``, ``enable``, ``disable`` and ``rotate-secret``"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from ...delivery import signing
from ...domain.roles import Role
from ...services import subscriptions, wishes
from ...services.wishes import Wish
from ...storage import subscriptions as stored
from ...storage.subscriptions import Subscription, SubscriptionState
from ..idents import uuid_of
from .answering import told
from .door import Call, Door
from .fields import Body, Change, Named, Text, Word


class NewSubscription(Body):
    """Made by a member, so it is active at once."""

    page: Text | None = None
    channel: Word
    address: Annotated[Text, StringConstraints(min_length=1, max_length=2048)]
    format: Word | None = None
    components: Named = Field(default_factory=list)
    events: Named | None = None
    secret: Annotated[Text, StringConstraints(min_length=1, max_length=200)] | None = None


class SubscriptionChange(Change):
    format: Word = ""
    components: Named = Field(default_factory=list)
    events: Named | None = None
    secret: Annotated[Text, StringConstraints(min_length=1, max_length=200)] = ""


@dataclass(frozen=True, kw_only=True)
class SubscriptionAnswer:
    """A subscription without its secret.

    :param components: the ids of those that it is about; empty: all.
    :param events: the names of those that it wants; None: all.
    :param reason: why it is disabled.
    :param signed: whether it has a secret that its messages are signed with.
    """

    id: UUID
    channel: str
    address: str
    format: str
    components: list[UUID]
    events: list[str] | None
    state: SubscriptionState
    reason: str | None
    signed: bool
    confirmed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class SecretAnswer(SubscriptionAnswer):
    """A subscription with its secret, which is told here only.

    :param secret: None where its channel has none.
    """

    secret: str | None


@dataclass(frozen=True, kw_only=True)
class SentAnswer:
    """``event`` is the id of the event that is sent."""

    event: UUID
    state: str


def add_routes(door: Door) -> None:
    every, one = "/subscriptions", "/subscriptions/<ident>"
    route = partial(door.route, role=Role.ADMIN, answer=SubscriptionAnswer)
    route("GET", every, index, paged=True)
    route("POST", every, create, body=NewSubscription, status=201, answer=SecretAnswer)
    route("GET", one, show)
    route("PATCH", one, change, body=SubscriptionChange)
    route("DELETE", one, remove, answer=None)
    route("POST", f"{one}/test", test, status=202, answer=SentAnswer)
    route("POST", f"{one}/enable", enable)
    route("POST", f"{one}/disable", disable)
    route("POST", f"{one}/rotate-secret", rotate, answer=SecretAnswer)


def described(subscription: Subscription) -> dict[str, Any]:
    return _described(SubscriptionAnswer, subscription)


def _described(answer: type[Any], subscription: Subscription, **more: Any) -> dict[str, Any]:
    return told(
        answer,
        subscriptions.described(subscription),
        signed=subscription.is_signed,
        confirmed_at=subscription.confirmed_at,
        created_at=subscription.created_at,
        **more,
    )


def index(call: Call) -> dict[str, Any]:
    """List the subscriptions of the page."""
    return call.listed(stored.of_page(call.page.id), described)


def create(call: Call) -> dict[str, Any]:
    """Subscribe an address.

    A webhook without a secret gets one; the answer is the only place that ever shows it.
    """
    values = call.values()
    secret = values.get("secret")
    if secret is None and call.body.channel == "webhook":
        secret = signing.new_secret()
    wish = Wish(**{**values, "secret": secret})
    call.settle()
    wishes.vet(wish)
    subscription = subscriptions.subscribe(
        call.session, call.page, wish, proven=True, actor=call.actor
    )
    return _described(SecretAnswer, subscription, secret=secret)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a subscription."""
    return described(_get(call, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a subscription; what is not sent stays."""
    subscription = _get(call, ident, lock=True)
    return described(
        subscriptions.change(call.session, call.page, subscription, call.values(), actor=call.actor)
    )


def remove(call: Call, ident: str) -> None:
    """Delete a subscription with its log."""
    subscriptions.remove(call.session, _get(call, ident, lock=True), actor=call.actor)


def test(call: Call, ident: str) -> dict[str, Any]:
    """Send a test event to one subscription."""
    subscription = _get(call, ident)
    event_id = subscriptions.send_test(call.session, call.page, subscription, actor=call.actor)
    return told(SentAnswer, {"event": event_id, "state": "on its way"})


def enable(call: Call, ident: str) -> dict[str, Any]:
    """Switch a subscription on, also one that was not confirmed."""
    subscription = _get(call, ident, lock=True)
    return described(subscriptions.enable(call.session, subscription, actor=call.actor))


def disable(call: Call, ident: str) -> dict[str, Any]:
    """Switch a subscription off."""
    subscription = _get(call, ident, lock=True)
    return described(
        subscriptions.disable(
            call.session, subscription, reason="Disabled by a member.", actor=call.actor
        )
    )


def rotate(call: Call, ident: str) -> dict[str, Any]:
    """Give a webhook another secret, which only this answer shows."""
    subscription = _get(call, ident, lock=True)
    secret = subscriptions.rotate_secret(call.session, subscription, actor=call.actor)
    return _described(SecretAnswer, subscription, secret=secret)


def _get(call: Call, ident: str, *, lock: bool = False) -> Subscription:
    which = uuid_of(ident, "subscription")
    return subscriptions.get(call.session, call.page, which, lock=lock)
