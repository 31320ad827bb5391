"""One incident in the console: updates, its end, mending; nothing that was told meanwhile is written over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, VIEWER, Form, forms_of
from tests.web.site import Site


@pytest.fixture
def incident(site: Site) -> dict[str, Any]:
    site.made("/components", name="API")
    site.made("/components", name="Billing")
    affected = {"api": "major_outage"}
    return site.made("/incidents", title="Down", body="We look.", components=affected)


def now(site: Site, incident: dict[str, Any]) -> Any:
    return site.ask("GET", f"/incidents/{incident['id']}").get_json()


def status(site: Site, slug: str) -> str:
    return str(site.ask("GET", f"/components/{slug}").get_json()["status"])


def at(incident: dict[str, Any], step: str = "") -> str:
    return f"/incidents/{incident['id']}{step}"


def form_in(html: str, words: str) -> Form:
    return next(form for form in forms_of(html) if words in form.words)


def test_an_update_is_posted(site: Site, enter: Enter, incident: dict[str, Any]) -> None:
    """State, text and services go on; what was not touched stays."""
    ann = enter(EDITOR)
    form = ann.form(at(incident), "Post update")
    assert form.fields["components.api"] == "major_outage"
    changes = {"components.billing": "degraded_performance"}
    page = ann.follow(ann.send(form, status="identified", body="A disk.", **changes))
    assert "The update is posted." in page.text
    assert "editor@acme.example" in page.text
    told = now(site, incident)
    assert told["status"] == "identified"
    assert told["updates"][0]["body"] == "A disk."
    assert {one["slug"]: one["status"] for one in told["components"]} == {
        "api": "major_outage",
        "billing": "degraded_performance",
    }


def test_of_two_updates_nothing_is_overwritten(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """The second one gets 409 with both texts, and may post once they have seen the first."""
    ann, bob = enter(EDITOR), enter(ADMIN)
    first, second = (who.form(at(incident), "Post update") for who in (ann, bob))
    assert ann.send(first, body="The disk is full.", status="identified").status_code == 303
    answer = bob.send(second, body="We still look.")
    assert answer.status_code == 409
    assert "The disk is full." in answer.text
    assert "What was changed meanwhile" in answer.text
    assert ">\nWe still look.</textarea>" in answer.text
    assert len(now(site, incident)["updates"]) == 2
    again = form_in(answer.text, "Post update")
    assert bob.send(again).status_code == 303
    bodies = [update["body"] for update in now(site, incident)["updates"]]
    assert bodies == ["We still look.", "The disk is full.", "We look."]


def test_what_nobody_touched_follows_the_other_member(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """The second press brings back neither the state nor the services that were shown before."""
    ann, bob = enter(EDITOR), enter(ADMIN)
    first, second = (who.form(at(incident), "Post update") for who in (ann, bob))
    changes = {"status": "monitoring", "components.api": "operational"}
    ann.send(first, body="Repaired.", next_update_due="2090-01-01T10:00", **changes)
    answer = bob.send(second, body="Thanks.", **{"components.billing": "degraded_performance"})
    assert answer.status_code == 409
    assert bob.send(form_in(answer.text, "Post update")).status_code == 303
    told = now(site, incident)
    assert (told["status"], told["updates"][0]["body"]) == ("monitoring", "Thanks.")
    assert told["next_update_due"] == "2090-01-01T10:00:00+00:00"
    assert {one["slug"]: one["status"] for one in told["components"]} == {
        "api": "operational",
        "billing": "degraded_performance",
    }


def test_a_text_for_an_incident_that_is_over_is_not_lost(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """Somebody resolved it meanwhile: there is no form any more, but the text is there."""
    ann = enter(EDITOR)
    form = ann.form(at(incident), "Post update")
    site.made(at(incident, "/resolve"))
    answer = ann.send(form, body="We still <look>.")
    assert answer.status_code == 409
    assert ">\nWe still &lt;look&gt;.</textarea>" in answer.text


@pytest.mark.parametrize(
    ("step", "words", "typed"),
    [
        ("", "Post update", {"body": "Mine"}),
        ("/resolve", "Resolve", {"body": "Mine"}),
        ("/edit", "Save", {"title": "Mine"}),
        ("/delete", "Delete for good", {"title": "Theirs"}),
        ("/updates/{update}", "Save", {"body": "Mine"}),
        ("/updates/{update}", "Delete the update", {}),
    ],
    ids=["update", "resolve", "edit", "delete", "mend", "take back"],
)
def test_whoever_saw_another_incident_changes_nothing(
    site: Site,
    enter: Enter,
    incident: dict[str, Any],
    step: str,
    words: str,
    typed: dict[str, str],
) -> None:
    """Whatever is done, a title that was changed meanwhile stops it: 409, and it is shown."""
    site.made(at(incident, "/updates"), body="More.")
    path = at(incident, step.format(update=incident["updates"][0]["id"]))
    bob = enter(ADMIN)
    form = bob.form(path, words)
    site.ask("PATCH", at(incident), {"title": "Theirs"})
    before = site.contents()
    answer = bob.send(form, **typed)
    assert answer.status_code == 409
    assert "<bdi>Theirs</bdi>" in answer.text
    assert all(value in answer.text for value in typed.values())
    assert site.contents() == before
    assert bob.send(form_in(answer.text, words)).status_code == 303


def test_an_update_sent_twice_is_told_once(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """A second press says nothing more and frightens nobody."""
    ann = enter(EDITOR)
    form = ann.form(at(incident), "Post update")
    changes = {"body": "A disk.", "components.api": "partial_outage"}
    assert [ann.send(form, **changes).status_code for _ in range(2)] == [303, 303]
    assert len(now(site, incident)["updates"]) == 2
    form = ann.form(at(incident, "/resolve"), "Resolve")
    assert [ann.send(form, body="Over.").status_code for _ in range(2)] == [303, 303]
    assert len(now(site, incident)["updates"]) == 3


def test_an_update_that_says_nothing_is_refused(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """No update is written, and nobody believes that one was."""
    ann = enter(EDITOR)
    answer = ann.send(ann.form(at(incident), "Post update"))
    assert answer.status_code == 422
    assert "nothing new" in answer.text
    assert len(now(site, incident)["updates"]) == 1


def test_a_preview_of_an_update_saves_nothing(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """What readers would see is shown with the count; the database stays as it was."""
    site.made("/subscriptions", channel="email", address="reader@example.com")
    ann = enter(EDITOR)
    for path, words in ((at(incident), "Post update"), (at(incident, "/resolve"), "Resolve")):
        form = ann.form(path, words)
        before = site.contents()
        answer = ann.send(form, body="It **works**.", preview="yes")
        assert answer.status_code == 200
        assert "1 by email" in answer.text
        assert "<strong>works</strong>" in answer.text
        assert site.contents() == before
        assert form_in(answer.text, words).fields["body"] == "It **works**."


def test_an_incident_ends_and_goes_on(site: Site, enter: Enter, incident: dict[str, Any]) -> None:
    """Resolved, its services work; then a postmortem; reopened, they are as they were before the end."""
    ann = enter(EDITOR)
    ann.send(ann.form(at(incident, "/resolve"), "Resolve"), body="Over.")
    assert now(site, incident)["status"] == "resolved"
    assert status(site, "api") == "operational"
    ann.send(ann.form(at(incident, "/postmortem"), "postmortem"), body="We learnt.")
    assert now(site, incident)["updates"][0]["status"] == "postmortem"
    form = ann.form(at(incident, "/reopen"), "Reopen")
    assert form.fields["components.api"] == "major_outage"
    page = ann.follow(ann.send(form, body="Not over.", status="identified"))
    assert "The incident is open again." in page.text
    assert (now(site, incident)["status"], status(site, "api")) == ("identified", "major_outage")


@pytest.mark.parametrize("freed", [True, False], ids=["freed", "kept"])
def test_what_was_set_by_hand_ends_if_wanted(
    site: Site, enter: Enter, incident: dict[str, Any], freed: bool
) -> None:
    """Resolving offers to set services to operational, too, that a member set by hand."""
    body = {"status": "partial_outage"}
    assert site.ask("PUT", "/components/api/status", body).status_code == 200
    ann = enter(EDITOR)
    assert "Partial outage" in ann.get(at(incident, "/resolve")).text
    form = ann.form(at(incident, "/resolve"), "Resolve")
    assert form.fields["freed"] == "yes"
    ann.send(form, freed="yes" if freed else None)
    assert now(site, incident)["status"] == "resolved"
    assert status(site, "api") == ("operational" if freed else "partial_outage")


def test_an_incident_is_mended(site: Site, enter: Enter, incident: dict[str, Any]) -> None:
    """Title, impact and monitor are changed in place; a time that nobody touched stays to the second."""
    site.made("/monitors", name="Ping", kind="heartbeat", component="api", interval=60)
    due = "2090-01-01T10:00:30+00:00"
    site.ask("PATCH", at(incident), {"next_update_due": due})
    ann = enter(EDITOR)
    form = ann.form(at(incident, "/edit"), "Save")
    assert ann.send(form, title="Slow", impact="minor", monitor="ping").status_code == 303
    told = now(site, incident)
    assert (told["title"], told["impact"], told["monitor"]) == ("Slow", "minor", "ping")
    assert told["next_update_due"] == due
    answer = ann.send(ann.form(at(incident, "/edit"), "Save"), title=" ", monitor="nothing")
    assert answer.status_code == 422
    assert now(site, incident)["title"] == "Slow"


def test_an_update_is_mended_and_taken_back(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """A typing error is mended without a notice; the only update cannot be taken back."""
    ann = enter(EDITOR)
    written = incident["updates"][0]
    path = at(incident, f"/updates/{written['id']}")
    assert ann.send(ann.form(path, "Save"), body="We look at it.").status_code == 303
    mended = now(site, incident)["updates"][0]
    assert (mended["body"], mended["created_at"]) == ("We look at it.", written["created_at"])
    answer = ann.send(ann.form(path, "Delete the update"))
    assert answer.status_code == 409
    assert "at least one update" in answer.text
    site.made(at(incident, "/updates"), body="Wrong.")
    latest = at(incident, f"/updates/{now(site, incident)['updates'][0]['id']}")
    assert ann.send(ann.form(latest, "Delete the update")).status_code == 303
    assert [one["body"] for one in now(site, incident)["updates"]] == ["We look at it."]


def test_a_deletion_needs_the_title(site: Site, enter: Enter, incident: dict[str, Any]) -> None:
    """Nothing is deleted by a slip of the finger."""
    ann = enter(EDITOR)
    form = ann.form(at(incident, "/delete"), "Delete for good")
    for wrong in ("", "down", "Down!"):
        assert ann.send(form, title=wrong).status_code == 422
    page = ann.follow(ann.send(form, title=" Down "))
    assert "The incident is deleted." in page.text
    assert site.ask("GET", at(incident)).status_code == 404


def test_a_viewer_sees_no_buttons(enter: Enter, incident: dict[str, Any]) -> None:
    """Who may only look gets the facts and no form."""
    page = enter(VIEWER).get(at(incident))
    assert "We look." in page.text
    assert forms_of(page.text) == []
    assert "Resolve" not in page.text


def test_an_incident_of_another_page_is_not_found(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """Under another status page there is none of its ids, whatever is done with them."""
    site.made("/pages", name="Other", slug="other")
    ann = enter(EDITOR)
    before = site.contents()
    steps = ["", "/update", "/resolve", "/reopen", "/postmortem", "/publish", "/edit", "/delete"]
    steps.append(f"/updates/{incident['updates'][0]['id']}")
    for step in steps:
        assert ann.get(at(incident, f"{step}?status_page=other")).status_code == 404
        words = {"status_page": "other", "title": "Down", "body": "Mine"}
        if step:
            assert ann.post(at(incident, step), words).status_code == 404
    take_back = at(incident, f"/updates/{incident['updates'][0]['id']}/delete")
    assert ann.post(take_back, {"status_page": "other"}).status_code == 404
    assert site.contents() == before


def test_a_form_names_no_incident_of_another_page(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """The id that a form brings opens nothing of another page, and shows nothing of it."""
    site.made("/pages", name="Other", slug="other")
    ann = enter(EDITOR)
    form = ann.form("/incidents/new?status_page=other", "Publish")
    answer = ann.send(form, title="Down", body="We look.", id=incident["id"])
    assert answer.status_code == 409
    assert len(now(site, incident)["updates"]) == 1
    assert "status_page=other" in answer.text


def test_a_service_is_taken_off(site: Site, enter: Enter, incident: dict[str, Any]) -> None:
    """What does not belong to it is named no more, in the same update in which others change; pressed twice, once."""
    ann = enter(EDITOR)
    both = {"components.billing": "degraded_performance"}
    ann.follow(ann.send(ann.form(at(incident), "Post update"), **both))
    form = ann.form(at(incident), "Post update")
    changes = {"components.api": "off", "components.billing": "partial_outage"}
    shown = ann.send(form, preview="yes", **changes)
    assert shown.status_code == 200
    assert form_in(shown.text, "Post update").fields["components.api"] == "off"
    assert [one["slug"] for one in now(site, incident)["components"]] == ["api", "billing"]
    for _ in range(2):
        assert ann.send(form, **changes).status_code == 303
    told = now(site, incident)
    assert {one["slug"]: one["status"] for one in told["components"]} == {
        "billing": "partial_outage"
    }
    assert len(told["updates"]) == 3
    assert (status(site, "api"), status(site, "billing")) == ("operational", "partial_outage")
    form = ann.form(at(incident), "Post update")
    assert form.fields["components.api"] == ""
    assert ann.send(form, **{"components.billing": "off"}).status_code == 303
    assert now(site, incident)["components"] == []
    assert status(site, "billing") == "operational"


def test_a_service_stays_off_when_the_incident_goes_on(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """Reopened without it, an incident says nothing of it any more."""
    site.ask("POST", f"/incidents/{incident['id']}/resolve")
    ann = enter(EDITOR)
    form = ann.form(at(incident, "/reopen"), "Reopen")
    assert ann.send(form, **{"components.api": "off"}).status_code == 303
    assert now(site, incident)["components"] == []
    assert status(site, "api") == "operational"


def test_only_a_service_that_it_names_is_taken_off(
    site: Site, enter: Enter, incident: dict[str, Any]
) -> None:
    """Of one that it does not name there is nothing to take back, and nothing new is told."""
    ann = enter(EDITOR)
    answer = ann.send(ann.form(at(incident), "Post update"), **{"components.billing": "off"})
    assert answer.status_code == 422
    assert [one["slug"] for one in now(site, incident)["components"]] == ["api"]
