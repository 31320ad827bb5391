"""Which addresses this site may call, as its settings say, and the one client that calls them."""

from __future__ import annotations

from functools import cache

from ..config import Settings
from .client import Client
from .guard import AddressPolicy

OPERATORS = AddressPolicy(allow_http=True, allow_private=True)
"""The policy for what only whoever configures the site can name."""


def site_policy(settings: Settings) -> AddressPolicy:
    """The policy for every address that a visitor or member typed: webhooks and probes alike."""
    return AddressPolicy(
        allow_http=settings.allow_http_targets,
        allow_private=settings.allow_private_targets,
        ports=frozenset(settings.target_ports),
    )


def site_client(settings: Settings, user_agent: str) -> Client:
    """The process's client under this policy; its connections stay alive from batch to batch."""
    return _client(site_policy(settings), user_agent, settings.ca_file)


def operator_client(settings: Settings, user_agent: str) -> Client:
    """The process's client for addresses that the operator set, such as a gateway's: inside the network, too.

    What :class:`.AddressPolicy` refuses always stays refused: link-local addresses and the clouds' metadata services.
    """
    return _client(OPERATORS, user_agent, settings.ca_file)


@cache
def _client(policy: AddressPolicy, user_agent: str, authorities: str | None) -> Client:
    return Client(policy, user_agent=user_agent, authorities=authorities)
