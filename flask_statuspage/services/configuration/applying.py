"""Make what there is as a document says, through the services, in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from ...errors import Invalid
from ...storage import pages as stored
from ...storage.session import begin_read_committed
from .. import pages
from .changes import Change
from .document import Document, PageEntry, checked
from .parts import Parts
from .present import PresentPage, described, meant, present, refuse_twins
from .work import Work


def apply(
    session: Session,
    document: Mapping[str, Any],
    *,
    prune: bool = False,
    dry_run: bool = False,
    actor: str | None = None,
) -> list[Change]:
    """Make all that *document* names as it says; what was done, in order. Nothing is done where nothing differs.

    All pages are held until the transaction ends. The network is not asked about targets of monitors: do that before,
    see :mod:`.vetting`.

    :param prune: remove what the named pages have and the document does not name, and empty pages that it does not.
    :param dry_run: do all of it, and take it back.
    :raises Invalid: naming places such as ``pages[0].components[2].slug``; nothing is done.
    :raises Conflict: when something stands in the way; nothing is done.
    """
    wanted = checked(document)
    begin_read_committed(session)
    stored.begin_writing(session)
    with session.begin_nested() as savepoint:
        work = Work(session, actor)
        _apply(work, wanted, present(session, lock=True), prune=prune)
        if dry_run:
            savepoint.rollback()
    return work.changes


def _apply(work: Work, document: Document, there: list[PresentPage], *, prune: bool) -> None:
    found = [meant(entry, document, there) for entry in document.pages]
    if prune:
        for page in there:
            if page not in found and not page.page.is_default:
                _remove(work, page)
    # The default page first: a new page may get the slug that it gives up.
    order = sorted(range(len(found)), key=lambda number: not document.pages[number].default)
    made = {number: _put(work, number, document.pages[number], found[number]) for number in order}
    every = []
    for number, entry in enumerate(document.pages):
        refuse_twins(made[number])
        parts = Parts(work, made[number], entry, f"pages[{number}]")
        every.append((parts, parts.surplus()))
        parts.put()
    if prune:  # At the end, when all that moves has left.
        for parts, surplus in every:
            parts.remove(surplus)


def _put(work: Work, number: int, entry: PageEntry, there: PresentPage | None) -> PresentPage:
    place, values = f"pages[{number}]", entry.given()
    is_default = there is not None and there.page.is_default
    if values.pop("default", is_default) != is_default:
        raise Invalid.field(f"{place}.default", "Which page is the default one cannot be changed.")
    page = work.put(
        place,
        there.page.slug if there else entry.slug,
        entry,
        values,
        there.page if there else None,
        describe=described,
        create=lambda values: pages.create(work.session, **values, actor=work.actor),
        change=lambda row, values: pages.change(work.session, row, values, actor=work.actor)[0],
    )
    return there or PresentPage(page, [], [], [], [])


def _remove(work: Work, there: PresentPage) -> None:
    remove = partial(pages.remove, work.session, there.page, actor=work.actor)
    work.remove("page", there.page.slug, described(there.page), remove)
