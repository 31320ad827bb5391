"""Templates in the console: made, tried out, changed by two, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, VIEWER, forms_of
from tests.web.site import Site


def kept(site: Site) -> Any:
    return site.ask("GET", "/templates").get_json()["items"]


def test_a_template_is_made(site: Site, enter: Enter) -> None:
    """What the form says is what the manage API tells, own placeholders with their defaults among it."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form("/templates/new?kind=incident", "Save")
    page = ann.follow(
        ann.send(
            form,
            name="Outage",
            title="{{ components }} in {{ region }}",
            body="Since {{ started_at }}: {{ what }}",
            placeholders="region = Europe\r\nwhat\r\n",
            status="identified",
            impact="major",
            components=["api"],
        )
    )
    assert "The template is saved." in page.text
    (made,) = kept(site)
    assert made["placeholders"] == {"region": "Europe", "what": None}
    assert (made["kind"], made["status"], made["impact"]) == ("incident", "identified", "major")
    assert made["components"] == ["api"]
    assert 'value="{{ components }} in {{ region }}"' in page.text


@pytest.mark.parametrize("kind", ["incident", "maintenance"])
def test_an_example_saves_nothing(site: Site, enter: Enter, kind: str) -> None:
    """The preview shows what the text amounts to, of a new template as of one that is kept."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form(f"/templates/new?kind={kind}", "Save")
    before = site.contents()
    typed = {
        "name": "Outage",
        "title": "{{ components }} in {{ region }}",
        "body": "**{{ what }}** {{ duration }}" if kind == "maintenance" else "**{{ what }}**",
        "placeholders": "region = Europe\nwhat",
        "components": ["api"],
    }
    shown = ann.send(form, preview="yes", **typed)
    assert shown.status_code == 200
    assert "API in Europe" in shown.text
    assert "<strong>[what]</strong>" in shown.text
    assert ("2 h" in shown.text) is (kind == "maintenance")
    assert site.contents() == before
    again = next(one for one in forms_of(shown.text) if "Save" in one.words)
    assert ann.send(again).status_code == 303
    made = f"/templates/{kept(site)[0]['id']}"
    before = site.contents()
    shown = ann.send(ann.form(made, "Save"), title="Other", preview="yes")
    assert "<bdi>Other</bdi>" in shown.text
    assert site.contents() == before


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "{{ regon }}", "There is no placeholder &#39;regon&#39;"),
        ("body", "a\n{{ ", "Line 2"),
        ("body", "{{ duration }}", "There is no placeholder &#39;duration&#39;"),
        ("placeholders", "page = x", "is built in"),
        ("placeholders", "a\na = 1", "stands twice"),
        ("name", " ", "Is missing"),
        ("status", "scheduled", "Must be one of"),
        ("components", "nothing", "There is no component"),
    ],
)
def test_what_is_wrong_is_named_at_its_field(
    site: Site, enter: Enter, field: str, value: str, words: str
) -> None:
    """An error of a placeholder stands at the text that has it, when saved and when only tried out."""
    site.made("/components", name="API")
    ann = enter(EDITOR)
    form = ann.form("/templates/new?kind=incident", "Save")
    typed = {"name": "Outage", "title": "Down", "body": "x", field: value}
    for button in ("save", "preview"):
        answer = ann.send(form, **{**typed, button: "yes"})
        assert answer.status_code == 422
        assert words in answer.text
        assert f'href="#f-{field}"' in answer.text
        assert f'id="f-{field}"' in answer.text
    assert kept(site) == []


def test_of_two_changes_nothing_is_overwritten(site: Site, enter: Enter) -> None:
    """The second one gets 409 with both texts, then may save."""
    made = site.made("/templates", kind="incident", name="Outage", title="Down", body="Old.")
    path = f"/templates/{made['id']}"
    ann, bob = enter(EDITOR), enter(ADMIN)
    first, second = (who.form(path, "Save") for who in (ann, bob))
    assert [ann.send(first, body="Theirs.").status_code for _ in range(2)] == [303, 303]
    answer = bob.send(second, body="Mine.")
    assert answer.status_code == 409
    assert "Theirs." in answer.text
    assert ">\nMine.</textarea>" in answer.text
    assert kept(site)[0]["body"] == "Theirs."
    again = next(one for one in forms_of(answer.text) if "Save" in one.words)
    assert bob.send(again).status_code == 303
    assert kept(site)[0]["body"] == "Mine."


def test_a_default_of_several_lines_survives_the_form(site: Site, enter: Enter) -> None:
    """What a field cannot show is not changed by saving another one."""
    own = {"what": "one\ntwo", "who": None}
    made = site.made("/templates", kind="incident", name="A", title="Down", placeholders=own)
    ann = enter(EDITOR)
    assert ann.send(ann.form(f"/templates/{made['id']}", "Save"), title="Up").status_code == 303
    (template,) = kept(site)
    assert (template["title"], template["placeholders"]) == ("Up", own)


def test_a_template_is_listed_and_deleted(site: Site, enter: Enter) -> None:
    """By kind; a viewer finds the way to read one."""
    site.made("/templates", kind="incident", name="<b>One</b>", title="Down")
    made = site.made("/templates", kind="maintenance", name="Two", title="Work")
    ann = enter(EDITOR)
    assert "&lt;b&gt;One" in ann.get("/templates").text
    assert "&lt;b&gt;One" not in ann.get("/templates?kind=maintenance").text
    looked = enter(VIEWER).get("/templates").text
    assert "Two" in looked
    assert made["id"] in looked
    page = ann.follow(ann.send(ann.form(f"/templates/{made['id']}", "Delete the template")))
    assert "The template is deleted." in page.text
    assert [one["name"] for one in kept(site)] == ["<b>One</b>"]


def test_a_template_of_another_page_is_not_found(site: Site, enter: Enter) -> None:
    """Under another status page there is no such template, neither to load nor to change."""
    site.made("/components", name="API")
    made = site.made("/templates", kind="incident", name="Outage", title="Secret title")
    site.made("/pages", name="Other", slug="other")
    ann = enter(EDITOR)
    path = f"/templates/{made['id']}"
    assert ann.get(f"{path}?status_page=other").status_code == 404
    assert ann.get(f"/incidents/new?template={made['id']}&status_page=other").status_code == 404
    for way in (path, f"{path}/delete"):
        assert ann.post(way, {"status_page": "other", "name": "x"}).status_code == 404
    assert [one["name"] for one in kept(site)] == ["Outage"]


@pytest.mark.parametrize("kind", ["incident", "maintenance"])
def test_a_viewer_reads_a_template(site: Site, enter: Enter, kind: str) -> None:
    """All of it, as text that is no markup, without a form; what they post all the same is refused."""
    site.made("/components", name="API & more")
    made = site.made(
        "/templates",
        kind=kind,
        name="<b>Outage</b>",
        title="{{ components }} in {{ region }}",
        body="Since <i>now</i>",
        placeholders={"region": "Europe"},
        components=["api-more"],
    )
    vic = enter(VIEWER)
    path = f"/templates/{made['id']}"
    answer = vic.get(path)
    assert answer.status_code == 200
    for text in ("&lt;b&gt;Outage", "{{ components }}", "&lt;i&gt;now", "region = Europe"):
        assert text in answer.text
    assert "API &amp; more" in answer.text
    assert forms_of(answer.text) == []
    assert "Delete" not in answer.text
    before = site.contents()
    data = {"name": "x", "title": "x", "seen": ""}
    for way in (path, f"{path}/delete"):
        assert vic.post(way, data).status_code == 403
    assert vic.get("/templates/new").status_code == 403
    assert site.contents() == before


@pytest.mark.parametrize("kind", ["incident", "maintenance"])
def test_a_loaded_text_names_the_services_that_were_chosen(
    site: Site, enter: Enter, kind: str
) -> None:
    """As the API renders it; without one a bracket shows that something is to come, and the form offers them."""
    for name in ("Website", "API"):
        site.made("/components", name=name)
    body = "{% if components %}Of {{ components }}.{% else %}Of nothing yet.{% endif %}"
    title = "{{ component }} fails in Europe"
    made = site.made("/templates", kind=kind, name="Fails", title=title, body=body)
    path = "/incidents/new" if kind == "incident" else "/maintenance/new"
    ann, query = enter(EDITOR), f"{path}?template={made['id']}"

    def loaded(more: str = "") -> MultiDict[str, str]:
        html = ann.get(query + more).text
        return next(form.fields for form in forms_of(html) if "title" in form.fields)

    assert loaded()["title"] == "[component] fails in Europe"
    assert loaded()["body"] == "Of nothing yet."
    assert 'name="components" value="website"> <span><bdi>Website' in ann.get(query).text
    one = loaded("&components=website&components=nothing")
    rendered = site.ask(
        "POST", f"/templates/{made['id']}/render", {"components": ["website"]}
    ).get_json()
    assert (one["title"], one["body"]) == (rendered["title"], rendered["body"])
    assert one["title"] == "Website fails in Europe"
    both = loaded("&components=website&components=api")
    assert both["title"] == "Website, API fails in Europe"
    chosen = both.getlist("components") or [
        name.partition(".")[2]
        for name, word in both.items()
        if name.startswith("components.") and word
    ]
    assert sorted(chosen) == ["api", "website"]
    site.ask("PATCH", f"/templates/{made['id']}", {"components": ["api"]})
    assert loaded("&components=website")["title"] == "API, Website fails in Europe"
