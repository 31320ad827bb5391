"""The contract of a probe: one question to a target, one result."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from ..config import Settings
from ..domain.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class ProbeOrder:
    """What to ask. ``timeout`` is seconds in all, ``degraded_over_ms`` milliseconds (None: never too slow)."""

    monitor_id: UUID
    region: str
    kind: str
    target: str
    timeout: float
    degraded_over_ms: int | None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One answer.

    :param outcome: ``UP``, ``DEGRADED`` (answered rightly, but slowly) or ``DOWN``.
    :param at: aware, UTC: when the question was asked.
    :param code: the protocol's status.
    :param error: class of the failure in a few fixed words.
    """

    monitor_id: UUID
    region: str
    outcome: Verdict
    at: datetime
    milliseconds: int | None = None
    code: int | None = None
    error: str | None = None


class Asker(Protocol):
    """Asks many orders of one kind, keeping connections alive between them. Used by many threads at once."""

    def ask(self, order: ProbeOrder) -> CheckResult: ...


class Probe(Protocol):
    """One kind of monitor."""

    kind: str

    def normalise(self, target: str, settings: Settings) -> str:
        """*target* in the one spelling that is stored. Looks at the text only.

        :raises flask_statuspage.errors.Invalid: naming ``target``.
        """
        ...

    def vet(self, target: str, settings: Settings) -> None:
        """Ask the network whether *target* may be called; no transaction may be open.

        :raises flask_statuspage.errors.Invalid: naming ``target``.
        """
        ...

    def check_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """*options* with their defaults.

        :raises flask_statuspage.errors.Invalid: naming ``options.<name>``.
        """
        ...

    def open(self, settings: Settings) -> AbstractContextManager[Asker]:
        """An asker for a batch of orders."""
        ...
