"""Incidents in the console: found, reported once, previewed without a trace, drafts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.console.conftest import Enter
from tests.console.member import EDITOR, VIEWER, Form, Member, forms_of
from tests.web.queries import Queries
from tests.web.site import Site

SCRIPT = '<script>alert("x")</script>'


def reported(site: Site) -> list[dict[str, Any]]:
    """All incidents of the page as the manage API tells them, newest first."""
    found: list[dict[str, Any]] = site.ask("GET", "/incidents").get_json()["items"]
    return found


def report_form(member: Member, query: str = "") -> Form:
    return member.form(f"/incidents/new{query}", "Publish")


def shown_again(html: str) -> Form:
    return next(form for form in forms_of(html) if "Publish" in form.words)


def subscribed(site: Site, count: int) -> None:
    for number in range(count):
        site.made("/subscriptions", channel="email", address=f"reader{number}@example.com")


def test_an_incident_is_reported(site: Site, enter: Enter) -> None:
    """Title, text, state and how each service is affected stand on the public page at once."""
    site.made("/components", name="API")
    site.made("/components", name="Billing")
    ann = enter(EDITOR)
    answer = ann.send(
        report_form(ann),
        title="Payments fail",
        body="Cards are **refused**.",
        status="identified",
        publish="yes",
        **{"components.billing": "major_outage"},
    )
    page = ann.follow(answer)
    assert "The incident is published." in page.text
    (incident,) = reported(site)
    assert (incident["title"], incident["status"]) == ("Payments fail", "identified")
    assert [(one["slug"], one["status"]) for one in incident["components"]] == [
        ("billing", "major_outage")
    ]
    public = site.get(f"/incidents/{incident['id']}").text
    assert "<strong>refused</strong>" in public
    assert f'href="/status/incidents/{incident["id"]}' in page.text


def test_publish_pressed_twice_opens_one_incident(site: Site, enter: Enter) -> None:
    """The form names the incident that it opens, so the second press leads to the same one and tells nobody again."""
    subscribed(site, 1)
    ann = enter(EDITOR)
    form = report_form(ann)
    first, second = (ann.send(form, title="Down", publish="yes") for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert len(reported(site)) == 1
    assert len(site.ask("GET", "/deliveries").get_json()["items"]) == 1


def test_publish_pressed_twice_at_once_opens_one_incident(site: Site, enter: Enter) -> None:
    """Also when both presses come at the same moment."""
    members = [enter(EDITOR) for _ in range(2)]
    forms = [report_form(member) for member in members]
    forms[1].fields["id"] = forms[0].fields["id"]
    together = Barrier(2)

    def publish(number: int) -> int:
        together.wait()
        return members[number].send(forms[number], title="Down").status_code

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(publish, range(2))) == [303, 303]
    assert len(reported(site)) == 1


def test_a_used_form_that_says_something_else_is_not_lost(site: Site, enter: Enter) -> None:
    """Back, another title, Publish: that is refused with the text kept, and the next press opens a second one."""
    ann = enter(EDITOR)
    form = report_form(ann)
    assert ann.send(form, title="Down").status_code == 303
    answer = ann.send(form, title="Search is down", body="Other.")
    assert answer.status_code == 409
    assert "Down" in answer.text
    again = shown_again(answer.text)
    assert (again.fields["title"], again.fields["body"]) == ("Search is down", "Other.")
    assert len(reported(site)) == 1
    assert ann.send(again).status_code == 303
    assert [one["title"] for one in reported(site)] == ["Search is down", "Down"]


def test_a_preview_saves_nothing_and_counts(site: Site, enter: Enter) -> None:
    """The text is shown as readers will see it, with the exact count, and no row of the database is another one."""
    site.made("/components", name="API")
    subscribed(site, 3)
    ann = enter(EDITOR)
    form = report_form(ann)
    before = site.contents()
    answer = ann.send(
        form, title="Down", body="We **look**.", preview="yes", **{"components.api": "major_outage"}
    )
    assert answer.status_code == 200
    assert "3 by email" in answer.text
    assert "<strong>look</strong>" in answer.text
    assert "API: Operational → Major outage" in answer.text.replace("<bdi>", "").replace(
        "</bdi>", ""
    )
    assert site.contents() == before
    assert ann.send(shown_again(answer.text)).status_code == 303
    assert reported(site)[0]["updates"][0]["body"] == "We **look**."
    assert len(site.ask("GET", "/deliveries").get_json()["items"]) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"notify": None}, "is not ticked"),
        ({"started_at": "2026-01-01T10:00"}, "something of the past"),
    ],
    ids=["not ticked", "backdated"],
)
def test_a_preview_says_why_nobody_is_told(
    site: Site, enter: Enter, changes: dict[str, Any], words: str
) -> None:
    """The preview tells the truth: what it says of the notices is what happens."""
    subscribed(site, 1)
    ann = enter(EDITOR)
    form = report_form(ann)
    shown = ann.send(form, title="Down", preview="yes", **changes).text
    assert "Nobody will be told" in shown
    assert words in shown
    assert ann.send(form, title="Down", **changes).status_code == 303
    assert site.ask("GET", "/deliveries").get_json()["items"] == []


def test_an_incident_is_backdated_by_the_pages_clock(site: Site, enter: Enter) -> None:
    """Times are read by the clock of the page, which stands beside the field."""
    (page,) = site.ask("GET", "/pages").get_json()["items"]
    assert (
        site.ask("PATCH", f"/pages/{page['id']}", {"time_zone": "Europe/Berlin"}).status_code == 200
    )
    ann = enter(EDITOR)
    assert "Began (Europe/Berlin)" in ann.get("/incidents/new").text
    ann.send(
        report_form(ann),
        title="Mails were late",
        status="resolved",
        started_at="2026-01-05T10:00",
        resolved_at="2026-01-05T11:30",
    )
    (incident,) = reported(site)
    assert incident["started_at"] == "2026-01-05T09:00:00+00:00"
    assert incident["resolved_at"] == "2026-01-05T10:30:00+00:00"


def test_what_is_wrong_is_named_at_its_field(site: Site, enter: Enter) -> None:
    """All wrong fields are named at once, and what was typed stands in them."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    answer = ann.send(
        report_form(ann),
        title=" ",
        body="Long text",
        next_update_due="tomorrow",
        **{"components.api": "on fire"},
    )
    assert answer.status_code == 422
    for field in ("title", "next_update_due", "components.api"):
        assert f'href="#f-{field}"' in answer.text
        assert f'id="f-{field}"' in answer.text
    assert "API: Choose one of the list." in answer.text  # by the label, which says the service
    assert ">\nLong text</textarea>" in answer.text
    assert reported(site) == []


def test_hostile_values_are_refused(site: Site, enter: Enter) -> None:
    """Nothing that is typed breaks the page or is saved by halves."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = report_form(ann)
    for field in ("title", "body", "status", "components.api", "id", "started_at"):
        for value in ("\x00", "x" * 10_001):
            answer = ann.send(form, **{"title": "Down", field: value})
            assert answer.status_code in (409, 422), (field, value[:9])
    assert reported(site) == []


def test_fields_that_the_form_does_not_have_change_nothing(site: Site, enter: Enter) -> None:
    """Nobody sets what the form does not offer."""
    ann = enter(EDITOR)
    ann.send(
        report_form(ann), title="Down", automatic="yes", page="other", monitor="x", actor="mallory"
    )
    (incident,) = reported(site)
    assert incident["automatic"] is False
    assert "mallory" not in ann.get(f"/incidents/{incident['id']}").text


def test_text_of_people_is_never_markup(site: Site, enter: Enter) -> None:
    """A script in a title, a text, a service's or a group's name stays text on every page."""
    group = site.made("/component-groups", name=SCRIPT)
    site.made("/components", name=SCRIPT, slug="api", group=group["id"])
    site.made("/monitors", name=SCRIPT, kind="heartbeat", component="api", interval=60)
    ann = enter(EDITOR)
    ann.send(report_form(ann), title=SCRIPT, body=SCRIPT, **{"components.api": "major_outage"})
    (incident,) = reported(site)
    one = f"/incidents/{incident['id']}"
    update = incident["updates"][0]["id"]
    paths = ["/incidents?state=all", f"/incidents?q={SCRIPT}", "/incidents/new", one]
    paths += [f"{one}/{step}" for step in ("resolve", "reopen", "edit", "delete", "publish")]
    paths.append(f"{one}/updates/{update}")
    for path in paths:
        answer = ann.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert "alert(" in answer.text, path


def test_a_draft_is_published_later(site: Site, enter: Enter) -> None:
    """A draft is no news to anybody before it is published; then it is one, once."""
    site.made("/components", name="API")
    subscribed(site, 2)
    ann = enter(EDITOR)
    answer = ann.send(
        report_form(ann), title="Down", draft="yes", **{"components.api": "major_outage"}
    )
    page = ann.follow(answer)
    assert "Only members see it" in page.text
    (incident,) = reported(site)
    assert site.get(f"/incidents/{incident['id']}").status_code == 404
    assert site.ask("GET", "/components/api").get_json()["status"] == "operational"
    path = f"/incidents/{incident['id']}/publish"
    assert "2 by email" in ann.get(path).text
    form = ann.form(path, "Publish")
    assert [ann.send(form).status_code for _ in range(2)] == [303, 303]
    assert site.get(f"/incidents/{incident['id']}").status_code == 200
    assert site.ask("GET", "/components/api").get_json()["status"] == "major_outage"
    assert len(site.ask("GET", "/deliveries").get_json()["items"]) == 2


def test_the_list_finds(site: Site, enter: Enter) -> None:
    """Open ones first of all; by state, service and words in titles and updates."""
    site.made("/components", name="API")
    site.made("/components", name="Billing")
    site.made("/incidents", title="Payments fail", components=["billing"], body="A disk is FULL.")
    site.made("/incidents", title="Search is 100% slow", components=["api"], visibility="draft")
    site.made("/incidents", title="Mails were late", status="resolved")
    ann = enter(VIEWER)

    def found(query: str) -> set[str]:
        html = ann.get(f"/incidents{query}").text
        titles = ("Payments fail", "Search is 100% slow", "Mails were late")
        return {title for title in titles if f"<bdi>{title}</bdi>" in html}

    payments, search, mails = "Payments fail", "Search is 100% slow", "Mails were late"
    assert found("") == {payments, search}
    assert found("?state=all") == {payments, search, mails}
    assert found("?state=draft") == {search}
    assert found("?state=all&component=billing") == {payments}
    assert found("?state=all&q=disk+is+full") == {payments}
    assert found("?state=all&q=100%25") == {search}
    assert found("?state=all&q=_") == set()
    assert found("?component=nothing&q=%00&page=%EF%BC%91") == set()
    assert "Report an incident" not in ann.get("/incidents").text


def test_long_lists_have_pages(site: Site, enter: Enter) -> None:
    """25 incidents a page, and the way on keeps what was looked for."""
    for number in range(26):
        site.made("/incidents", title=f"Number {number:02}.", status="resolved")
    ann = enter(VIEWER)
    first = ann.get("/incidents?state=all&q=Number").text
    assert first.count("<bdi>Number") == 25
    assert "state=all&amp;q=Number&amp;page=2" in first
    second = ann.get("/incidents?state=all&q=Number&page=2").text
    assert second.count("<bdi>Number") == 1
    assert "Next" not in second


def test_the_list_asks_as_much_for_many_as_for_few(site: Site, enter: Enter) -> None:
    """No query of its own for any incident."""
    site.made("/components", name="API")
    ann = enter(VIEWER)

    def asked() -> int:
        with Queries(site) as queries:
            assert ann.get("/incidents").status_code == 200
        return len(queries.sent)

    site.made("/incidents", title="One", components=["api"])
    ann.get("/incidents")
    few = asked()
    for number in range(10):
        site.made("/incidents", title=f"More {number}", components=["api"])
    assert asked() == few


def test_the_form_comes_from_a_template(site: Site, enter: Enter) -> None:
    """Choose, load, publish: what the template says stands in the form, by the page's own words."""
    site.made("/components", name="Billing")
    made = site.made(
        "/templates",
        kind="incident",
        name="Payments",
        title="Payments by {{ what }} fail",
        body="{{ components }} refuses {{ what }}.",
        impact="major",
        status="identified",
        components=["billing"],
        placeholders={"what": "card"},
    )
    ann = enter(EDITOR)
    page = ann.get("/incidents/new").text
    assert f'<option value="{made["id"]}">Payments</option>' in page
    assert ann.send(report_form(ann, f"?template={made['id']}"), publish="yes").status_code == 303
    (incident,) = reported(site)
    assert incident["title"] == "Payments by card fail"
    assert incident["updates"][0]["body"] == "Billing refuses card."
    assert (incident["impact"], incident["status"]) == ("major", "identified")
    assert incident["components"][0]["status"] == "partial_outage"


def test_a_template_asks_for_what_it_lacks(site: Site, enter: Enter) -> None:
    """A placeholder without a default is asked for before anything is filled in."""
    title = "Outage in {{ region }}"
    made = site.made(
        "/templates", kind="incident", name="R", title=title, placeholders={"region": None}
    )
    ann = enter(EDITOR)
    query = f"?template={made['id']}"
    page = ann.get(f"/incidents/new{query}").text
    assert 'name="values.region"' in page
    assert report_form(ann, query).fields["title"] == ""
    filled = report_form(ann, f"{query}&values.region=Mars&values.other=x&values.title=y")
    assert filled.fields["title"] == "Outage in Mars"
    answer = ann.get(f"/incidents/new{query}&values.region={'x' * 2001}")
    assert "At most 2000 characters." in answer.text


@pytest.mark.parametrize("ident", ["nothing", "\x00", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_template_is_not_found(site: Site, enter: Enter, ident: str) -> None:
    """What is no template of this page is 404, whatever it is."""
    query = {"template": ident}
    assert enter(EDITOR).get("/incidents/new", query_string=query).status_code == 404
