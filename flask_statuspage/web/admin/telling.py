"""What the forms have in common that tell readers something: what was typed of services and times, and the count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from ...documents.console.telling import OFF, Preview, ServiceChoice, Services
from ...domain.audience import Newly
from ...domain.facts import IncidentFact, MaintenanceFact
from ...domain.ids import new_id
from ...domain.status import ComponentStatus
from ...errors import Conflict, FieldError, Invalid
from ...services import facts, recipients
from ...storage import components as stored
from ...storage.incidents import Incident
from ...storage.maintenances import Maintenance
from . import reading
from .desk import TOO_LATE
from .visit import Visit

NOT_TICKED = "“Notify subscribers” is not ticked."


def zone(visit: Visit) -> ZoneInfo:
    return ZoneInfo(visit.shown_page.time_zone)


def services(
    visit: Visit, said: Mapping[str, ComponentStatus], *, are_listed: bool = False
) -> Services:
    """The page's services by their groups, with what is *said* of them, by slug.

    :param are_listed: those of which something is said stay in what is told.
    """
    found: dict[str | None, list[ServiceChoice]] = {}
    for row in visit.session.scalars(stored.of_page(visit.page.id)):
        choice = ServiceChoice(
            slug=row.slug,
            name=row.name,
            said=said.get(row.slug),
            is_listed=are_listed and row.slug in said,
        )
        found.setdefault(row.group.name if row.group else None, []).append(choice)
    return list(found.items())


def names(visit: Visit) -> list[tuple[str, str]]:
    """Slugs and names of the page's services, to choose from."""
    return [(row.slug, row.name) for row in visit.session.scalars(stored.of_page(visit.page.id))]


def new_ident(visit: Visit) -> UUID:
    """The id of what a form is to make. It stays while the same thing is tried again, so that it is made once."""
    if visit.typed is None or visit.trouble.words not in ("", TOO_LATE):
        return new_id()
    try:
        return ident_in(visit.typed)
    except Conflict:
        return new_id()


def ident_in(typed: reading.Typed) -> UUID:
    """:raises Conflict: when the form brings no id."""
    try:
        return UUID(typed.get("id", ""))
    except ValueError:
        raise Conflict(
            "This form cannot be sent as it is. Look at it, and press the button again."
        ) from None


def affected(typed: reading.Typed) -> dict[str, ComponentStatus]:
    """Which services were said to be how, by slug; those that are not affected, or no more, are left out.

    :raises Invalid: naming each field that is none of the choice.
    """
    words = {s: w for s, w in reading.starting_with(typed, "components.").items() if w and w != OFF}
    wrong = [slug for slug, word in words.items() if word not in set(ComponentStatus)]
    if wrong:
        raise Invalid(
            *(FieldError(f"components.{slug}", "Choose one of the list.") for slug in wrong)
        )
    return {slug: ComponentStatus(word) for slug, word in words.items()}


def dropped(typed: reading.Typed, listed: Collection[str]) -> list[str]:
    """Those of the services that are *listed* (slugs) that were said to be affected no more."""
    words = reading.starting_with(typed, "components.")
    return [slug for slug in listed if words.get(slug) == OFF]


def instant(
    typed: reading.Typed, name: str, zone: ZoneInfo, shown: datetime | None = None
) -> str | None:
    """The time in a field as RFC 3339 writes it; None where it is empty.

    :param shown: what the field was filled with: a field has no seconds, and one that nobody touched changes nothing.
    """
    found = reading.instant(typed, name, zone)
    # By the text: an hour that comes twice would be read as the first one.
    if found and shown and reading.words(typed, name).strip() == minute(shown, zone):
        found = shown
    return found.isoformat() if found else None


def minute(instant: datetime | None, zone: ZoneInfo) -> str:
    """What stands in a field for *instant*."""
    return instant.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if instant else ""


def follow(visit: Visit, now: Mapping[str, str]) -> None:
    """Let the fields that nobody touched show what is so by *now*.

    Else the next press would bring back what somebody else has changed meanwhile. ``was.<field>`` is what a form
    showed.
    """
    typed = visit.sent
    for name, value in now.items():
        if reading.words(typed, name) == reading.words(typed, f"was.{name}"):
            typed[name] = value


def follow_ticks(visit: Visit, name: str, now: Collection[str]) -> None:
    """The same of boxes of one name; ``was.<name>`` is what was ticked, with spaces between."""
    typed = visit.sent
    if sorted(typed.getlist(name)) == sorted(typed.get(f"was.{name}", "").split()):
        typed.poplist(name)  # one without a value would count as ticked
        for value in now:
            typed.add(name, value)


def typed_anew(visit: Visit, name: str) -> str | None:
    """What was typed into the field since it was shown; None: nobody touched it, or the form did not have it."""
    typed, was = visit.sent, visit.sent.get(f"was.{name}")
    if was is None or name not in typed:
        return None
    text = reading.words(typed, name)
    return None if text == was.replace("\r\n", "\n") else text


def ticked_anew(visit: Visit, name: str) -> list[str] | None:
    """The same of boxes of one name."""
    typed, was = visit.sent.getlist(name), visit.sent.get(f"was.{name}")
    return None if was is None or sorted(typed) == sorted(was.split()) else typed


def seen(visit: Visit, name: str, now: str, *, told: str) -> str:
    """What a form carries as ``was.<name>`` of what it does not show, such as a secret.

    :param now: how that is by now. It is carried once the words *told* have said that somebody else changed it: a form
        that is shown again for another reason has not said so yet.
    """
    if visit.typed is None or visit.trouble.words == told:
        return now
    return reading.words(visit.typed, f"was.{name}") or now


def preview(
    visit: Visit,
    row: Incident | Maintenance,
    event: str,
    silence: str,
    *,
    also: Collection[UUID] = (),
) -> Preview:
    """What readers would see of it if what was just done were kept. It is not: all of it is rolled back.

    :param also: components that it was about before, whose readers are told too.
    """
    fact = facts.incident(row) if isinstance(row, Incident) else facts.maintenance(row)
    # Counting takes time where readers are many, and nobody need wait for it.
    visit.session.rollback()
    return Preview(
        title=fact.title,
        impact=fact.impact if isinstance(fact, IncidentFact) else None,
        maintenance=fact if isinstance(fact, MaintenanceFact) else None,
        update=fact.updates[0],
        recipients=count(visit, event, [*ids(fact, event), *also], newly=fact.newly),
        silence=silence,
    )


def ids(fact: IncidentFact | MaintenanceFact, event: str) -> list[UUID]:
    """The components whose readers would hear of *event*."""
    if isinstance(fact, IncidentFact):
        return fact.concerned(at_its_end=event == "incident.resolved")
    return [component.id for component in fact.components]


def count(
    visit: Visit, event: str, component_ids: Collection[UUID], *, newly: Newly = False
) -> dict[str, int]:
    """How many would hear of *event*, by channel.

    :param newly: for whom it would be the beginning of what it is about.
    """
    return recipients.count(visit.session, visit.page, event, component_ids, newly=newly)
