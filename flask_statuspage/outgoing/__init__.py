"""Requests that this site sends to addresses somebody typed: the guard and the client."""

from __future__ import annotations

from .client import Answer, Client, FailureKind, SendFailed, check_headers
from .guard import (
    AddressPolicy,
    AddressRefused,
    SocketAddress,
    Target,
    resolve,
    vet_address,
    vet_url,
)
from .lookup import Resolver
from .ranges import IPAddress, is_public

__all__ = [
    "AddressPolicy",
    "AddressRefused",
    "Answer",
    "Client",
    "FailureKind",
    "IPAddress",
    "Resolver",
    "SendFailed",
    "SocketAddress",
    "Target",
    "check_headers",
    "is_public",
    "resolve",
    "vet_address",
    "vet_url",
]
