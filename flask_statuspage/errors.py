"""What can go wrong, as one tree. Every error carries its facts as attributes.

::

    StatusPageError
    ├── ConfigError        a STATUSPAGE_* value is wrong       (also a click error: one line, exit 1)
    ├── SetupError         the host's app lacks something      (also a click error)
    ├── Invalid            input names a field that is wrong   422
    │   └── WrongStep      a status that nothing leads to from the present one
    ├── NotFound           no such thing                       404
    ├── Conflict           the thing is in another state       409
    │   └── Race           another change came in between; run it again
    ├── Unauthorized       no key, or a wrong one              401
    ├── Forbidden          a key or member without the right   403
    ├── NotSignedIn        a page that strangers may not see   403
    │   └── NobodyThere    the console, and nobody signed in   401
    ├── AccessRefused      an account elsewhere is closed to us
    ├── AccessUnreachable  whether it is cannot be told now    502
    ├── TooMany            more requests than are allowed      429
    └── LinkError          a mailed link cannot be used
        ├── LinkExpired    too old, or already used            410
        └── LinkInvalid    altered                             404

:exc:`Degraded` stands beside it: the site's own code raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import click


class StatusPageError(Exception):
    """Base of all errors that this extension raises on purpose."""


class ConfigError(StatusPageError, click.ClickException):
    """A configuration value that the start must not go on with.

    It is a click error too, so that any ``flask`` command ends with one line instead of a traceback.
    """

    def __init__(
        self, key: str, value: object, allowed: str, *, message: str | None = None
    ) -> None:
        self.key = key
        self.value = value
        self.allowed = allowed
        usual = f"{key}={value!r} is not usable. Allowed: {allowed}."
        click.ClickException.__init__(self, message or usual)

    @classmethod
    def unknown(cls, key: str, hint: str) -> ConfigError:
        """For a key that does not exist."""
        message = f"{key} is not a setting of the status page; {hint}"
        return cls(key, None, hint, message=message)


class SetupError(StatusPageError, click.ClickException):
    """The host's app lacks something that is needed; the message names it and the likely mend."""


@dataclass(frozen=True)
class FieldError:
    """One wrong field of an input: its name (dotted when nested) and what is wrong with it."""

    field: str
    message: str


class Timed(str):
    """A message with times in it, as programs and logs have it: by RFC 3339, of "components". :meth:`by` tells the same
    by a page's own clock.

    :param words: the message, by how it writes an instant and what it calls a component.
    """

    words: Callable[[Callable[[datetime], str], str], str]

    def __new__(cls, words: Callable[[Callable[[datetime], str], str], str]) -> Timed:
        made = super().__new__(cls, words(lambda at: at.isoformat(timespec="minutes"), "component"))
        made.words = words
        return made

    def by(self, clock: Callable[[datetime], str], *, component: str) -> str:
        """The message with times as *clock* writes them, and *component* as the word for that."""
        return self.words(clock, component)


class Invalid(StatusPageError):
    """Input that cannot be accepted. ``errors`` names every wrong field."""

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))

    @classmethod
    def field(cls, field: str, message: str) -> Invalid:
        return cls(FieldError(field, message))


class Problems:
    """What is wrong with several fields of an input, told together."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is found wrong within is kept, and the next check goes on."""
        try:
            yield
        except Invalid as error:
            self.found += error.errors

    def tell(self) -> None:
        """:raises Invalid: when there were any."""
        if self.found:
            raise Invalid(*self.found)


class WrongStep(Invalid):
    """A status that the life cycle does not lead to from the present one; names ``status``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(FieldError("status", reason))


class NotFound(StatusPageError):
    """No row answers to *ident*."""

    def __init__(self, kind: str, ident: object) -> None:
        self.kind = kind
        self.ident = ident
        super().__init__(f"There is no {kind} {str(ident)!r}.")


class Conflict(StatusPageError):
    """The request is fine, but the thing is in a state that forbids it."""


class Race(Conflict):
    """Another change came in at the same moment; the same transaction run again would succeed."""


class Unauthorized(StatusPageError):
    """No key was sent, or one that is unknown, expired or revoked."""


class Forbidden(StatusPageError):
    """Who asks is known, their role is too small. ``has`` is None for somebody who has none."""

    def __init__(self, needed: str, has: str | None, *, message: str | None = None) -> None:
        self.needed = needed
        self.has = has
        super().__init__(message or f"This needs the role {needed!r}; the key has {has!r}.")


class NotSignedIn(StatusPageError):
    """The page is there, but for visitors whom the host's loaders know."""


class NobodyThere(NotSignedIn):
    """The console was asked for, and the host's member loader knows nobody."""


class AccessRefused(StatusPageError):
    """The other side does not accept what lets us into an account, and will not later either."""


class AccessUnreachable(StatusPageError):
    """The other side gave no answer that says whether we are let in; later it may."""


class TooMany(StatusPageError):
    """More requests than are allowed. ``retry_after`` is seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class LinkError(StatusPageError):
    """A link from a message that cannot be used."""


class LinkExpired(LinkError):
    """The link is genuine, but too old, replaced by a newer one, or used before."""


class Ended(LinkExpired):
    """The subscription that the link is about has ended."""


class LinkInvalid(LinkError):
    """The link was not made by this site."""


class Degraded(Exception):
    """Raised by a function under ``@statuspage.check``: it works, but not as it should.

    What it says is logged and never shown.
    """
