"""Services and groups: made, changed, moved, taken off the page and put back."""

from __future__ import annotations

import re
from typing import Any

from tests.console.conftest import Enter
from tests.console.member import EDITOR, VIEWER, forms_of
from tests.web.queries import Queries
from tests.web.site import Site


def listed(site: Site) -> list[tuple[str | None, str]]:
    items = site.ask("GET", "/components").get_json()["items"]
    return [(item["group"], item["slug"]) for item in items]


def component(site: Site, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = site.ask("GET", f"/components/{slug}").get_json()
    return found


def test_a_service_is_made_and_changed(site: Site, enter: Enter) -> None:
    """What the form says is what the page has."""
    group = site.made("/component-groups", name="Portal")
    ann = enter(EDITOR)
    form = ann.form("/services/new", "Make the service")
    page = ann.follow(ann.send(form, name="Check <out>", description="Paying", group=group["id"]))
    assert "The service is on the page." in page.text
    assert "Check &lt;out&gt;" in page.text
    made = component(site, "check-out")
    assert (made["group"], made["description"], made["showcase"]) == ("Portal", "Paying", True)
    form = ann.form(f"/services/{made['id']}", "Save")
    assert form.fields["name"] == "Check <out>"
    assert ann.send(form, name="Checkout", group="", showcase=None).status_code == 303
    made = component(site, "check-out")
    assert (made["name"], made["group"], made["showcase"]) == ("Checkout", None, False)


def test_a_wrong_field_is_named_and_nothing_is_lost(site: Site, enter: Enter) -> None:
    """The form comes back with what was typed, and says which field is wrong."""
    ann = enter(EDITOR)
    form = ann.form("/services/new", "Make the service")
    answer = ann.send(form, name="", description="kept", start_date="1980-01-01")
    assert answer.status_code == 422
    assert 'href="#f-name"' in answer.text
    assert ">\nkept</textarea>" in answer.text
    assert listed(site) == []


def test_fields_that_the_form_does_not_have_count_for_nothing(site: Site, enter: Enter) -> None:
    """Nobody sets a status, an origin or a page by adding a field."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form("/services/api", "Save")
    before = component(site, "api")
    sent = ann.send(form, status="major_outage", origin="x", page_id="y", archived_at="2020-01-01")
    assert sent.status_code == 303
    assert component(site, "api") == before


def test_two_members_change_the_same_service(site: Site, enter: Enter) -> None:
    """The second one is shown both texts and nothing is overwritten; pressing again saves theirs."""
    site.made("/components", name="API")
    ann, bob = enter(EDITOR), enter(EDITOR)
    first, second = ann.form("/services/api", "Save"), bob.form("/services/api", "Save")
    assert ann.send(first, description="of Ann").status_code == 303
    answer = bob.send(second, description="of Bob")
    assert answer.status_code == 409
    assert "description is “of Ann” now" in answer.text
    assert ">\nof Bob</textarea>" in answer.text
    assert component(site, "api")["description"] == "of Ann"

    again = next(form for form in forms_of(answer.text) if "Save" in form.words)
    assert bob.send(again).status_code == 303
    assert component(site, "api")["description"] == "of Bob"


def test_services_and_groups_are_moved_by_buttons(site: Site, enter: Enter) -> None:
    """Each press is one place, within the group; at an end there is no button."""
    for name in ("One", "Two"):
        group = site.made("/component-groups", name=name)
        for letter in "AB":
            site.made("/components", name=f"{name} {letter}", group=group["id"])
    ann = enter(EDITOR)
    assert ann.send(ann.form("/services", "Move One A down")).status_code == 303
    assert ann.send(ann.form("/services", "Move the group Two up")).status_code == 303
    assert listed(site) == [
        ("Two", "two-a"),
        ("Two", "two-b"),
        ("One", "one-b"),
        ("One", "one-a"),
    ]
    words = " ".join(form.words for form in ann.forms("/services"))
    assert "Move One A down" not in words
    assert "Move the group Two up" not in words


def test_a_service_leaves_and_comes_back(site: Site, enter: Enter) -> None:
    """One with a past is archived and put back; one that an incident is about stays, and the page says why."""
    site.made("/components", name="API")
    incident = site.made("/incidents", title="Fails", components=["api"])
    ann = enter(EDITOR)
    answer = ann.send(ann.form("/services/api", "Remove this service"))
    assert answer.status_code == 409
    assert "The open incident &#39;Fails&#39; is about" in answer.text
    site.ask("POST", f"/incidents/{incident['id']}/resolve")
    assert ann.send(ann.form("/services/api", "Remove this service")).status_code == 303
    assert listed(site) == []
    assert ann.send(ann.form("/services", "Put back")).status_code == 303
    assert listed(site) == [(None, "api")]


def test_what_leaves_the_page_says_first_what_becomes_of_it(site: Site, enter: Enter) -> None:
    """The button stands in a box that is closed, with whether the service can come back."""
    for name in ("Fresh", "Old"):
        site.made("/components", name=name)
    site.made("/component-groups", name="Portal")
    incident = site.made("/incidents", title="Fails", components=["old"])
    site.made(f"/incidents/{incident['id']}/resolve")
    ann = enter(EDITOR)
    for path, button, words in (
        ("/services/fresh", "Remove this service", "it is deleted for good: it cannot come back"),
        ("/services/old", "Remove this service", "it is archived"),
        ("/groups/Portal", "Delete this group", "Its services stay"),
    ):
        html = ann.get(path).text
        (box,) = re.findall(r"<details class=\"sp-box\">\s*<summary>.*?</details>", html, re.S)
        assert button in box
        assert words in box
        assert html.count(button) == 1


def test_a_group_is_made_changed_and_deleted(site: Site, enter: Enter) -> None:
    """Its services stay when it goes."""
    ann = enter(EDITOR)
    assert ann.send(ann.form("/groups/new", "Make the group"), name="Portal").status_code == 303
    site.made("/components", name="API", group="Portal")
    assert ann.send(ann.form("/groups/Portal", "Save"), name="Shop").status_code == 303
    assert listed(site) == [("Shop", "api")]
    assert ann.send(ann.form("/groups/Shop", "Delete this group")).status_code == 303
    assert listed(site) == [(None, "api")]


def test_things_of_another_page_are_not_there(site: Site, enter: Enter) -> None:
    """A service is changed under its own status page only."""
    site.made("/pages", name="Other", slug="other")
    made = site.made("/components", name="API")
    ann = enter(EDITOR)
    for path in (f"/services/{made['id']}", f"/services/{made['id']}/remove"):
        answer = ann.post(path, {"name": "Taken", "status_page": "other"})
        assert answer.status_code == 404
    assert component(site, "api")["name"] == "API"
    page = ann.get("/services?status_page=other")
    assert "status_page=other" in page.text


def test_a_viewer_sees_no_buttons(site: Site, enter: Enter) -> None:
    """Who may only see is offered nothing to press."""
    site.made("/components", name="API")
    vic = enter(VIEWER)
    assert "API" in vic.get("/services").text
    assert vic.forms("/services") == []


def test_the_list_asks_the_same_however_long_it_is(site: Site, enter: Enter) -> None:
    """A hundred services cost no more queries than one."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    with Queries(site) as few:
        ann.get("/services")
    group = site.made("/component-groups", name="Many")
    for number in range(30):
        site.made("/components", name=f"S{number}", group=group["id"])
    with Queries(site) as many:
        ann.get("/services")
    assert len(many.sent) == len(few.sent)


def test_boxes_that_somebody_else_ticked_are_not_emptied(site: Site, enter: Enter) -> None:
    """A form that was open meanwhile is refused; what was ticked in between stays."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form("/services/api", "Save")
    site.ask("PATCH", "/components/api", {"only_show_if_degraded": True})
    answer = ann.send(form, name="The API")
    assert answer.status_code == 409
    assert "only show if degraded is “yes” now" in answer.text
    assert component(site, "api")["only_show_if_degraded"] is True
    assert component(site, "api")["name"] == "API"
