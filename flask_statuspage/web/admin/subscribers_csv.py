"""Subscribers as CSV: the download, and the page that brings many in."""

from __future__ import annotations

from itertools import chain
from typing import Any

from flask import Response, request

from ...documents import subscriber_csv
from ...documents.console import subscribers as documents
from ...documents.console.subscribers import Check
from ...domain.markup import is_storable
from ...domain.rights import Right
from ...errors import Conflict, Invalid
from ...services import subscriber_export, subscriber_import
from ...services.subscriber_import import Counts, Plan
from ...storage import pages
from ...storage.subscriptions import SubscriptionState
from .. import failures
from ..csv_stream import apart
from . import reading
from .desk import Desk
from .lists import asked
from .subscribers import FILTERS, narrowed
from .visit import Done, Visit

WRONG = "There are mistakes in it, told below. Nobody was added."
OTHERWISE = (
    "It is not what you have checked: the lines were changed, or subscribers came or went meanwhile. Nobody was added. "
    "Look at the numbers, and press the button again."
)

TOO_LARGE = (
    "With the ends of its lines this is more than 2 MB, too much for one import. Split it into several files, each "
    "with the first line that names the columns, and bring them in one after the other."
)
ROOM = 16 * 1024
"""Bytes for what the form sends besides the lines."""


def add_routes(desk: Desk) -> None:
    right = Right.READERS
    desk.notices["subscribers_imported"] = "The subscribers of the file are added."
    desk.download("/subscribers.csv", "subscribers_csv", send, right=right)
    desk.form("/subscribers/import", "subscribers_import", show, bring_in, right=right)


def send(visit: Visit) -> Response:
    """Those people that the list would show. That somebody took them along is in the audit before the first byte."""
    looked_for = {name: asked(name) for name in FILTERS}
    visit.begin_anew()  # else what was read to let the member in would have to be as it was
    pages.begin_writing(visit.session)
    subscriber_export.note(visit.session, visit.page, looked_for, actor=visit.actor)
    batches = subscriber_export.batches(
        visit.page.id, first_in=visit.session, **narrowed(visit, looked_for)
    )
    first = next(batches)  # before the first byte is sent there is still a choice of answers
    body = subscriber_csv.stream(chain([first], apart(batches)))
    response = Response(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="subscribers.csv"'
    return response


def show(visit: Visit) -> str:
    return documents.subscribers_import(visit.room("subscribers"), visit.found)


def bring_in(visit: Visit) -> Done | None:
    typed = visit.sent
    usual = typed.get("state", "")
    if usual not in dict(documents.USUAL):
        raise Invalid.field("state", "Choose one of the list.")
    text = typed["text"] = _text(typed)
    with visit.outside():
        looked = subscriber_import.look(text, usual=SubscriptionState(usual))
    if "import" in typed and not looked.problems:
        subscriber_import.hold(visit.session, visit.page)
    plan = subscriber_import.plan(visit.session, visit.page, looked)
    visit.found = _check(plan)
    if plan.problems:
        raise Invalid.field("text", WRONG)
    if "import" not in typed:
        return None
    if typed.get("seen") != plan.mark:
        raise Conflict(OTHERWISE)
    subscriber_import.carry_out(visit.session, visit.page, plan, actor=visit.actor)
    return Done("subscribers", "subscribers_imported")


def _text(typed: reading.Typed) -> str:
    """What the file holds; without one, what was pasted.

    :raises Invalid: naming the field.
    """
    upload = request.files.get("file")
    data = b""
    if upload is not None:
        upload.stream.seek(0)  # a transaction that lost a race is run again
        data = upload.stream.read()
    if not data:
        text = reading.words(typed, "text")
        if not text.strip():
            raise Invalid.field("file", "Choose a file, or paste its lines below.")
        _check_size("text", text)
        return text
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid.field("file", "Is not UTF-8. Spreadsheets save it as “CSV UTF-8”.") from error
    if not is_storable(text):
        raise Invalid.field("file", "Has a character that cannot be kept: is it a CSV file?")
    text = _plain(text)
    _check_size("file", text)
    return text


def _plain(text: str) -> str:
    """*text* as it stands in a field of a form, whatever ends its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_size(field: str, text: str) -> None:
    """:raises Invalid: when the next press of a button could not send all of it."""
    plain = _plain(text)
    # Browsers end each line with two bytes.
    if len(plain.encode()) + plain.count("\n") > failures.MAX_BODY - ROOM:
        raise Invalid.field(field, TOO_LARGE)


def _check(plan: Plan) -> Check:
    counts = plan.counts
    return Check(
        added=_some(counts, documents.ADDED),
        left=_some(counts, documents.LEFT),
        problems=plan.problems,
        mark=plan.mark,
    )


def _some(counts: Counts, words: dict[str, str]) -> list[tuple[str, int]]:
    found: dict[str, Any] = vars(counts)
    return [(word, found[name]) for name, word in words.items() if found[name]]
