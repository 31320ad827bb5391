"""What the forms have in common that tell readers something: the choices, the services, and the preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...domain.facts import MaintenanceFact, UpdateFact
from ...domain.incident import OPEN, IncidentStatus
from ...domain.status import ComponentStatus, Impact
from ..words import STATES, STATUSES

STATE_CHOICE = tuple((state.value, STATES[state][1]) for state in IncidentStatus if state in OPEN)
"""The states of an incident that is open."""

NEW_STATE_CHOICE = (*STATE_CHOICE, (IncidentStatus.RESOLVED.value, "Resolved"))

IMPACT_CHOICE = (
    ("", "What the services amount to"),
    (Impact.NONE.value, "None"),
    (Impact.MINOR.value, "Minor"),
    (Impact.MAJOR.value, "Major"),
    (Impact.CRITICAL.value, "Critical"),
)

OFF = "off"
"""What takes a service off an incident, in the place of its status."""

_SAID = (
    ComponentStatus.OPERATIONAL,
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
)


@dataclass(frozen=True, kw_only=True)
class ServiceChoice:
    """A service in a form that says how it is affected.

    :param said: what stands in the field; None: it is not affected.
    :param is_listed: the incident names it already, and goes on to do so, at last as what works again, unless it is
        taken off.
    """

    slug: str
    name: str
    said: ComponentStatus | None = None
    is_listed: bool = False

    @property
    def options(self) -> Sequence[tuple[str, str]]:
        """What can be said of it, as pairs of a value and its word."""
        present = [] if self.said is None or self.said in _SAID else [self.said]
        words = [(status.value, STATUSES[status].word) for status in (*present, *_SAID)]
        off = (OFF, "Not affected: take it off")
        return [*words, off] if self.is_listed else [("", "Not affected"), *words]


Services = Sequence[tuple[str | None, Sequence[ServiceChoice]]]
"""Names of groups, None for services of no group, each with its services in the page's order."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What readers would see, and how many of them would be told.

    :param impact: of an incident. *maintenance*: what it is about if it is none.
    :param update: what is new; None: nothing was written.
    :param recipients: by channel: ``{"email": 312}``.
    :param silence: why nobody is told; empty: they are.
    """

    title: str
    impact: Impact | None
    update: UpdateFact | None
    maintenance: MaintenanceFact | None = None
    recipients: Mapping[str, int] = field(default_factory=dict)
    silence: str = ""

    @property
    def told(self) -> str:
        return told(self.recipients)


def told(recipients: Mapping[str, int]) -> str:
    """How many hear of it by what: "312 by email, 4 by webhook"."""
    return ", ".join(
        f"{number} by {_CHANNELS.get(name, name)}" for name, number in recipients.items()
    )


_CHANNELS = {"sms": "text message", "slack": "Slack", "x": "X", "apprise": "Apprise"}
