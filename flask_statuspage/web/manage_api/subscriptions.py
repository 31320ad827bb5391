"""``subscriptions``, with ``test``, ``enable``, ``disable`` and ``rotate-secret``"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from ...delivery import signing
from ...delivery.channels.email import MAX_ADDRESS
from ...domain.rights import Right
from ...services import (
    owner_notices,
    policies,
    signing_secrets,
    subscription_changes,
    subscriptions,
    wishes,
)
from ...services.policies import Bounds
from ...services.wishes import Wish
from ...storage import lists
from ...storage.base import utc_now
from ...storage.subscriptions import Subscription, SubscriptionState
from ..idents import uuid_of
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Change, Named, Text, Word
from .reading import asked, choice, sought, words
from .things import Thing


def _between(bounds: Bounds) -> Any:
    # No number that is none lies between the two.
    return Field(strict=True, ge=bounds.low, le=bounds.high)


Delay = Annotated[float, _between(policies.DELAY)]
Status = Annotated[int, _between(policies.STATUS)]
Unreached = Annotated[int, _between(policies.UNREACHED)]
Failed = Annotated[int, _between(policies.FAILED)]
Secret = Annotated[Text, StringConstraints(min_length=1, max_length=signing_secrets.MAX_BYTES)]
Mailbox = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_ADDRESS)]


class PolicyFields(Change):
    """What is wanted otherwise than the format does it; what is left out is as the format has it.

    Seconds for one attempt; seconds before the second, third, … attempt, 31 days together at most; the first and the
    last status that count as received; requests a minute; bytes of a body; failures to connect in a row, and failures
    within an hour, that disable the subscription, null: it stays.
    """

    timeout: Annotated[float, _between(policies.TIMEOUT)] = 10.0
    delays: Annotated[list[Delay], Field(max_length=policies.MAX_RETRIES)] = Field(
        default_factory=list
    )
    success: Annotated[list[Status], Field(min_length=1, max_length=2)] = Field(
        default_factory=list
    )
    rate: Annotated[int, _between(policies.RATE)] = 100
    size: Annotated[int, _between(policies.SIZE)] = 1_000_000
    disable_after_unreached: Unreached | None = None
    disable_after_failed: Failed | None = None


class NewSubscription(Body):
    """Made by a member, so it is active at once."""

    page: Text | None = None
    channel: Word
    address: Annotated[Text, StringConstraints(min_length=1, max_length=2048)]
    format: Word | None = None
    components: Named = Field(default_factory=list)
    events: Named | None = None
    level: Word | None = None
    policy: PolicyFields | None = None
    contact: Mailbox | None = None
    secret: Secret | None = None
    locale: Word | None = None
    time_zone: Word | None = None


class SubscriptionChange(Change):
    format: Word = ""
    components: Named = Field(default_factory=list)
    events: Named | None = None
    level: Word | None = None
    policy: PolicyFields | None = None
    contact: Mailbox | None = None
    secret: Secret = ""
    locale: Word | None = None
    time_zone: Word | None = None


class NewSecret(Body):
    """``secret`` is the new one; without it there are 32 random bytes."""

    secret: Secret | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyAnswer:
    """How deliveries are sent.

    :param timeout: seconds for one attempt.
    :param delays: seconds before the second, third, … attempt.
    :param success: the first and the last status that count as received, or the only one.
    :param rate: requests a minute; later ones wait.
    :param size: bytes of a body; longer texts are cut.
    :param disable_after_unreached: failures to connect in a row that disable the subscription.
    :param disable_after_failed: failures within an hour that disable it.
    """

    timeout: float
    delays: list[float]
    success: list[int]
    rate: int
    size: int
    disable_after_unreached: int | None
    disable_after_failed: int | None


@dataclass(frozen=True, kw_only=True)
class SubscriptionAnswer:
    """A subscription without its secret.

    :param address: where it is sent; of one that is a secret, as Slack's and Apprise's are, only where it leads.
    :param components: the ids of those that it is about; empty: all.
    :param events: the names of those that it wants; None: what its format sends unasked.
    :param level: the severity from which on it is told; None: the format's first one, if it has any.
    :param policy: what was set; None: nothing.
    :param effective_policy: the format's policy with what was set; None while the format is not installed.
    :param contact: the mailbox that is told when the extension disables it.
    :param locale: the language of messages that people read; None: the page's.
    :param time_zone: the clock that they are told by; None: the page's.
    :param reason: why it is disabled.
    :param signed: whether it has a secret that its messages are signed with.
    :param previous_secret_until: so long messages are signed with the secret before it, too; None: with one only.
    """

    id: UUID
    channel: str
    address: str
    format: str
    components: list[UUID]
    events: list[str] | None
    level: str | None
    policy: dict[str, Any] | None
    effective_policy: PolicyAnswer | None
    contact: str | None
    locale: str | None
    time_zone: str | None
    state: SubscriptionState
    reason: str | None
    signed: bool
    previous_secret_until: datetime | None
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


CHANNEL = words("channel", "Only those by this channel, such as `email`.")
STATE = choice("state", tuple(SubscriptionState), "Only those in this state.")
COMPONENT = words("component", "Only those that hear of this component: that chose it, or all.")
SEARCH = sought(
    "search",
    "Only those with this text in address or contact. Of an address that is a secret it must be the whole.",
)
FILTERS = (CHANNEL, STATE, COMPONENT, SEARCH)


def add_routes(door: Door) -> None:
    every, one = "/subscriptions", "/subscriptions/<ident>"
    door.thing("subscriptions", Thing((SubscriptionAnswer, SecretAnswer), show, _hold))
    route = partial(door.route, right=Right.READERS, answer=SubscriptionAnswer)
    route("GET", every, index, paged=True, parameters=FILTERS)
    route("POST", every, create, body=NewSubscription, status=201, answer=SecretAnswer)
    route("GET", one, show)
    route("PATCH", one, change, body=SubscriptionChange)
    route("DELETE", one, remove, answer=None)
    route("POST", f"{one}/test", test, status=202, answer=SentAnswer)
    route("POST", f"{one}/enable", enable)
    route("POST", f"{one}/disable", disable)
    rotating = partial(route, body=NewSecret, bare=True, answer=SecretAnswer)
    rotating("POST", f"{one}/rotate-secret", rotate)


def described(subscription: Subscription) -> dict[str, Any]:
    return _described(SubscriptionAnswer, subscription)


def _described(answer: type[Any], subscription: Subscription, **more: Any) -> dict[str, Any]:
    policy, until = policies.effective(subscription), subscription.previous_until
    return told(
        answer,
        subscriptions.described(subscription),
        effective_policy=None if policy is None else policies.described(policy),
        signed=subscription.is_signed,
        previous_secret_until=until if until and until > utc_now() else None,
        confirmed_at=subscription.confirmed_at,
        created_at=subscription.created_at,
        **more,
    )


def index(call: Call) -> dict[str, Any]:
    """List the subscriptions of the page."""
    state = asked(STATE)
    query = lists.subscriptions(
        call.page.id,
        channel=asked(CHANNEL),
        state=SubscriptionState(state) if state else None,
        component_id=call.component_sought(),
        search=asked(SEARCH),
    )
    return call.listed(query, described)


def create(call: Call) -> dict[str, Any]:
    """Subscribe an address.

    A webhook without a secret gets one; the answer is the only place that ever shows it, null where the secret stays
    that it has already. Its `contact` is the key's name, if that is an email address and nothing else is said. An
    address that is subscribed already has its one subscription changed.
    """
    values = call.values()
    if "contact" not in values:
        values["contact"] = owner_notices.default(call.body.channel, call.token.name)
    new = signing.new_secret() if call.body.channel == "webhook" else None
    secret = values.get("secret") or new
    wish = Wish(**values)
    wishes.check(call.session, call.page, wish)
    with call.outside():
        wishes.vet(wish)
    subscription = subscriptions.subscribe(
        call.session, call.page, wish, proven=True, actor=call.actor, new_secret=new
    )
    is_told = secret is not None and signing_secrets.is_current(call.session, subscription, secret)
    return _described(SecretAnswer, subscription, secret=secret if is_told else None)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a subscription."""
    return described(_get(call, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a subscription; what is not sent stays.

    The secret before a new one counts for another 24 hours.
    """
    subscription = _get(call, ident, lock=True)
    values = call.values()
    subscription_changes.change(call.session, call.page, subscription, values, actor=call.actor)
    return described(subscription)


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
    """Give a webhook another secret, which only this answer shows.

    The one before it counts for another 24 hours.
    """
    subscription = _get(call, ident, lock=True)
    secret = signing_secrets.rotate(
        call.session, subscription, secret=call.body.secret, actor=call.actor
    )
    return _described(SecretAnswer, subscription, secret=secret)


def _get(call: Call, ident: str, *, lock: bool = False) -> Subscription:
    which = uuid_of(ident, "subscription")
    return subscriptions.get(call.session, call.page, which, lock=lock)


def _hold(call: Call, ident: str) -> None:
    _get(call, ident, lock=True)
