"""What messages for people are made of, in the reader's language and by the reader's clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ... import translation
from ...domain import clock
from ...domain.reader import Reader
from ...translation import marked
from .sentence import Figure, Name, Names, Sentence

INCIDENT_STATES = {
    "investigating": marked("Investigating"),
    "identified": marked("Identified"),
    "monitoring": marked("Monitoring"),
    "resolved": marked("Resolved"),
    "postmortem": marked("Postmortem"),
}

MAINTENANCE_STATES = {
    "scheduled": marked("Maintenance planned"),
    "in_progress": marked("Maintenance in progress"),
    "verifying": marked("Maintenance being verified"),
    "completed": marked("Maintenance completed"),
    "cancelled": marked("Maintenance cancelled"),
}

STATUSES = {
    "unknown": marked("Unknown"),
    "operational": marked("Operational"),
    "under_maintenance": marked("Under maintenance"),
    "degraded_performance": marked("Degraded performance"),
    "partial_outage": marked("Partial outage"),
    "major_outage": marked("Major outage"),
}

VERDICTS = {"down": marked("Down"), "up": marked("Recovered")}


class Phrases:
    """The words for one reader.

    :ivar language: the tag of the language that they are in.
    :ivar direction: ``ltr`` or ``rtl``.
    """

    def __init__(self, reader: Reader) -> None:
        self.language = translation.language(reader.locale)
        self.direction = translation.direction(self.language)
        self._catalogue = translation.catalogue(self.language)
        self.reader = reader

    def gettext(self, message: str) -> str:
        return self._catalogue.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self._catalogue.ngettext(singular, plural, number)

    def pgettext(self, context: str, message: str) -> str:
        return self._catalogue.pgettext(context, message)

    def say(self, message: str, /, **gaps: Name | Names | Figure | Sentence | str) -> Sentence:
        """A sentence of words that are translated already."""
        return Sentence(message, gaps)

    def time(self, text: str) -> Figure:
        """An instant of an event, by the reader's clock."""
        return Figure(clock.instant(text, self.reader.time_zone))

    def names(self, names: Iterable[str]) -> Names:
        separator = self.pgettext("between the names of a list", ", ")
        return Names([Name(name) for name in names], separator)

    def status(self, word: str) -> str:
        return self.gettext(STATUSES[word])

    def incident_state(self, word: str) -> str:
        return self.gettext(INCIDENT_STATES[word])

    def maintenance_step(self, name: str, maintenance: Mapping[str, Any]) -> str:
        """What the event *name* tells of a maintenance, in a few words."""
        if "minutes" in maintenance:
            return self.gettext("Maintenance begins in {duration}").format(
                duration=self._duration(maintenance["minutes"])
            )
        if "moved_from" in maintenance:
            return self.gettext("Maintenance moved")
        if maintenance["status"] == "scheduled" and name != "maintenance.scheduled":
            return self.gettext("News of a planned maintenance")
        state = MAINTENANCE_STATES[maintenance["status"]]
        return self.gettext(state)

    def headline(self, state: str, title: str) -> Sentence:
        return self.say(self.gettext("{state}: {title}"), state=state, title=Name(title))

    def news(self, event_name: str, status: str | None, title: str | None) -> Sentence:
        """A line of a digest, with what is known of it: the status in words, or as it stands, and the title."""
        if not status or not title:
            return self.say("{known}", known=Name(title or status or event_name))
        return self.headline(self._any_state(event_name, status), title)

    def _any_state(self, event_name: str, word: str) -> str:
        tables = {
            "incident": INCIDENT_STATES,
            "maintenance": MAINTENANCE_STATES,
            "component": STATUSES,
            "monitor": VERDICTS,
        }
        known = tables.get(event_name.partition(".")[0], {}).get(word, word)
        return self.gettext(known)

    def _duration(self, minutes: int) -> str:
        days, hours, rest = clock.in_parts(minutes)
        parts = (
            # Translators: stands in "Maintenance begins in {duration}", before hours and minutes.
            (days, self.ngettext("{count} day", "{count} days", days)),
            # Translators: stands in "Maintenance begins in {duration}".
            (hours, self.ngettext("{count} hour", "{count} hours", hours)),
            # Translators: stands in "Maintenance begins in {duration}".
            (rest, self.ngettext("{count} minute", "{count} minutes", rest)),
        )
        separator = self.pgettext("between days, hours and minutes", " ")
        return separator.join(words.format(count=count) for count, words in parts if count)
