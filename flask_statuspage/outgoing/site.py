"""Which addresses this site may call, as its settings say, and the one client that calls them."""

from __future__ import annotations

from functools import cache

from ..config import Settings
from .client import Client
from .guard import AddressPolicy


def site_policy(settings: Settings) -> AddressPolicy:
    """The policy for every address that a visitor or member typed: webhooks and probes alike."""
    return AddressPolicy(
        allow_http=settings.allow_http_targets,
        allow_private=settings.allow_private_targets,
        ports=frozenset(settings.target_ports),
    )


def site_client(settings: Settings, user_agent: str) -> Client:
    """The process's client under this policy; its connections stay alive from batch to batch."""
    return _client(site_policy(settings), user_agent)


def operator_client(settings: Settings, user_agent: str) -> Client:
    """The process's client for addresses that the operator set: those of gateways, wherever they are."""
    return _client(AddressPolicy(allow_http=True, allow_private=True), user_agent)


@cache
def _client(policy: AddressPolicy, user_agent: str) -> Client:
    return Client(policy, user_agent=user_agent)
