"""Accounts elsewhere that members connected to a page, and the tokens that let us in.

An account is what a subscription posts by. Whoever disconnects it deletes its tokens, and only then can the
subscription be deleted; one that is disabled keeps them, so that it can be enabled again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from ..errors import AccessRefused, NotFound
from ..storage import accounts as stored
from ..storage import delivery_log, pages
from ..storage import subscriptions as stored_subscriptions
from ..storage.accounts import Account
from ..storage.base import utc_now
from ..storage.pages import Page
from ..storage.races import run_again
from ..storage.session import begin_read_committed, current_engine, locks_rows
from ..storage.subscriptions import Subscription
from . import audit, owner_notices, subscriptions, x_access
from .wishes import Wish
from .x_access import Profile, Tokens

logger = logging.getLogger(__name__)

X = "x"
"""The kind of an account of X, and the channel that posts by it."""

EARLY = timedelta(minutes=1)
"""So long before its end a token is not used any more."""

SQLITE_SECONDS = 4.0
"""For the call while SQLite's one writer waits for it: others give up after five seconds."""

_audit = partial(audit.of, subject="account")


@dataclass(frozen=True)
class Connected:
    """An account, what posts by it, and how that goes.

    :param subscription: None: it was deleted.
    :param failed_at: when the last attempt failed that did, and *failure* in which words.
    """

    account: Account
    subscription: Subscription | None
    failed_at: datetime | None = None
    failure: str | None = None


def connect(
    session: Session, page: Page, profile: Profile, tokens: Tokens, *, actor: str
) -> Account:
    """Keep the *tokens* of an account of X, and let the page post by it.

    Connected once more it gets the new tokens; what its subscription chose stays as it is.
    """
    pages.hold(session, page.id)  # two members who sign in at once must not both find none
    name = f"@{profile.username.lower()}"
    account = stored.held(session, page.id, X, profile.id)
    is_new = account is None
    if account is None:
        # A name that belonged to another account there: that one has another name now.
        stored.forget(session, page.id, X, name)
        account = Account(page_id=page.id, kind=X, remote_id=profile.id, name=name)
        session.add(account)
    elif account.name != name:
        _rename(session, page, account, name)
    account.actor, account.updated_at = actor, utc_now()
    _keep(account, tokens)
    session.flush()
    _audit(session, "connect" if is_new else "reconnect", account, actor, after={"name": name})
    subscription = stored_subscriptions.by_address(session, page.id, X, name)
    if subscription is None:
        contact = owner_notices.default(X, actor)
        wish = Wish(channel=X, address=name, contact=contact)
        subscriptions.subscribe(session, page, wish, proven=True, actor=actor)
    else:
        subscriptions.enable(session, subscription, actor=actor)
    return account


def disconnect(session: Session, page: Page, account_id: UUID, *, actor: str) -> str:
    """Delete an account with its tokens, and disable what posted by it.

    :returns: its refresh token, to be given back (:func:`.x_access.give_back`) once this is committed.
    :raises NotFound: unless *page* has this account.
    """
    pages.hold(session, page.id)
    account = get(session, page, account_id)
    subscription = stored_subscriptions.by_address(session, page.id, account.kind, account.name)
    if subscription is not None:
        reason = f"{account.name} was disconnected."
        subscriptions.disable(session, subscription, reason=reason, actor=actor)
    _audit(session, "disconnect", account, actor, before={"name": account.name})
    token = str(json.loads(account.credentials)["refresh"])
    session.delete(account)
    session.flush()
    return token


def get(session: Session, page: Page, account_id: UUID) -> Account:
    """:raises NotFound: unless *page* has this account."""
    account = session.get(Account, account_id)
    if account is None or account.page_id != page.id:
        raise NotFound("account", account_id)
    return account


def posting_by(session: Session, account: Account) -> Subscription:
    """The subscription that posts by *account*.

    :raises NotFound: when it was deleted.
    """
    found = stored_subscriptions.by_address(session, account.page_id, account.kind, account.name)
    if found is None:
        raise NotFound("subscription", account.name)
    return found


def connected(session: Session, page: Page) -> Sequence[Connected]:
    """The accounts of X that are connected to *page*, by name."""
    rows = stored.of_page(session, page.id, X)
    by_name = stored_subscriptions.by_addresses(session, page.id, X, {row.name for row in rows})
    failures = delivery_log.last_failures(session, {row.id for row in by_name.values()})
    found = []
    for row in rows:
        subscription = by_name.get(row.name)
        failed = failures.get(subscription.id) if subscription else None
        found.append(Connected(row, subscription, *(failed or ())))
    return found


def access_token(subscription_id: UUID, refused: str | None) -> str:
    """A token by which a subscription may post now.

    It runs in a worker's thread, in a session of its own.

    :param refused: the token that the other side has just refused, if it did.
    :raises AccessRefused: when no token can be had any more.
    :raises AccessUnreachable: when none can be had now.
    """
    with Session(current_engine()) as session:
        account = stored.of_subscription(session, subscription_id)
        if account is None:
            raise AccessRefused("The account is not connected any more.")
        token = _usable(account, refused)
    return token or run_again(partial(_refreshed, account.id, refused))


def _refreshed(account_id: UUID, refused: str | None) -> str:
    """A new token for one that has ended or was refused.

    The only call of another machine within a transaction. A refresh token works once: two workers who used the same one
    would both be locked out, so whoever refreshes holds the account's row until the new pair is stored. Whoever waited
    for it finds that pair. The call has a short deadline of its own, and nothing else is held meanwhile, except on
    SQLite, where the row lock is the one writer.
    """
    with Session(current_engine()) as session:
        begin_read_committed(session)
        pages.begin_writing(session)
        account = stored.hold(session, account_id)
        if account is None:
            raise AccessRefused("The account is not connected any more.")
        if token := _usable(account, refused):
            return token
        seconds = x_access.SECONDS if locks_rows(session) else SQLITE_SECONDS
        tokens = x_access.refresh(json.loads(account.credentials)["refresh"], seconds=seconds)
        _keep(account, tokens)
        account.updated_at = utc_now()
        try:
            session.commit()
        except Exception:
            logger.error("status page: the new tokens of account %s were lost", account.id)
            raise
        return tokens.access


def _usable(account: Account, refused: str | None) -> str | None:
    """The account's token, unless it is about to end or is the one that was refused."""
    token = str(json.loads(account.credentials)["access"])
    ends = account.expires_at
    is_fresh = ends is None or ends - utc_now() > EARLY
    return token if is_fresh and token != refused else None


def _keep(account: Account, tokens: Tokens) -> None:
    account.credentials = json.dumps({"access": tokens.access, "refresh": tokens.refresh})
    account.expires_at = tokens.expires_at


def _rename(session: Session, page: Page, account: Account, name: str) -> None:
    """The account has another name now, and what posts by it follows."""
    stored.forget(session, page.id, X, name)
    subscription = stored_subscriptions.by_address(session, page.id, X, account.name)
    taken = stored_subscriptions.by_address(session, page.id, X, name)
    if subscription is not None and taken is None:
        subscription.address = name
        subscription.address_digest = stored_subscriptions.digest(name)
    account.name = name
