"""What forms and errors say to visitors is in their language; what they say to programs is English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from typing import Any

import html5lib
import pytest

from flask_statuspage import translation
from flask_statuspage.delivery import links
from flask_statuspage.documents.words import words_in
from flask_statuspage.storage.subscriptions import Subscription
from tests.documents.pages import by_class, text_of
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html"}
MARK = "¡"


class Marked(NullTranslations):
    """A language in which every sentence is the English one behind a mark, so that no sentence goes by unseen."""

    def gettext(self, message: str) -> str:
        return MARK + message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return MARK + (msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return message if context == "number" else MARK + message


@pytest.fixture(autouse=True)
def german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """German is the marked language."""
    real = translation._catalogue
    marked = Marked()
    monkeypatch.setattr(
        translation, "_catalogue", lambda language: marked if language == "de" else real(language)
    )
    words_in.cache_clear()
    yield
    words_in.cache_clear()


def tree_of(html: str) -> Any:
    return html5lib.parse(html, namespaceHTMLElements=False)


def summary(html: str) -> list[str]:
    """The lines above a form."""
    (box,) = by_class(tree_of(html), "sp-problems")
    return [text_of(item) for item in box.iter("li")]


def title(html: str) -> str:
    return text_of(next(tree_of(html).iter("title")))


WRONG: list[dict[str, Any]] = [
    {"channel": "email", "email_address": ""},
    {"channel": "email", "email_address": "nobody"},
    {"channel": "email", "email_address": "ä@example.com"},
    {"channel": "webhook", "webhook_address": "ftp://example.com/"},
    {"channel": "webhook", "webhook_address": "http://user:secret@example.com/"},
    {"channel": "webhook", "webhook_address": "https://127.0.0.1/", "secret": "short"},
    {"channel": "webhook", "webhook_address": "https://1.1.1.1/", "format": "smoke"},
    {"channel": "slack", "slack_address": "https://1.1.1.1/services/x"},
    {"channel": "pigeon", "address": "roof"},
    {"address": "a@b.example"},
    {"channel": "email", "email_address": "a@b.example", "scope": "some"},
    {"channel": "email", "email_address": "a@b.example", "components": "nothing"},
    {"channel": "email", "email_address": "a@b.example", "events_scope": "some"},
    {"channel": "email", "email_address": "a@b.example", "events": "smoke"},
    {"channel": "email", "email_address": "a@b.example", "locale": "german"},
    {"channel": "email", "email_address": "a@b.example", "time_zone": "Mars/Olympus"},
    {"channel": "email", "email_address": "a@b.example", "scope": "none"},
    {"channel": "email", "email_address": "a@b.example\x00"},
    {
        "channel": "webhook",
        "webhook_address": "https://1.1.1.1/",
        "webhook_format": "statusgator",
        "events": ["maintenance.reminder"],
    },
]


@pytest.mark.parametrize("form", WRONG, ids=lambda form: " ".join(map(str, form.values()))[:40])
def test_every_problem_is_told_in_the_readers_language(site: Site, form: dict[str, Any]) -> None:
    """Each line of the summary is translated, and so is the window's title; JSON of the same is English."""
    answer = site.post("/subscribe?lang=de", data=form, headers=HTML)
    assert answer.status_code == 422
    lines = summary(answer.text)
    assert lines
    assert all(line.startswith(MARK) for line in lines), lines
    assert title(answer.text).startswith(f"{MARK}Error: {MARK}")
    told = site.post("/subscribe?lang=de", json=form).get_json()["errors"]
    assert told
    assert MARK not in str(told)


def test_lists_and_kinds_are_translated_within_a_sentence(site: Site) -> None:
    """The kinds of news that a format cannot tell are named in the reader's language, too."""
    answer = site.post("/subscribe?lang=de", data=WRONG[-1], headers=HTML)
    (line,) = summary(answer.text)
    assert f"{MARK}Maintenance is near" in line


def test_typed_text_stands_apart(site: Site) -> None:
    """What was typed is repeated in a direction of its own, as text."""
    form = {"channel": "email", "email_address": "a@b.example", "time_zone": "<b>x"}
    html = site.post("/subscribe?lang=de", data=form, headers=HTML).text
    assert "“<bdi>&lt;b&gt;x</bdi>”" in html


def test_each_problem_belongs_to_its_field(site: Site) -> None:
    """Every link of the summary leads to what is on the page; the field names its problem and is marked as wrong."""
    form = {
        "channel": "webhook",
        "webhook_address": "ftp://x/",
        "secret": "hush hush",
        "events": "x",
    }
    tree = tree_of(site.post("/subscribe", data=form, headers=HTML).text)
    ids = {element.get("id"): element for element in tree.iter() if element.get("id")}
    (box,) = by_class(tree, "sp-problems")
    assert box.get("tabindex") == "-1"
    assert text_of(next(box.iter("h2"))) == "There is a problem"
    targets = [link.get("href", "")[1:] for link in box.iter("a")]
    assert targets == ["sp-webhook-address", "sp-events", "sp-secret"]
    assert set(targets) <= set(ids)
    for field in ("sp-webhook-address", "sp-secret"):
        element = ids[field]
        assert element.get("aria-invalid") == "true"
        described = element.get("aria-describedby").split()
        assert f"{field}-problem" in described
        assert set(described) <= set(ids)
    assert ids["sp-webhook-address"].get("value") == "ftp://x/"
    assert "hush" not in site.post("/subscribe", data=form, headers=HTML).text


@pytest.mark.parametrize(
    "form",
    [
        {"locale": "german", "time_zone": "Europe/Paris"},
        {"time_zone": "Mars/Olympus", "locale": "ar"},
        {"components": "nothing"},
        {"scope": "none", "events_scope": "none"},
        {"channel": "webhook", "address": "https://1.1.1.1/", "secret": "short"},
        {"channel": "webhook", "address": "https://1.1.1.1/", "format": "smoke"},
        {"channel": "pigeon"},
    ],
    ids=lambda form: " ".join(form),
)
@pytest.mark.parametrize("ways", ["all ways", "by mail alone"])
def test_the_summary_leads_to_what_is_there(
    make_site: SiteMaker, form: dict[str, Any], ways: str
) -> None:
    """Whatever form was sent, of ours or of the host's: no line of the summary leads to a field that is not there."""
    config = {"STATUSPAGE_WEBHOOK_SIGNUP": "closed"} if ways == "by mail alone" else {}
    site = make_site(**config)
    sent = {"channel": "email", "address": "a@b.example", **form}
    answer = site.post("/subscribe", data=sent, headers=HTML)
    assert answer.status_code == 422
    tree = tree_of(answer.text)
    ids = {element.get("id") for element in tree.iter() if element.get("id")}
    (box,) = by_class(tree, "sp-problems")
    assert summary(answer.text)
    assert {link.get("href", "")[1:] for link in box.iter("a")} <= ids


def test_language_and_clock_of_a_sign_up_can_be_mended(site: Site) -> None:
    """A wrong ``locale`` or ``time_zone`` is told with its name, beside its field, in which both stay as typed."""
    sent = {
        "channel": "email",
        "email_address": "a@b.example",
        "locale": "german",
        "time_zone": "Mars/Olympus",
    }
    html = site.post("/subscribe", data=sent, headers=HTML).text
    assert summary(html) == [
        "There is no language “german”; write it such as de or pt-BR.",
        "There is no time zone “Mars/Olympus”; write it such as Europe/Berlin.",
    ]
    tree = tree_of(html)
    ids = {element.get("id"): element for element in tree.iter() if element.get("id")}
    (box,) = by_class(tree, "sp-problems")
    assert [link.get("href") for link in box.iter("a")] == ["#sp-locale", "#sp-time-zone"]
    assert ids["sp-time-zone"].get("value") == "Mars/Olympus"
    assert [o.get("value") for o in ids["sp-locale"].iter("option") if "selected" in o.attrib] == [
        "german"
    ]
    for field in ("sp-locale", "sp-time-zone"):
        assert ids[field].get("aria-invalid") == "true"
        assert f"{field}-problem" in ids[field].get("aria-describedby")
    assert "sp-locale" not in site.get("/subscribe").text


def test_every_input_has_a_label_and_says_how_it_is_filled(site: Site) -> None:
    """No visible field of the form is without a label; those that are typed into have `autocomplete`."""
    tree = tree_of(site.get("/subscribe").text)
    labelled = {label.get("for") for label in tree.iter("label")}
    inside = {field for label in tree.iter("label") for field in label.iter("input")}
    for name in ("input", "select"):
        for field in tree.iter(name):
            if field.get("type") == "hidden":
                continue
            assert field in inside or field.get("id") in labelled, field.attrib
            if field.get("type") not in ("radio", "checkbox"):
                assert field.get("autocomplete"), field.attrib


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/incidents/00000000-0000-4000-8000-000000000000", 404),
        ("/incidents/nothing", 404),
        ("/confirm/nothing", 404),
        ("/manage/nothing", 404),
        ("/nowhere/subscribe", 404),
    ],
)
def test_errors_are_in_the_visitors_language(site: Site, path: str, status: int) -> None:
    """Title, sentence and the one way on; programs get English."""
    answer = site.get(f"{path}?lang=de", headers=HTML)
    assert answer.status_code == status
    (box,) = by_class(tree_of(answer.text), "sp-error")
    said = [text_of(part) for part in box]
    assert len(said) == 3
    assert all(text.startswith(MARK) for text in said), said
    assert MARK not in site.get(f"{path}?lang=de", headers={"Accept": "application/json"}).text


def test_an_error_on_a_page_keeps_its_name_and_ways(site: Site) -> None:
    """The page is named, its navigation stays; where there is no page, the way on leads to the one at the root."""
    site.made("/pages", name="Other", slug="other")
    html = site.get("/other/incidents/nothing", headers=HTML).text
    assert title(html).endswith("Other")
    assert f'href="{site.prefix}/other/subscribe"' in html
    html = site.get("/nowhere/", headers=HTML).text
    assert f'class="sp-button" href="{site.prefix}/"' in html
    assert f'href="{site.prefix}/nowhere/"' not in html


def test_an_error_names_no_page_that_its_visitor_may_not_see(site: Site) -> None:
    """Strangers do not learn the name of a page for signed-in visitors."""
    site.made("/pages", name="Secret plans", slug="inner", visibility="signed-in")
    answer = site.get("/inner/", headers=HTML)
    assert answer.status_code == 403
    assert "Secret plans" not in answer.text


@pytest.mark.parametrize("accepted", ["fr", ""])
def test_messages_are_in_the_language_of_the_form(site: Site, accepted: str) -> None:
    """A form that was read in German makes a subscription in German, whatever the browser asks for."""
    html = site.get("/subscribe?lang=de", headers=HTML).text
    (shown_in,) = re.findall(r'name="shown_in" value="([^"]*)"', html)
    form = {"channel": "email", "email_address": "ann@example.com", "shown_in": shown_in}
    headers = {**HTML, "Accept-Language": accepted}
    assert site.post("/subscribe", data=form, headers=headers).status_code == 200
    (row,) = site.rows(Subscription)
    assert row.locale == "de"


@pytest.mark.parametrize(("field", "locale"), [("xx", "fr"), ("", "fr"), ("../de", "fr")])
def test_a_made_up_language_is_none(site: Site, field: str, locale: str) -> None:
    """Then it is the browser's, as for programs."""
    form = {"channel": "email", "email_address": "ann@example.com", "shown_in": field}
    site.post("/subscribe", data=form, headers={**HTML, "Accept-Language": "fr"})
    (row,) = site.rows(Subscription)
    assert row.locale == locale


def test_a_chosen_language_stays_through_confirmation(site: Site) -> None:
    """Pages of one subscription are in its language, unless the visitor chose another one, which links keep."""
    site.post("/subscribe", json={"channel": "email", "address": "a@b.example", "locale": "de"})
    (row,) = site.rows(Subscription)
    path = f"/confirm/{site.token(links.CONFIRM, row)}"
    assert '<html lang="de"' in site.get(path, headers={"Accept-Language": "fr"}).text
    english = site.get(f"{path}?lang=en").text
    assert '<html lang="en"' in english
    assert f'action="{site.prefix}{path}?lang=en"' in english
    location = site.post(f"{path}?lang=en", headers=HTML).headers["Location"]
    assert location.endswith("lang=en")
    assert '<html lang="en"' in site.client.get(location).text


def test_many_services_are_chosen_by_group(make_site: SiteMaker) -> None:
    """A few are one list; many have a fieldset for each group, in the page's order."""
    site = make_site()
    group = site.made("/component-groups", name="Shops")["id"]
    for number in range(8):
        site.made("/components", name=f"Shop {number}", group=group)
    assert len(list(tree_of(site.get("/subscribe").text).iter("fieldset"))) <= 3
    site.made("/components", name="Website")
    legends = [text_of(one) for one in tree_of(site.get("/subscribe").text).iter("legend")]
    assert "Shops" in legends
    tree = tree_of(site.get("/subscribe").text)
    boxes = [one for one in tree.iter("input") if one.get("name") == "components"]
    assert len(boxes) == 9
