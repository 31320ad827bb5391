"""The contract of a probe: one question to a target, one finding.

A new kind is one file with a :class:`Probe` that states only its difference, and one line in the registry. Another
package offers its own as an entry point of the group ``flask_statuspage.probes``: the name is the kind, the object a
:class:`Probe`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from ..config import Settings
from ..domain.verdict import Thresholds, Verdict
from ..domain.wrong_fields import field_errors
from ..errors import Invalid


@dataclass(frozen=True, kw_only=True)
class ProbeOrder:
    """What to ask.

    :param timeout: seconds in all. :param degraded_over_ms: milliseconds; None: never too slow.
    :param options: as the probe's :meth:`Probe.check_options` returned them, with the secrets, which no log shall have.
    :param asked_at: aware, UTC, by the database's clock: when the order was given out.
    :param due_at: when it was due; None: it was asked for out of turn. :param next_at: when it is due next.
    :param known: what the database knows that the probe needs, by the kind; see ``services.known``.
    """

    monitor_id: UUID
    region: str
    kind: str
    target: str
    timeout: float
    degraded_over_ms: int | None
    asked_at: datetime
    due_at: datetime | None = None
    next_at: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a probe found out. One that is not of these types is a failed check.

    :param outcome: ``UP``, ``DEGRADED`` (answered rightly, but slowly or with a warning), ``DOWN``, or ``UNKNOWN``: it
        could not find out, which says nothing of the target and does not count.
    :param code: the protocol's status.
    :param error: class of the failure in a few fixed words; everybody may read them.
    :param observed: plain data that the next event is made of, for kinds that watch somebody else's page.
    :param at: only where it is not when the question was asked.
    """

    outcome: Verdict
    milliseconds: int | None = None
    code: int | None = None
    error: str | None = None
    observed: Mapping[str, Any] | None = None
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult(Finding):
    """A finding with whose it is and when it was asked: ``at`` is aware, UTC, by the database's clock.

    :param asked: the kind and the target that were asked; None: whatever they are, it is of the monitor as it is.
    """

    monitor_id: UUID
    region: str
    at: datetime
    asked: tuple[str, str] | None = None


class Asker(Protocol):
    """Asks many orders of one kind, keeping connections alive between them. Used by many threads at once."""

    def ask(self, order: ProbeOrder) -> Finding: ...


class ProbeOptions(BaseModel):
    """Base of a kind's options; each field has its default. Unknown ones are refused by name."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Probe:
    """One kind of monitor. Subclasses give ``kind`` and :meth:`open`, and override what differs."""

    kind: ClassVar[str]
    Options: ClassVar[type[ProbeOptions]] = ProbeOptions

    thresholds: ClassVar[Thresholds] = Thresholds()
    """What a monitor of this kind gets that says nothing of its thresholds."""

    intervals: ClassVar[tuple[int, int]] = (5, 86_400)
    """Shortest and longest interval, in seconds. ``STATUSPAGE_MIN_CHECK_INTERVAL`` stands in for the shortest one, but
    for kinds that need a longer one than usual."""

    passive: ClassVar[bool] = False
    """Whether its targets speak by themselves: then silence is its own business, and its monitors never grow stale."""

    damped: ClassVar[bool] = True
    """Whether a target that flaps is believed ever later. Not where one word is all there is to be had for long."""

    declared: ClassVar[bool] = False
    """Whether its monitors are made by the site's code, not by members."""

    def normalise(self, target: str, settings: Settings) -> str:
        """*target* in the one spelling that is stored. Looks at the text only.

        :raises flask_statuspage.errors.Invalid: naming ``target``.
        """
        return target.strip()

    def vet(self, target: str, settings: Settings) -> None:
        """Ask the network whether *target* may be called; no transaction may be open.

        :raises flask_statuspage.errors.Invalid: naming ``target``.
        """

    def check_options(self, options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
        """*options* with their defaults, as plain data.

        :raises flask_statuspage.errors.Invalid: naming ``options.<name>``.
        """
        try:
            return self.Options.model_validate(dict(options)).model_dump(mode="json")
        except ValidationError as error:
            raise Invalid(*field_errors(error, within="options")) from error

    def is_secret(self, path: tuple[str, ...]) -> bool:
        """Whether the option at *path*, such as ``("auth", "password")``, is never shown again."""
        return False

    def open(self, settings: Settings) -> AbstractContextManager[Asker]:
        """An asker for a batch of orders. Runs in an app context, as :meth:`Asker.ask` does not."""
        raise NotImplementedError
