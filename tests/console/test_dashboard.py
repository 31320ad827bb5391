"""The dashboard: what is open, who hears of it, how services are, and saying that they are otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from flask_statuspage.domain.status import Source
from flask_statuspage.storage.components import Condition
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.team import AuditEntry
from tests.console import member
from tests.console.conftest import Enter
from tests.console.counting import queries
from tests.console.member import ADMIN, EDITOR, OWNER, VIEWER, Member, forms_of
from tests.web.site import Site, SiteMaker

LISTS = ("/", "/incidents", "/maintenance")


def window(begins: datetime, ends: datetime) -> dict[str, str]:
    return {"scheduled_start": begins.isoformat(), "scheduled_end": ends.isoformat()}


def status(site: Site, slug: str) -> str:
    answer = site.ask("GET", f"/components/{slug}")
    return str(answer.get_json()["status"])


def said(site: Site) -> list[Any]:
    """What people say of services."""
    return [
        Said(row.status, row.note, row.until and row.until.replace(microsecond=0))
        for row in site.rows(Condition)
        if row.source is Source.MANUAL
    ]


class Said(NamedTuple):
    status: str
    note: str
    until: datetime | None


def test_a_status_is_changed_and_taken_back(site: Site, enter: Enter) -> None:
    """A new status counts at once, and one button takes it back."""
    site.made("/components", name="API")
    site.made("/components", name="Billing")
    ann = enter(EDITOR)
    form = ann.form("/", "Save status changes")
    page = ann.follow(ann.send(form, **{"status.api": "partial_outage"}))
    assert "The status changes are saved." in page.text
    assert (status(site, "api"), status(site, "billing")) == ("partial_outage", "operational")
    undo = next(form for form in forms_of(page.text) if "Undo" in form.words)
    assert ann.send(undo).status_code == 303
    assert status(site, "api") == "operational"
    assert site.ask("GET", "/components/api").get_json()["sources"] == []


def test_taking_back_leaves_no_word_of_ones_own(site: Site, enter: Enter) -> None:
    """What an incident said before is not said by the member afterwards: it ends with the incident."""
    site.made("/components", name="API")
    incident = site.made("/incidents", title="Fails", components={"api": "partial_outage"})
    ann = enter(EDITOR)
    page = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": "major_outage"}))
    undo = next(form for form in forms_of(page.text) if "Undo" in form.words)
    assert ann.send(undo).status_code == 303
    assert status(site, "api") == "partial_outage"
    site.ask("POST", f"/incidents/{incident['id']}/resolve")
    assert status(site, "api") == "operational"


def test_taking_back_restores_what_was_said(site: Site, enter: Enter) -> None:
    """An earlier word of a member counts again; a change that came in between is not written over."""
    site.made("/components", name="API")
    ann, bob = enter(EDITOR), enter(EDITOR)
    ann.send(ann.form("/", "Save"), **{"status.api": "degraded_performance"})
    page = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": "major_outage"}))
    undo = next(form for form in forms_of(page.text) if "Undo" in form.words)
    bob.send(bob.form("/", "Save"), **{"status.api": "partial_outage"})
    assert ann.send(undo).status_code == 409
    assert status(site, "api") == "partial_outage"
    again = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": "major_outage"}))
    undo = next(form for form in forms_of(again.text) if "Undo" in form.words)
    assert ann.send(undo).status_code == 303
    assert status(site, "api") == "partial_outage"


@pytest.mark.parametrize("taken", ["major_outage", "follow"])
def test_taking_back_restores_note_and_end(site: Site, enter: Enter, taken: str) -> None:
    """An earlier word comes back with its note and its end, whatever took its place."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    words = {"status.api": "degraded_performance", "note": "Slow <disk>", "hours": "4"}
    ann.send(ann.form("/", "Save"), **words)
    before = said(site)
    assert before[0].until is not None
    page = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": taken, "note": "x"}))
    assert said(site) != before
    assert "Slow" not in page.request.url
    undo = next(form for form in forms_of(page.text) if "Undo" in form.words)
    assert ann.send(undo).status_code == 303
    assert said(site) == before
    assert ann.send(undo).status_code == 409, "it was taken back already"
    assert said(site) == before


def test_an_earlier_word_that_has_ended_stays_so(site: Site, enter: Enter) -> None:
    """Its end came while another word stood in its place: monitors and incidents decide alone."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    words = {"status.api": "degraded_performance", "hours": "1"}
    ann.send(ann.form("/", "Save"), **words)
    page = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": "major_outage"}))
    with site.app.app_context():
        session = current_session()
        for entry in session.scalars(select(AuditEntry).where(AuditEntry.action == "set_status")):
            if entry.before and entry.before.get("until"):
                entry.before = {**entry.before, "until": "2026-01-01T00:00:00+00:00"}
        session.commit()
    undo = next(form for form in forms_of(page.text) if "Undo" in form.words)
    assert ann.send(undo).status_code == 303
    assert said(site) == []
    assert status(site, "api") == "operational"


def test_nobody_takes_back_what_another_said(site: Site, enter: Enter) -> None:
    """Entries of others, of other things and of nothing take nothing back, in a link or in a form."""
    site.made("/components", name="API")
    site.made("/components", name="Billing")
    ann, bob = enter(EDITOR), enter(ADMIN)
    page = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": "major_outage"}))
    undo = next(form for form in forms_of(page.text) if "Undo" in form.words)
    before = site.contents()
    assert bob.post("/", dict(undo.fields) | {"csrf_token": bob.token()}).status_code == 409
    entry = undo.fields["entry.api"]
    for forged in ({"entry.billing": entry}, {"entry.api": "999999"}):
        assert ann.post("/", {"undo": "yes", **forged}).status_code == 409
    for forged in ({}, {"entry.api": "x"}, {"entry.api": "9" * 40}, {"entry.api": "-1"}):
        assert ann.post("/", {"undo": "yes", **forged}).status_code == 422
    assert site.contents() == before


@pytest.mark.parametrize("hours", ["9999999999", "-1", "2", "x"])
def test_how_long_is_one_of_the_list(site: Site, enter: Enter, hours: str) -> None:
    """Anything else is named, and nothing is saved."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    answer = ann.send(ann.form("/", "Save"), **{"status.api": "major_outage", "hours": hours})
    assert answer.status_code == 422
    assert 'href="#f-hours"' in answer.text
    assert status(site, "api") == "operational"


def test_who_saw_another_status_changes_nothing(site: Site, enter: Enter) -> None:
    """Two members open the page; the second one to save learns what the first one said."""
    site.made("/components", name="API")
    ann, bob = enter(EDITOR), enter(EDITOR)
    first, second = ann.form("/", "Save"), bob.form("/", "Save")
    assert ann.send(first, **{"status.api": "major_outage"}).status_code == 303
    answer = bob.send(second, **{"status.api": "degraded_performance", "note": "slow"})
    assert answer.status_code == 409
    assert "API is major outage by now" in answer.text
    assert 'value="slow"' in answer.text
    assert status(site, "api") == "major_outage"


def test_a_viewer_only_looks(site: Site, enter: Enter) -> None:
    """Who may only see is refused, and nothing is changed."""
    site.made("/components", name="API")
    vic = enter(VIEWER)
    answer = vic.post("/", {"status.api": "major_outage"})
    assert answer.status_code == 403
    assert status(site, "api") == "operational"


def test_a_sign_in_that_ended_keeps_what_was_typed(site: Site, enter: Enter) -> None:
    """The text comes back after signing in again; nothing is done before it was looked at."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form("/", "Save")
    ann.who = None
    answer = ann.send(form, **{"status.api": "major_outage", "note": "Disk <full>"})
    assert answer.status_code == 401
    assert "Disk <full>" not in answer.text
    assert "Disk &lt;full&gt;" in answer.text
    (again,) = forms_of(answer.text)
    ann.who = EDITOR
    shown = ann.send(again)
    assert shown.status_code == 400
    assert status(site, "api") == "operational"
    kept = next(one for one in forms_of(shown.text) if "Save" in one.words)
    assert kept.fields["note"] == "Disk <full>"
    assert kept.fields["status.api"] == "major_outage"
    assert ann.send(kept).status_code == 303
    assert status(site, "api") == "major_outage"


def test_what_goes_on_is_listed_with_what_can_be_done(site: Site, enter: Enter) -> None:
    """Open incidents and near maintenance stand there with ways to tell and to end them; else nothing."""
    site.made("/components", name="API")
    begins, ends = (datetime.now(UTC) + timedelta(days=day) for day in (2, 3))
    far = datetime.now(UTC) + timedelta(days=20)
    down = site.made("/incidents", title="Down <now>", components=["api"], body="x")
    site.made("/incidents", title="Over", status="resolved", body="x")
    near = site.made("/maintenances", title="Disks", **window(begins, ends))
    site.made("/maintenances", title="Far away", **window(far, far + timedelta(hours=1)))
    runs = site.made("/maintenances", title="Cables", scheduled_end=ends.isoformat())
    page = enter(EDITOR).get("/").text
    for path in (
        f"incidents/{down['id']}#update",
        f"incidents/{down['id']}/resolve",
        f"maintenance/{near['id']}/start",
        f"maintenance/{runs['id']}#update",
        f"maintenance/{runs['id']}/complete",
        "incidents/new",
        "maintenance/new",
    ):
        assert f'href="/status/admin/{path}"' in page, path
    assert "Down &lt;now&gt;" in page
    assert "Over" not in page
    assert "Far away" not in page
    seen = enter(VIEWER).get("/").text
    assert "Disks" in seen
    assert not [
        words for words in ("Resolve", "Complete", "Report an", "Schedule maint") if words in seen
    ]


def test_tiles_count_all_that_there_is(site: Site, enter: Enter) -> None:
    """The numbers are exact, also where fewer are listed, and lead to their lists."""
    for number in range(21):
        site.made("/incidents", title=f"Down {number}", body="x")
    site.made("/subscriptions", channel="email", address="reader@example.com")
    page = enter(EDITOR).get("/").text
    assert page.count(">Resolve<") == 20
    tiles = dict(re.findall(r"<dt>(?:<a[^>]*>)?([^<]+)(?:</a>)?</dt>\s*<dd>(\d+)", page))
    assert tiles["Open incidents"] == "21"
    assert tiles["Maintenance within 7 days"] == "0"
    assert tiles["Subscribers"] == "1"
    assert "+1 in 7 days" in page
    assert "There are more" in page
    assert '<dt><a href="/status/admin/incidents">Open incidents</a></dt>' in page


def test_subscribers_who_went_are_told(site: Site, enter: Enter) -> None:
    """The trend has who came and who went within seven days, but nobody who did both."""
    made = [
        site.made("/subscriptions", channel="email", address=f"{name}@example.com")
        for name in ("ann", "bob", "cleo")
    ]
    ids = [one["id"] for one in made]
    with site.app.app_context():
        session, now = current_session(), datetime.now(UTC)
        for row in session.scalars(select(Subscription)):
            if str(row.id) == ids[0]:
                row.confirmed_at = now - timedelta(days=30)
            if str(row.id) in ids[:2]:
                row.state = SubscriptionState.ENDED
        session.commit()
    assert "+1 \u22121 in 7 days" in enter(EDITOR).get("/").text


def test_an_outage_offers_an_incident(site: Site, enter: Enter) -> None:
    """After a service is set to an outage one link reports an incident of it, also by a template; else none does."""
    site.made("/components", name="API")
    site.made("/components", name="Billing")
    ann = enter(EDITOR)
    changes = {"status.api": "major_outage", "status.billing": "degraded_performance"}
    page = ann.follow(ann.send(ann.form("/", "Save status changes"), **changes))
    assert "Open an incident?" in page.text
    (way,) = set(re.findall(r'href="/status/admin(/incidents/new\?[^"]+)"', page.text))
    form = ann.form(unescape(way), "Publish")
    assert form.fields["components.api"] == "major_outage"
    assert form.fields["components.billing"] == ""
    site.made("/templates", kind="incident", name="Down", title="Down")
    assert '<input type="hidden" name="components" value="api">' in ann.get(unescape(way)).text
    calm = ann.follow(ann.send(ann.form("/", "Save"), **{"status.api": "degraded_performance"}))
    assert "Open an incident?" not in calm.text
    for forged in ("/?was=api:major_outage", "/?done=status&was=nothing:major_outage&was=%00"):
        assert "Open an incident?" not in ann.get(forged).text


def test_as_many_queries_for_much_as_for_little(site: Site, enter: Enter) -> None:
    """Whatever goes on, the database is asked as often."""
    site.made("/components", name="API", group=site.made("/component-groups", name="All")["id"])
    ann = enter(EDITOR)

    def more(numbers: range) -> None:
        for number in numbers:
            site.made("/incidents", title=f"Down {number}", components=["api"], body="x")
            begins = datetime.now(UTC) + timedelta(days=1, hours=number)
            times = window(begins, begins + timedelta(minutes=30))
            site.made("/maintenances", title=f"Disks {number}", components=["api"], **times)

    more(range(1))
    few = {path: queries(ann, path) for path in LISTS}
    more(range(1, 8))
    assert few == {path: queries(ann, path) for path in LISTS}


def test_on_every_database(migrated_site: SiteMaker, database_url: str) -> None:
    """Its figures are counted in words that each of them understands."""
    site = member.build(partial(migrated_site, database_url))
    site.made("/subscriptions", channel="email", address="ann@example.com")
    answer = Member(site, OWNER).get("/")
    assert answer.status_code == 200
    assert "Subscribers" in answer.text


def test_somebodys_word_is_not_written_over_unseen(site: Site, enter: Enter) -> None:
    """What is shown may be the same, and a person have said it meanwhile, with a reason: that is told first."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form("/", "Save status changes")
    path = "/components/api/status"
    said = {"status": "operational", "note": "It is fine, look at the probe."}
    assert site.ask("PUT", path, said).status_code == 200
    answer = ann.send(form, **{"status.api": "major_outage"})
    assert answer.status_code == 409
    assert "of API key owner says operational" in answer.text
    assert [row.note for row in site.rows(Condition)] == [said["note"]]
    again = next(one for one in forms_of(answer.text) if "Save status changes" in one.words)
    assert ann.send(again).status_code == 303
    assert site.ask("GET", "/components/api").get_json()["status"] == "major_outage"
    form = ann.form("/", "Save status changes")
    assert site.ask("PUT", path, {"status": None}).status_code == 200
    answer = ann.send(form, **{"status.api": "partial_outage", "was.api": "operational"})
    assert answer.status_code == 409
    assert "of API nobody says anything any more" in answer.text


@pytest.mark.parametrize("path", ["/", "/services"], ids=["dashboard", "services"])
def test_a_note_stands_beside_the_status(site: Site, enter: Enter, path: str) -> None:
    """Members see what was written with it, as text, until the word is taken back."""
    for name in ("API", "Billing"):
        site.made("/components", name=name)
    ann = enter(EDITOR)
    note = {"status.api": "degraded_performance", "note": "Slow <disk> & co"}
    assert ann.send(ann.form("/", "Save status changes"), **note).status_code == 303
    html = enter(VIEWER).get(path).text
    shown = '<bdi class="sp-found">Slow &lt;disk&gt; &amp; co</bdi>'
    assert html.count(shown) == 1
    assert html.index("<bdi>API</bdi>") < html.index(shown) < html.index("<bdi>Billing</bdi>")
    follow = {"status.api": "follow"}
    assert ann.send(ann.form("/", "Save status changes"), **follow).status_code == 303
    assert "Slow" not in enter(VIEWER).get(path).text


@pytest.mark.parametrize(
    ("drafts", "words"), [(0, ""), (1, "and 1 draft"), (2, "and 2 drafts")], ids=["none", "1", "2"]
)
def test_drafts_are_counted_apart(site: Site, enter: Enter, drafts: int, words: str) -> None:
    """The tile says how many incidents readers see; those that only members see stand beside it."""
    site.made("/incidents", title="Known")
    for number in range(drafts):
        site.made("/incidents", title=f"Draft {number}", visibility="draft")
    page = enter(VIEWER).get("/").text
    (tile,) = re.findall(r"Open incidents</a></dt>\s*<dd>(.*?)</dd>", page)
    assert re.sub(r"<[^>]+>", "", tile).strip() == f"1 {words}".strip()
