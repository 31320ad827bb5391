"""What host code gets back: a small handle instead of a row of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from .domain.incident import IncidentStatus
from .domain.status import ComponentStatus, Impact
from .errors import Invalid
from .services import incidents, pages
from .storage.session import current_session


@dataclass(frozen=True)
class HostIncident:
    """An incident that host code opened. Its changes are part of the host's transaction: commit as usual."""

    id: UUID
    page_slug: str | None

    def update(
        self,
        status: str | None = None,
        body: str = "",
        *,
        components: Mapping[str, str] | None = None,
        impact: str | None = None,
        next_update_due: datetime | None = None,
        notify: bool = True,
    ) -> HostIncident:
        """The next update: ``incident.update("identified", "A bad deploy; rolling back.")``.

        :param next_update_due: aware; when readers are promised the next news by.
        """
        session = current_session()
        incidents.update(
            session,
            pages.find(session, self.page_slug),
            self.id,
            status=word(IncidentStatus, "status", status) if status else None,
            body=body,
            affected=affected(components) if components is not None else None,
            impact=word(Impact, "impact", impact) if impact else None,
            next_update_due=next_update_due,
            actor="host",
            notify=notify,
        )
        return self

    def resolve(self, body: str = "", *, notify: bool = True) -> HostIncident:
        """The incident is over."""
        return self.update("resolved", body, notify=notify)

    def postmortem(self, body: str, *, notify: bool = True) -> HostIncident:
        """What was learnt, in Markdown, once the incident is over."""
        session = current_session()
        where = pages.find(session, self.page_slug)
        incidents.postmortem(session, where, self.id, body=body, actor="host", notify=notify)
        return self

    def reopen(
        self,
        body: str = "",
        *,
        status: str = "investigating",
        components: Collection[str] | Mapping[str, str] | None = None,
        notify: bool = True,
    ) -> HostIncident:
        """It was not over; the incident speaks for its components again.

        :param components: None: as they were before the end.
        """
        session = current_session()
        incidents.reopen(
            session,
            pages.find(session, self.page_slug),
            self.id,
            status=word(IncidentStatus, "status", status),
            body=body,
            affected=affected(components) if components is not None else None,
            actor="host",
            notify=notify,
        )
        return self


E = TypeVar("E", ComponentStatus, Impact, IncidentStatus)


def word(kind: type[E], field: str, text: str) -> E:
    """*text* as a member of *kind*.

    :raises Invalid: naming *field* and what is allowed.
    """
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise Invalid.field(field, f"{text!r} is none of {allowed}.") from None


def affected(
    components: Collection[str] | Mapping[str, str],
) -> Collection[str] | dict[str, ComponentStatus]:
    """Slugs, or slugs with statuses, as the services take them."""
    if isinstance(components, Mapping):
        return {
            slug: word(ComponentStatus, f"components.{slug}", status)
            for slug, status in components.items()
        }
    if isinstance(components, str):
        raise Invalid.field("components", "Must be a list of slugs, not one text.")
    return components
