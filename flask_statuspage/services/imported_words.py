"""What an import says of components: through open incidents, through maintenance that goes on, else as a person would.

A component that is new here, and not well there without a word why, gets a manual status, so that a person may take it
back. Later imports follow it and drop it once theirs is well again or says why. A person's own word is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from ..domain.status import ComponentStatus
from ..storage import imported as stored
from ..storage.components import Component, Condition
from . import conditions, maintained_monitors
from .import_ledger import Ledger
from .imported_history import History, Key, Word

MANUAL = "manual"
NOTE = "Imported"
"""The note that tells a manual word of an import from a person's."""


def settle(
    ledger: Ledger,
    components: Iterable[Component],
    theirs: Mapping[UUID, ComponentStatus],
    history: History,
) -> None:
    """Let the import say what it has to say of *components*, and take back what is over.

    :param theirs: how the source shows each component that it has.
    """
    rows = {row.id: row for row in components if row.archived_at is None}
    said: dict[Key, Condition] = {
        (word.component_id, word.source, word.reference): word
        for word in stored.conditions(ledger.session, ledger.page.id)
        if word.component_id in rows
    }
    wanted = {key: word for key, word in history.words.items() if key[0] in rows}
    wanted |= _unexplained(ledger, rows, theirs, said, explained={key[0] for key in wanted})
    for key, old in said.items():
        ours = key[1:] in history.speakers or _is_ours(old)
        if ours and key not in wanted:
            _note(ledger, rows[key[0]], key, old.status, None)
            _hush(ledger, rows[key[0]], key)
    for key, new in wanted.items():
        before = said.get(key)
        if before is None or (before.status, before.note) != (new.status, new.note):
            _note(ledger, rows[key[0]], key, before.status if before else None, new.status)
            _say(ledger, rows[key[0]], key, new)


def _unexplained(
    ledger: Ledger,
    rows: Mapping[UUID, Component],
    theirs: Mapping[UUID, ComponentStatus],
    said: Mapping[Key, Condition],
    *,
    explained: set[UUID],
) -> dict[Key, Word]:
    """Words for what is not well there, and of which no incident or maintenance speaks."""
    words: dict[Key, Word] = {}
    for component_id in rows:
        key = (component_id, MANUAL, "")
        status = theirs.get(component_id, ComponentStatus.OPERATIONAL)
        if status is ComponentStatus.OPERATIONAL or component_id in explained:
            continue
        if _is_ours(said[key]) if key in said else ledger.is_new(component_id):
            words[key] = Word(status, NOTE)
    return words


def _is_ours(word: Condition) -> bool:
    return word.source == MANUAL and word.note == NOTE


def _note(
    ledger: Ledger,
    row: Component,
    key: Key,
    before: ComponentStatus | None,
    after: ComponentStatus | None,
) -> None:
    """A word of an incident or maintenance is in the entry about that one already."""
    ledger.touch()
    if key[1] == MANUAL:
        ledger.changed("component", row, {"said": before}, {"said": after})


def _say(ledger: Ledger, row: Component, key: Key, word: Word) -> None:
    conditions.say(
        ledger.session,
        ledger.page,
        row,
        word.status,
        source=key[1],
        reference=key[2],
        note=word.note,
        actor=ledger.actor if key[1] == MANUAL else None,
        notify=False,
    )


def _hush(ledger: Ledger, row: Component, key: Key) -> None:
    if key[1] == "maintenance":
        maintained_monitors.hear_again(ledger.session, ledger.page, [row.id])
    conditions.hush(
        ledger.session, ledger.page, [row], source=key[1], reference=key[2], notify=False
    )
