"""Mail: which addresses it takes, and a line that sends one batch by the way that the site has."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.errors import MessageError
from email.headerregistry import Address

from ...config import Settings
from ...errors import Invalid
from ...outgoing.limit import Late, within
from ...translation import said
from ..mail import answers, message, ways
from ..mail.transport import Transport
from ..parcel import Failure, Outcome, Parcel
from .channel import Line

logger = logging.getLogger(__name__)

GOODBYE_SECONDS = 2.0
MAX_ADDRESS = 254  # characters, RFC 5321 4.5.3.1.3
MAX_LOCAL = 64  # characters before the @, RFC 5321 4.5.3.1.1

# Deliberately simple: anything printable before the @, a name with a dot (or localhost) behind it.
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+@[^\s@<>()\[\]\\,;:\"]+", re.ASCII)
NO_ADDRESS = said("This is not an email address, such as name@example.com.")

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"localhost|({_LABEL}\.)+{_LABEL}", re.ASCII | re.IGNORECASE)


class EmailChannel:
    name = "email"
    default_format = "email"
    needs_confirmation = True
    confirms_by_code = False
    members_only = False
    secret_address = False
    for_people = True
    replies = False
    target_seconds = 300.0
    parallel: int | None = 2

    def available(self, settings: Settings) -> str | None:
        return ways.missing(settings)

    def normalise(self, address: str, settings: Settings) -> str:
        address = address.strip()
        local, _, domain = address.rpartition("@")
        # Beyond ASCII every server on the way would have to know SMTPUTF8 (RFC 6531).
        if not address.isascii():
            raise Invalid.field(
                "address", said("Only ASCII letters are possible in an email address here.")
            )
        is_long = len(address) > MAX_ADDRESS or len(local) > MAX_LOCAL
        if is_long or not _ADDRESS.fullmatch(address) or not _DOMAIN.fullmatch(domain):
            raise Invalid.field("address", NO_ADDRESS)
        try:
            Address(addr_spec=address)
        except (MessageError, ValueError) as error:
            raise Invalid.field("address", NO_ADDRESS) from error
        # The domain's case never matters; the mailbox's could.
        return f"{local}@{domain.lower()}"

    def vet(self, address: str, settings: Settings) -> None:
        """Only a mail to it tells whether a mailbox is there."""

    def endpoint(self, address: str) -> str:
        return self.name

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        line = EmailLine(settings)
        try:
            yield line
        finally:
            line.close()


class EmailLine:
    """Connects at the first parcel and again after the other side hung up; one mail has one recipient."""

    def __init__(self, settings: Settings) -> None:
        way = ways.chosen(settings)
        assert way is not None, "the channel is not available"
        self._way = way
        self._sender = ways.sender(settings)
        self._transport: Transport | None = None

    def send(self, parcel: Parcel) -> Outcome:
        started = time.monotonic()
        outcome = self._try(parcel)
        milliseconds = round((time.monotonic() - started) * 1000)
        return replace(outcome, milliseconds=milliseconds)

    def _try(self, parcel: Parcel) -> Outcome:
        mail = message.written(parcel, self._sender)
        if self._transport is None:
            self._transport = self._way.open()
        transport = self._transport
        try:
            # All of it, connecting too: a server that drips would else outlast the lease.
            within(
                parcel.policy.timeout,
                lambda: transport.send(mail, parcel.address),
                cut=transport.cut,
            )
        except Exception as error:
            if isinstance(error, Late):
                self._transport = None  # its thread may be in the midst of something
            outcome = answers.outcome_of(error, parcel.address)
            if outcome is not None:
                return outcome
            logger.exception("status page: a mail could not be sent by %s", self._way.name)
            words = f"The site's way to send mail failed ({type(error).__name__})."
            return Outcome(error=words, kind=Failure.CHANNEL)
        return Outcome(code=250)

    def close(self) -> None:
        if self._transport is not None:
            with suppress(Exception):
                within(GOODBYE_SECONDS, self._transport.close, cut=self._transport.cut)
            self._transport = None
