"""The contract of a channel: which addresses it takes, and a line that is opened once for a batch."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from ...config import Settings
from ..parcel import Outcome, Parcel


class Line(Protocol):
    """An open way out. ``send`` never raises for what the other side does: it answers an :class:`Outcome`."""

    def send(self, parcel: Parcel) -> Outcome: ...


class Channel(Protocol):
    """One kind of address."""

    name: str
    default_format: str
    needs_confirmation: bool
    """Whether the address's owner has to agree by a link before anything else is sent."""

    confirms_by_code: bool
    """Whether the owner may also agree by typing the code that was sent."""

    members_only: bool
    """Whether only the site's team may choose it."""

    secret_address: bool
    """Whether whoever knows an address may write there: it is stored encrypted and not shown again."""

    for_people: bool
    """Whether somebody reads each message: beyond their hourly share messages are folded into a digest."""

    replies: bool
    """Whether its messages about one incident answer each other, by what the other side calls them."""

    target_seconds: float
    """Within how many seconds after its commit an event should be on its way."""

    parallel: int | None
    """How many lines one worker may open at once; None: what the endpoint's share is."""

    def available(self, settings: Settings) -> str | None:
        """None when the channel can be used, else what is missing, in one sentence."""
        ...

    def normalise(self, address: str, settings: Settings) -> str:
        """*address* in the one spelling that is stored. Looks at the text only.

        :raises flask_statuspage.errors.Invalid: naming ``address``.
        """
        ...

    def vet(self, address: str, settings: Settings) -> None:
        """Ask the network whether *address* may be used; no transaction may be open.

        :raises flask_statuspage.errors.Invalid: naming ``address``.
        """
        ...

    def endpoint(self, address: str) -> str:
        """What shares connections with others: ``host:port`` of a normalised address, or the channel's name."""
        ...

    def open(self, settings: Settings) -> AbstractContextManager[Line]:
        """A line for a batch of parcels, used by one thread, in an app context."""
        ...
