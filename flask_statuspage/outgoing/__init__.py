"""Requests that this site sends to addresses somebody typed: the guard and the client."""

from __future__ import annotations

from .certificates import CertificateProblem, certificate_problem
from .client import Answer, Client, FailureKind, SendFailed
from .connecting import ConnectFailed, connect, look_up
from .deadline import BoundedSocket, Budget
from .guard import (
    AddressPolicy,
    AddressRefused,
    SocketAddress,
    Target,
    resolve,
    vet_address,
    vet_url,
)
from .headers import check_headers
from .lookup import Resolver, system_resolver
from .own import CannotCall, own_failure
from .pinned import tls_context
from .places import Place, vet_host, vet_place
from .ranges import IPAddress, is_public

__all__ = [
    "AddressPolicy",
    "AddressRefused",
    "Answer",
    "BoundedSocket",
    "Budget",
    "CannotCall",
    "CertificateProblem",
    "Client",
    "ConnectFailed",
    "FailureKind",
    "IPAddress",
    "Place",
    "Resolver",
    "SendFailed",
    "SocketAddress",
    "Target",
    "certificate_problem",
    "check_headers",
    "connect",
    "is_public",
    "look_up",
    "own_failure",
    "resolve",
    "system_resolver",
    "tls_context",
    "vet_address",
    "vet_host",
    "vet_place",
    "vet_url",
]
