"""Subscribers out of the console as CSV, and in again: all or nothing, and nobody is brought back."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from flask_statuspage import signals
from flask_statuspage.documents.console.subscribers import PROBLEMS_SHOWN
from flask_statuspage.domain.opt_out import STOPPED
from flask_statuspage.domain.subscriber_lines import COLUMNS, MAX_LINES, MAX_PROBLEMS
from flask_statuspage.jobs import tasks
from flask_statuspage.services import subscriber_export, subscriber_import, subscriptions, wishes
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import migrate, suppressions
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_engine, current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState, digest, get
from flask_statuspage.storage.team import AuditEntry
from tests.console import member
from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, OWNER, Form, Member, forms_of
from tests.servers.smtp import SmtpServer
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

each_database = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql", "mariadb"], indirect=True
)

SMS = {
    "STATUSPAGE_SMS_ACCOUNT": "AC1",
    "STATUSPAGE_SMS_TOKEN": "a token",
    "STATUSPAGE_SMS_FROM": "+15005550006",
}


@pytest.fixture
def any_site(database_url: str, make_site: SiteMaker) -> Site:
    """A site with a member of each role on each kind of database."""
    with_tables: dict[str, Any] = {"migrated": None, "url": database_url, **SMS}

    def make(**options: Any) -> Site:
        site = make_site(**with_tables, **options)
        with site.app.app_context():
            migrate.upgrade(current_engine())
        return site

    return member.build(make)


def page_form(ann: Member) -> Form:
    return ann.form("/subscribers/import", "Check")


def check(ann: Member, text: str = "", *, file: bytes | None = None, **more: Any) -> TestResponse:
    """Press "Check" with a file or with pasted lines."""
    fields = page_form(ann).fields
    fields["text"] = text
    for name, value in {"check": "yes", **more}.items():
        fields[name] = value
    if file is not None:
        upload: Any = FileStorage(BytesIO(file), filename="readers.csv")
        fields.add("file", upload)
    # Made here: the test client would leave the temporary file of a large body open.
    boundary, body = encode_multipart(fields)
    return ann.open(
        "/status/admin/subscribers/import",
        "POST",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def bring_in(ann: Member, answer: TestResponse) -> TestResponse:
    """Press the button that adds them, below what was checked."""
    form = next(form for form in forms_of(answer.text) if "Check" in form.words)
    return ann.send(form, **{"import": "yes"})


def numbers(answer: TestResponse) -> dict[str, int]:
    """What the check says, by the words of :mod:`flask_statuspage.documents.console.subscribers`."""
    found = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", answer.text)
    return {words.partition(":")[0].partition(",")[0]: int(number) for words, number in found}


def rows(site: Site) -> list[tuple[Any, ...]]:
    """All subscriptions with what a line has of them."""
    with site.app.app_context():
        page_id = current_session().scalars(select(Subscription.page_id).distinct()).all()
        found = [
            (one.channel, one.address, one.services, one.language, one.state, one.events)
            for ident in page_id
            for batch in subscriber_export.batches(ident)
            for one in batch
        ]
    return sorted(found)


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def work(site: Site, do: Callable[[Any], object]) -> None:
    with site.app.app_context():
        do(current_session())
        current_session().commit()


def subscribed(site: Site, address: str, **more: Any) -> dict[str, Any]:
    return site.made("/subscriptions", channel="email", address=address, **more)


# Out


def test_the_download(site: Site, enter: Enter) -> None:
    """A line for each of the people the list would show, with their choices; others than people are left out."""
    for name in ("API", "Web"):
        site.made("/components", name=name)
    subscribed(site, "ann@example.com", components=["web", "api"], locale="de")
    subscribed(site, "bob@example.com", events=["incident.created", "incident.resolved"])
    answer = enter(ADMIN).get("/subscribers.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.text.startswith(f"{','.join(COLUMNS)}\r\n")
    ann, bob = lines_of(answer.text)
    assert list(ann.values()) == ["email", "ann@example.com", "api web", "de", "active", ""]
    assert bob["events"] == "incident.created incident.resolved"
    some = enter(ADMIN).get("/subscribers.csv?search=bob&state=active").text
    assert [one["address"] for one in lines_of(some)] == ["bob@example.com"]
    assert enter(EDITOR).get("/subscribers.csv").status_code == 403


def test_a_download_is_in_the_audit(site: Site, enter: Enter) -> None:
    """Who took the addresses along, and which; what was searched for may be an address, and is not kept."""
    subscribed(site, "ann@example.com")
    enter(EDITOR).get("/subscribers.csv")
    ann = enter(ADMIN)
    ann.get("/subscribers.csv?channel=email&search=ann@example.com", buffered=False).close()
    ann.get("/subscribers.csv")
    found = [row for row in site.rows(AuditEntry) if row.action == "export"]
    assert [(row.actor, row.subject, row.subject_id == row.page_id) for row in found] == [
        (ADMIN, "page", True)
    ] * 2
    assert [row.after for row in found] == [
        {"of": "subscribers", "channel": "email", "search": True},
        {"of": "subscribers"},
    ]
    assert "export page" in ann.get("/audit").text.lower()


def test_no_cell_is_a_formula(make_site: SiteMaker) -> None:
    """What looks like one gets an apostrophe, as in the public CSV: phone numbers, and mailboxes that begin so."""
    site = member.build(make_site, **SMS)
    for address in ("=cmd|x@example.com", "+1@example.com", "-x@example.com", "'=a@example.com"):
        subscribed(site, address)
    site.made("/subscriptions", channel="sms", address="+14155552671")
    found = [one["address"] for one in lines_of(Member(site, ADMIN).get("/subscribers.csv").text)]
    assert found == [
        "'=cmd|x@example.com",
        "'+1@example.com",
        "'-x@example.com",
        "''=a@example.com",
        "'+14155552671",
    ]


def test_a_long_download_is_read_in_batches(
    site: Site, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement more or so for each batch, none of them twice, nothing held in between."""
    monkeypatch.setattr(subscriber_export, "BATCH", 10)
    for number in range(25):
        subscribed(site, f"reader{number:02}@example.com")
    ann = enter(ADMIN)
    with Queries(site) as queries:
        answer = ann.get("/subscribers.csv", buffered=False)
        pieces = list(answer.response)
    found = lines_of(b"".join(bytes(piece) for piece in pieces).decode())  # type: ignore[arg-type]
    assert [one["address"] for one in found] == [f"reader{n:02}@example.com" for n in range(25)]
    assert len(pieces) == 4
    assert len([sent for sent in queries.sent if "LIMIT" in sent]) < 10


# In


@each_database
def test_what_goes_out_comes_in_again(any_site: Site) -> None:
    """The download, imported where nobody is, makes the same subscribers; imported where they are, it changes
    nothing."""
    site = any_site
    for name in ("API", "Web", "Old"):
        site.made("/components", name=name)
    subscribed(site, "ann@example.com", components=["web", "api"], locale="pt-BR")
    subscribed(site, "=bob@example.com", events=["incident.created"])
    subscribed(site, "eve@example.com", components=["old"])
    site.made("/subscriptions", channel="sms", address="+14155552671")
    site.post("/subscribe", json={"channel": "email", "address": "zoe@example.com"})
    site.ask("DELETE", "/components/old")
    ann = Member(site, ADMIN)
    file = ann.get("/subscribers.csv").data
    before = rows(site)
    assert len(before) == 5

    answer = check(ann, file=file)
    assert numbers(answer) == {"Are subscribed": 5}
    assert 'name="import"' not in answer.text
    contents = site.contents()
    assert bring_in(ann, answer).status_code == 303  # nobody is added by it
    assert site.contents() == contents

    def clear(session: Any) -> None:
        for row in session.scalars(select(Subscription.id)).all():
            subscriptions.remove(session, get(session, row), actor=None)  # type: ignore[arg-type]

    work(site, clear)
    assert rows(site) == []
    answer = check(ann, file=file)
    assert numbers(answer) == {"Active at once": 4, "Sent a confirmation": 1}
    assert rows(site) == []
    page = ann.follow(bring_in(ann, answer))
    assert "The subscribers of the file are added." in page.text
    assert rows(site) == before


@each_database
def test_nobody_is_brought_back(any_site: Site) -> None:
    """Whoever left, was switched off, bounced or said STOP stays so, and is counted; others of the file are added."""
    site = any_site
    ended = subscribed(site, "ended@example.com")
    off = subscribed(site, "off@example.com")
    subscribed(site, "known@example.com", locale="de")
    site.ask("POST", f"/subscriptions/{off['id']}/disable")

    def change(session: Any) -> None:
        for row in session.scalars(select(Subscription.id)).all():
            found = get(session, row)
            if str(row) == ended["id"]:
                subscriptions.unsubscribe(session, found)  # type: ignore[arg-type]
        for address, reason in {"gone": "No such mailbox.", "stop": STOPPED}.items():
            suppressions.add(session, "email", f"{address}@example.com", reason, utc_now())

    work(site, change)
    before = rows(site)
    names = ["ended", "off", "known", "Gone", "stop", "new", "NEW", "left", "left"]
    states = ["active"] * 7 + ["active", "ended"]
    text = "channel,address,state,language\n" + "".join(
        f"email,{name}@example.com,{state},fr\n" for name, state in zip(names, states, strict=True)
    )
    ann = Member(site, ADMIN)
    answer = check(ann, text)
    assert numbers(answer) == {
        "Active at once": 1,
        "Stand in the file more than once": 2,
        "Are subscribed": 1,
        "Have unsubscribed": 1,
        "Are switched off here": 1,
        "Bounced": 2,
        "Are disabled or ended by the file itself": 1,
    }
    assert rows(site) == before
    assert bring_in(ann, answer).status_code == 303
    new = ("email", "new@example.com", (), "fr", "active", ())
    assert rows(site) == sorted([*before, new])
    with site.app.app_context():
        assert suppressions.of(current_session(), "email", "stop@example.com") is not None


def test_every_line_is_told_and_none_is_written(site: Site, enter: Enter) -> None:
    """All problems, each with its line and column; the right lines are not added either."""
    site.made("/components", name="API")
    text = "\n".join(
        [
            "channel,address,services,language,state,events",
            "email,right@example.com,api,de,active,incident.created",
            "email,nobody,,,,",
            "fax,a@example.com,,,,",
            "email,b@example.com,api web,,,",
            "email,c@example.com,,gibberish!,maybe,",
            "email,d@example.com,,,,party",
            "email,e@example.com",
            "sms,+4917123456,,,,",
        ]
    )
    before = site.contents()
    ann = enter(ADMIN)
    answer = check(ann, text)
    assert answer.status_code == 422
    found = " ".join(answer.text.replace('<bdi class="sp-theirs">', "").split())
    for words in (
        "Line 3, address: This is not an email address",
        "Line 4, channel: &#39;fax&#39; is none of email, sms.",
        "Line 5, services: There is no service &#39;web&#39; on this page.",
        "Line 6, language: Must be a language",
        "Line 6, state: &#39;maybe&#39; is none of pending, active, disabled, ended.",
        "Line 7, events: There is no event &#39;party&#39;",
        "Line 8: Has 2 cells, the header has 6.",
        "Line 9, channel: sms is not available",
    ):
        assert words in found
    assert "Line 2" not in found
    assert 'name="import"' not in answer.text
    assert "right@example.com" in page_text(answer)
    again = next(form for form in forms_of(answer.text) if "Check" in form.words)
    assert ann.send(again, **{"import": "yes"}).status_code == 422
    assert site.contents() == before


def page_text(answer: TestResponse) -> str:
    """What stands in the field for lines."""
    return next(form for form in forms_of(answer.text) if "Check" in form.words).fields["text"]


@pytest.mark.parametrize(
    ("text", "file", "more", "field", "words"),
    [
        ("", None, {}, "file", "Choose a file, or paste its lines below."),
        (" \n", b"", {}, "file", "Choose a file"),
        ("", "channel,address\nemail,ä@x".encode("latin-1"), {}, "file", "Is not UTF-8"),
        ("", b"channel,address\nemail,\x00", {}, "file", "cannot be kept"),
        ("a", None, {"state": "ended"}, "state", "Choose one of the list."),
        ("a", None, {}, "text", "There are mistakes in it"),
    ],
    ids=["nothing", "empty", "latin", "nul", "state", "header"],
)
def test_what_is_no_file(
    site: Site,
    enter: Enter,
    text: str,
    file: bytes | None,
    more: dict[str, str],
    field: str,
    words: str,
) -> None:
    """It is named, and nothing is written."""
    before = site.contents()
    answer = check(enter(ADMIN), text, file=file, **more)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert f'id="f-{field}"' in answer.text
    assert site.contents() == before


def test_a_file_may_be_as_large_as_any_body(site: Site, enter: Enter) -> None:
    """A megabyte comes through, also when the form sends it back as text; more than two are refused with 413."""
    filler = "x" * 180
    file = "channel,address,events\n" + "".join(
        f"email,reader{n}@example.com,{filler}\n" for n in range(6000)
    )
    assert len(file) > 1_100_000
    ann = enter(ADMIN)
    answer = check(ann, file=file.encode())
    assert answer.status_code == 422
    assert "And more: it was read no further." in answer.text
    assert page_text(answer) == file
    assert check(ann, page_text(answer)).status_code == 422
    assert check(ann, file=b"x" * 2_100_000).status_code == 413


@pytest.mark.parametrize("is_pasted", [False, True], ids=["file", "pasted"])
def test_what_would_not_come_back_is_refused(site: Site, enter: Enter, is_pasted: bool) -> None:
    """A browser sends the checked lines with two bytes at each end. What passes fits, what does not is told how."""
    ann = enter(ADMIN)

    def sent(filler: int) -> TestResponse:
        text = "address\n" + "\n" * 100_000 + "x" * filler
        if is_pasted:
            return check(ann, text)
        return check(ann, file=text.encode())

    fits = sent(1_860_000)
    assert "Split it" not in fits.text
    form = next(form for form in forms_of(fits.text) if "Check" in form.words)
    assert check(ann, form.fields["text"].replace("\n", "\r\n")).status_code == 422
    refused = sent(1_900_000)
    assert refused.status_code == 422
    assert "Split it into several files" in refused.text
    assert f'href="#f-{"text" if is_pasted else "file"}"' in refused.text


def test_a_file_is_chosen_again_after_a_lost_session(site: Site, enter: Enter) -> None:
    """No page can send it once more, so the page that keeps the rest says so; without a file it does not."""
    nobody, form = enter(None), page_form(enter(ADMIN))
    words = "A chosen file is not kept. Choose it again"
    for upload in (FileStorage(BytesIO(b"a"), filename="readers.csv"), FileStorage(BytesIO(b""))):
        boundary, body = encode_multipart(
            MultiDict([*form.fields.items(multi=True), ("file", upload)])
        )
        kind = f"multipart/form-data; boundary={boundary}"
        answer = nobody.open(form.action, "POST", data=body, content_type=kind)
        assert answer.status_code == 401
        assert (words in answer.text) is bool(upload.filename)


def test_a_file_has_so_many_lines(site: Site, enter: Enter) -> None:
    """The limit stands on the page."""
    ann = enter(ADMIN)
    assert f"{MAX_LINES:,} lines" in ann.get("/subscribers/import").text
    file = "channel,address\n" + "email,a@example.com\n" * (MAX_LINES + 1)
    answer = check(ann, file=file.encode())
    assert answer.status_code == 422
    assert f"At most {MAX_LINES} subscribers at once" in answer.text


def test_what_was_not_checked_is_not_added(site: Site, enter: Enter) -> None:
    """Other lines, or other subscribers, than when it was checked: 409, and the next press adds what is told now."""
    ann = enter(ADMIN)
    answer = check(ann, "channel,address\nemail,a@example.com\nemail,b@example.com", state="active")
    subscribed(site, "a@example.com")
    answer = bring_in(ann, answer)
    assert answer.status_code == 409
    assert [one[1] for one in rows(site)] == ["a@example.com"]
    assert numbers(answer) == {"Active at once": 1, "Are subscribed": 1}
    form = next(form for form in forms_of(answer.text) if "Check" in form.words)
    more = {"import": "yes", "text": f"{form.fields['text']}\nemail,c@example.com"}
    answer = ann.send(form, **more)
    assert answer.status_code == 409
    assert bring_in(ann, answer).status_code == 303
    assert [one[1] for one in rows(site)] == ["a@example.com", "b@example.com", "c@example.com"]
    entries = [row for row in site.rows(AuditEntry) if row.action == "import"]
    assert {(row.actor, row.subject, row.after["state"]) for row in entries} == {
        (ADMIN, "subscription", "active")
    }
    assert len(entries) == 2
    assert "example.com" not in str([row.after for row in entries])


def test_pending_ones_are_asked(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Each gets the mail of a sign-up, whose link works; host code hears of those that are active at once."""
    site = member.build(make_site, STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
    heard: list[Any] = []

    def hear(app: Any, event: Any) -> None:
        heard.append(event.data["subscription"]["address"])

    with signals.BY_EVENT["subscription.confirmed"].connected_to(hear):
        ann = Member(site, ADMIN)
        answer = check(
            ann,
            "channel,address,state\nemail,a@example.com,\nemail,b@example.com,active\n"
            "email,c@example.com,pending",
        )
        assert numbers(answer) == {"Active at once": 1, "Sent a confirmation": 2}
        assert bring_in(ann, answer).status_code == 303
    assert heard == ["b@example.com"]
    with site.app.app_context():
        tasks.run("deliver")
    assert sorted(mail.envelope_to for mail in smtp.messages) == [
        ("a@example.com",),
        ("c@example.com",),
    ]
    for mail in smtp.messages:
        part = mail.get_body(("plain",))
        assert part is not None
        path = part.get_content().partition("/status/confirm/")[2].split()[0]
        assert site.post(f"/confirm/{path}").status_code in (200, 303)
    assert {one[4] for one in rows(site)} == {"active"}


@each_database
def test_many_lines(any_site: Site) -> None:
    """Five thousand are checked and added in a few statements, whole or not at all."""
    site = any_site
    site.made("/components", name="API")
    file = "channel,address,services,language,state\n" + "".join(
        f"email,reader{n}@example.com,{'api' if n % 2 else ''},de,{'active' if n % 5 else 'pending'}\n"
        for n in range(5000)
    )
    ann = Member(site, ADMIN)
    with Queries(site) as checking:
        answer = check(ann, file=file.encode())
    assert numbers(answer) == {"Active at once": 4000, "Sent a confirmation": 1000}
    with Queries(site) as adding:
        assert bring_in(ann, answer).status_code == 303
    assert len(checking.sent) < 60
    assert len(adding.sent) < 250
    found = rows(site)
    assert len(found) == 5000
    assert sum(one[2] == ("api",) for one in found) == 2500
    assert len(site.rows(Delivery)) == 1000
    assert len([row for row in site.rows(AuditEntry) if row.action == "import"]) == 5000


def test_nothing_is_held_while_lines_are_checked(
    site: Site, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes most of the time of an import, and neither readers' sign-ups nor incidents wait for it."""
    whole, held = wishes.checked, []

    def looked_on(wish: Wish) -> Wish:
        held.append(current_session().in_transaction())
        return whole(wish)

    monkeypatch.setattr(wishes, "checked", looked_on)
    text = "channel,address\n" + "".join(f"email,reader{n}@example.com\n" for n in range(3))
    ann = enter(ADMIN)
    assert bring_in(ann, check(ann, text)).status_code == 303
    assert held == [False] * 6
    assert len(rows(site)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "channel,address,services\n"
        + "".join(
            f"email,a{n}@x.example,{' '.join(f's{m}' for m in range(1000))}\n" for n in range(9)
        ),
        "channel,address\n" + "fax,a@x.example\n" * 1000,
        "channel,address\n" + "email\n" * 1000,
    ],
    ids=["services", "channels", "cells"],
)
def test_problems_are_told_up_to_a_number(site: Site, enter: Enter, text: str) -> None:
    """A file that is wrong all over is looked at until so much is found, and the page says so."""
    answer = check(enter(ADMIN), text)
    assert answer.status_code == 422
    assert "And more: it was read no further." in answer.text
    assert answer.text.count("<li>Line ") == PROBLEMS_SHOWN
    with site.app.app_context():
        page = default_page(current_session())
        looked = subscriber_import.look(text, usual=SubscriptionState.ACTIVE)
        found = subscriber_import.plan(current_session(), page, looked)
        assert len(found.problems) == MAX_PROBLEMS


@each_database
def test_half_of_it_is_nothing(any_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after some lines were written leaves none of them."""
    site = any_site
    text = "channel,address\n" + "".join(f"email,reader{n}@example.com\n" for n in range(1200))
    ann = Member(site, ADMIN)
    answer = check(ann, text, state="active")
    whole, rounds = subscriber_import._row, iter(range(10_000))

    def twice(page: Any, one: Any, actor: Any) -> Subscription:
        row = whole(page, one, actor)
        if next(rounds) == 1100:
            row.address_digest = digest_of_first
        return row

    digest_of_first = digest("reader0@example.com")
    monkeypatch.setattr(subscriber_import, "_row", twice)
    before = site.contents()
    refused = bring_in(ann, answer)
    assert refused.status_code == 409
    assert site.contents() == before


def test_two_pages_have_subscribers_of_their_own(site: Site, enter: Enter) -> None:
    """A file goes to the page whose form it was."""
    site.made("/pages", name="Other", slug="other")
    subscribed(site, "a@example.com")
    ann = enter(OWNER)
    form = ann.form("/subscribers/import?status_page=other", "Check")
    answer = ann.send(form, text="channel,address\nemail,a@example.com", state="active")
    assert numbers(answer) == {"Active at once": 1}
    assert bring_in(ann, answer).status_code == 303
    assert len({row.page_id for row in site.rows(Subscription)}) == 2
    assert {row.state for row in site.rows(Subscription)} == {SubscriptionState.ACTIVE}


def test_hostile_cells_are_text(site: Site, enter: Enter) -> None:
    """What a file holds is shown, never run."""
    script = "<script>alert(1)</script>"
    answer = check(enter(ADMIN), f"channel,address,services\n{script},</textarea>{script},{script}")
    assert answer.status_code == 422
    assert script not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "</textarea>" in page_text(answer)
