"""Settings of status pages: names, looks, who may see them; made and deleted."""

from __future__ import annotations

from typing import Any

from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR
from tests.web.site import Site


def page(site: Site, slug: str = "main") -> dict[str, Any]:
    items = site.ask("GET", "/pages").get_json()["items"]
    found: dict[str, Any] = next(item for item in items if item["slug"] == slug)
    return found


def test_a_page_is_named_and_painted(site: Site, enter: Enter) -> None:
    """What the form says is what readers see; an empty field gives the word back to the site's settings."""
    ann = enter(ADMIN)
    form = ann.form("/settings", "Save")
    sent = ann.send(
        form,
        **{"name": "Acme <status>", "time_zone": "Europe/Berlin", "colours.primary": "#123456"},
    )
    assert "The settings are saved." in ann.follow(sent).text
    told = page(site)
    assert (told["name"], told["time_zone"]) == ("Acme <status>", "Europe/Berlin")
    assert told["colours"] == {"primary": "#123456"}
    assert "Acme &lt;status&gt;" in site.get("/").text
    again = ann.form("/settings", "Save")
    assert ann.send(again, **{"name": "", "colours.primary": ""}).status_code == 303
    assert page(site)["name"] != "Acme <status>"
    assert page(site)["colours"] == {}


def test_colours_that_cannot_be_read_are_refused(site: Site, enter: Enter) -> None:
    """The field is named, what was typed stays, and nothing is saved."""
    ann = enter(ADMIN)
    form = ann.form("/settings", "Save")
    answer = ann.send(form, **{"colours.text": "#fefefe", "footer": "kept"})
    assert answer.status_code == 422
    assert 'href="#f-colours.text"' in answer.text
    assert 'id="f-colours.text-problem"' in answer.text
    assert ">\nkept</textarea>" in answer.text
    assert page(site)["footer"] == ""


def test_an_empty_name_in_addresses_is_refused_in_plain_words(site: Site, enter: Enter) -> None:
    """The field says what is wrong with it as people say it, and nothing is saved."""
    ann = enter(ADMIN)
    answer = ann.send(ann.form("/settings", "Save"), slug="", name="Not kept")
    assert answer.status_code == 422
    assert "Must not be empty." in answer.text
    assert "after validation" not in answer.text
    assert page(site)["name"] != "Not kept"


def test_a_page_is_made_and_its_link_renewed(site: Site, enter: Enter) -> None:
    """A page by link shows its link here; a new one replaces it at once."""
    ann = enter(ADMIN)
    form = ann.form("/pages/new", "Make the page")
    shown = ann.follow(ann.send(form, name="Inside", visibility="link")).text
    assert "The status page is there." in shown
    link = page(site, "inside")["link"]
    assert link in shown
    rotate = next(
        one for one in ann.forms("/settings?status_page=inside") if "new link" in one.words
    )
    assert ann.send(rotate).status_code == 303
    assert page(site, "inside")["link"] != link
    assert link not in ann.get("/settings?status_page=inside").text


def test_another_name_in_addresses_is_followed(site: Site, enter: Enter) -> None:
    """After a new slug the console goes on with the same page under it."""
    site.made("/pages", name="Other", slug="other")
    ann = enter(ADMIN)
    form = ann.form("/settings?status_page=other", "Save")
    answer = ann.send(form, slug="another")
    assert "status_page=another" in answer.headers["Location"]
    assert ann.follow(answer).status_code == 200


def test_an_empty_page_is_deleted(site: Site, enter: Enter) -> None:
    """One with services stays, and says so; the default one has no such button."""
    site.made("/pages", name="Other", slug="other")
    made = site.made("/components", name="API", page="other")
    ann = enter(ADMIN)
    where = "/settings?status_page=other"
    answer = ann.send(ann.form(where, "Delete this status page"))
    assert answer.status_code == 409
    assert "still has components" in answer.text
    site.ask("DELETE", f"/components/{made['id']}?status_page=other")
    assert ann.send(ann.form(where, "Delete this status page")).status_code == 303
    assert len(site.ask("GET", "/pages").get_json()["items"]) == 1
    assert "Delete this status page" not in ann.get("/settings").text


def test_editors_do_not_see_the_link(site: Site, enter: Enter) -> None:
    """The link lets in whoever reads it, so only who may make one sees it, on no page of the console."""
    site.made("/pages", name="Inside", slug="inside", visibility="link")
    link = page(site, "inside")["link"].rpartition("/")[2]
    eve = enter(EDITOR)
    assert eve.get("/settings?status_page=inside").status_code == 403
    for path in ("/", "/services"):
        assert link not in eve.get(f"{path}?status_page=inside").text
    assert link in enter(ADMIN).get("/?status_page=inside").text


def test_colours_are_not_painted_over(site: Site, enter: Enter) -> None:
    """What somebody else painted meanwhile is not wiped out by a form that was open before."""
    ann = enter(ADMIN)
    form = ann.form("/settings", "Save")
    site.ask("PATCH", "/pages/main", {"colours": {"primary": "#123456"}})
    answer = ann.send(form, name="Acme", **{"colours.link": "#0b3d91"})
    assert answer.status_code == 409
    assert "colours.primary is “#123456” now" in answer.text
    assert page(site)["colours"] == {"primary": "#123456"}


def test_a_form_stays_with_its_page_when_that_gets_another_name(site: Site, enter: Enter) -> None:
    """Its address changed while somebody typed: the form is still about it, and leads to the new address."""
    site.made("/pages", name="Other", slug="other")
    ann = enter(EDITOR)
    form = ann.form("/incidents/new?status_page=other", "Publish")
    site.ask("PATCH", "/pages/other", {"slug": "renamed"})
    sent = ann.send(form, title="Down", body="We look.", publish="yes")
    assert sent.status_code == 303, sent.text
    assert "status_page=renamed" in sent.headers["Location"]
    told = site.ask("GET", "/incidents?status_page=renamed").get_json()["items"]
    assert [incident["title"] for incident in told] == ["Down"]
