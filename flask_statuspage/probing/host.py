"""What the kinds share whose target is a host, with or without a port: reading, vetting, and one total deadline."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from ..config import Settings
from ..errors import Invalid
from ..outgoing import (
    AddressPolicy,
    AddressRefused,
    Budget,
    ConnectFailed,
    Place,
    Resolver,
    look_up,
    own_failure,
    system_resolver,
    vet_place,
)
from ..outgoing.site import site_policy
from .findings import WORDS, failed
from .probe import Asker, Finding, Probe, ProbeOrder

ANY_NAME = AddressPolicy(allow_private=True)
"""For reading what is not called."""

VET_SECONDS = 5.0
MOST_BYTES = 64 * 1024
"""What a probe takes from the wire at most."""


class HostProbe(Probe):
    """Subclasses give :meth:`ask`, and ``port`` if one need not be written.

    :param resolver: looks names up.
    """

    port: ClassVar[int | None] = None
    """What is meant where the target names no port; None: it must."""

    def __init__(self, *, resolver: Resolver = system_resolver) -> None:
        self.resolver = resolver

    @abstractmethod
    def ask(
        self, order: ProbeOrder, place: Place, policy: AddressPolicy, budget: Budget
    ) -> Finding:
        """Ask *place* within *budget*.

        :raises flask_statuspage.outgoing.ConnectFailed: if it cannot be reached.
        """

    def read(self, target: str, policy: AddressPolicy) -> Place:
        """:raises flask_statuspage.outgoing.AddressRefused:"""
        return vet_place(target.strip(), policy, default=self.port)

    def spelled(self, place: Place) -> str:
        """*place* as it is stored."""
        return place.spelled(default=self.port)

    def normalise(self, target: str, settings: Settings) -> str:
        try:
            return self.spelled(self.read(target, site_policy(settings)))
        except AddressRefused as error:
            raise Invalid.field("target", str(error)) from error

    def vet(self, target: str, settings: Settings) -> None:
        policy = site_policy(settings)
        budget = Budget(time.monotonic() + VET_SECONDS, 0)
        try:
            look_up(self.read(target, policy), policy, budget, resolver=self.resolver)
        except AddressRefused as error:
            raise Invalid.field("target", str(error)) from error
        except ConnectFailed as failure:
            # A name that does not resolve is what a monitor is there to find out.
            if failure.kind == "refused_address":
                raise Invalid.field("target", str(AddressRefused("address"))) from failure

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Asker]:
        yield HostAsker(self, site_policy(settings))


class HostAsker:
    """Asks each order of a batch on its own: nothing is kept open between two checks."""

    def __init__(self, probe: HostProbe, policy: AddressPolicy) -> None:
        self._probe = probe
        self._policy = policy

    def ask(self, order: ProbeOrder) -> Finding:
        started = time.monotonic()
        budget = Budget(started + order.timeout, MOST_BYTES)
        try:
            place = self._probe.read(order.target, self._policy)
            return self._probe.ask(order, place, self._policy, budget)
        except AddressRefused:  # it was allowed when it was saved
            return failed(WORDS["refused_address"], started)
        except ConnectFailed as failure:
            if own_failure(failure):
                raise
            return failed(WORDS[failure.kind], started)
