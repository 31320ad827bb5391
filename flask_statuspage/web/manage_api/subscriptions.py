"""``subscriptions``, with ``test``, ``enable``, ``disable`` and ``rotate-secret``"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from ...delivery import signing
from ...domain.facts import plain
from ...domain.roles import Role
from ...services import subscriptions, wishes
from ...services.wishes import Wish
from ...storage import subscriptions as stored
from ...storage.subscriptions import Subscription
from .door import Call, Door
from .fields import Body, Named, Text, Word
from .reading import uuid_of


class NewSubscription(Body):
    """Made by a member, so it is active at once."""

    page: Text | None = None
    channel: Word
    address: Annotated[Text, StringConstraints(min_length=1, max_length=2048)]
    format: Word | None = None
    components: Named = Field(default_factory=list)
    events: Named | None = None
    secret: Annotated[Text, StringConstraints(min_length=1, max_length=200)] | None = None


class SubscriptionChange(Body):
    format: Word = ""
    components: Named = Field(default_factory=list)
    events: Named | None = None
    secret: Annotated[Text, StringConstraints(min_length=1, max_length=200)] = ""


def add_routes(door: Door) -> None:
    door.route("GET", "/subscriptions", index, role=Role.ADMIN)
    door.route("POST", "/subscriptions", create, role=Role.ADMIN, body=NewSubscription, status=201)
    door.route("GET", "/subscriptions/<ident>", show, role=Role.ADMIN)
    door.route("PATCH", "/subscriptions/<ident>", change, role=Role.ADMIN, body=SubscriptionChange)
    door.route("DELETE", "/subscriptions/<ident>", remove, role=Role.ADMIN)
    door.route("POST", "/subscriptions/<ident>/test", test, role=Role.ADMIN, status=202)
    door.route("POST", "/subscriptions/<ident>/enable", enable, role=Role.ADMIN)
    door.route("POST", "/subscriptions/<ident>/disable", disable, role=Role.ADMIN)
    door.route("POST", "/subscriptions/<ident>/rotate-secret", rotate, role=Role.ADMIN)


def described(subscription: Subscription) -> dict[str, Any]:
    return {
        **subscriptions.described(subscription),
        "signed": subscription.is_signed,
        "confirmed_at": plain(subscription.confirmed_at),
        "created_at": plain(subscription.created_at),
    }


def index(call: Call) -> dict[str, Any]:
    return call.listed(stored.of_page(call.page.id), described)


def create(call: Call) -> dict[str, Any]:
    """A webhook without a secret gets one; the answer is the only place that ever shows it."""
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
    return {**described(subscription), "secret": secret}


def show(call: Call, ident: str) -> dict[str, Any]:
    return described(_get(call, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    subscription = _get(call, ident, lock=True)
    return described(
        subscriptions.change(call.session, call.page, subscription, call.values(), actor=call.actor)
    )


def remove(call: Call, ident: str) -> None:
    subscriptions.remove(call.session, _get(call, ident, lock=True), actor=call.actor)


def test(call: Call, ident: str) -> dict[str, Any]:
    subscription = _get(call, ident)
    event_id = subscriptions.send_test(call.session, call.page, subscription, actor=call.actor)
    return {"event": str(event_id), "state": "on its way"}


def enable(call: Call, ident: str) -> dict[str, Any]:
    subscription = _get(call, ident, lock=True)
    return described(subscriptions.enable(call.session, subscription, actor=call.actor))


def disable(call: Call, ident: str) -> dict[str, Any]:
    subscription = _get(call, ident, lock=True)
    return described(
        subscriptions.disable(
            call.session, subscription, reason="Disabled by a member.", actor=call.actor
        )
    )


def rotate(call: Call, ident: str) -> dict[str, Any]:
    subscription = _get(call, ident, lock=True)
    secret = subscriptions.rotate_secret(call.session, subscription, actor=call.actor)
    return {**described(subscription), "secret": secret}


def _get(call: Call, ident: str, *, lock: bool = False) -> Subscription:
    which = uuid_of(ident, "subscription")
    return subscriptions.get(call.session, call.page, which, lock=lock)
