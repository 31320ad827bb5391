"""In which language and by which clock a subscriber reads: through every door, and in the mail that arrives."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import html5lib
import pytest
from sqlalchemy import select

import flask_statuspage.extension as extension
from flask_statuspage.delivery import links
from flask_statuspage.errors import Invalid
from flask_statuspage.services import deliveries, pages, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.translation import LANGUAGES
from tests.web.site import Site
from tests.web.test_manage_api import HOOK, problem

ANN = "ann@example.com"
HTML = {"Accept": "text/html"}
MAIL = {"channel": "email", "address": ANN}


def chosen(site: Site) -> tuple[str | None, str | None]:
    (row,) = site.rows(Subscription)
    return row.locale, row.time_zone


def manage_path(site: Site) -> str:
    (row,) = site.rows(Subscription)
    return f"/manage/{site.token(links.OWN, row)}"


def options(html: str, name: str) -> dict[str, str]:
    """The chosen option of a select, or the value of an input, by its kind."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    found = {}
    for element in tree.iter():
        if isinstance(element.tag, str) and element.attrib.get("name") == name:
            found[element.tag] = element.attrib.get("value", "")
            for option in element.iter("option"):
                if "selected" in element.attrib or "selected" in option.attrib:
                    found[element.tag] = option.attrib["value"]
    return found


def test_languages_stay_in_order(site: Site) -> None:
    """The chosen language is chosen where it stands in the list; only one that is not in the list comes first."""
    for locale, first in (("ja", []), ("de-AT", ["de-AT"])):
        site.made("/subscriptions", **MAIL, locale=locale)
        html = site.get(manage_path(site)).text
        (select,) = re.findall(r'<select[^>]* name="locale".*?</select>', html, re.DOTALL)
        assert re.findall(r'value="([\w-]+)"', select) == [*first, *LANGUAGES]
        assert options(html, "locale") == {"select": locale}


def test_members_choose_for_a_subscription(site: Site) -> None:
    """The manage API sets, shows, keeps and takes back both; the locale in BCP 47's spelling."""
    made = site.made("/subscriptions", **MAIL, locale="DE-at", time_zone="Europe/Vienna")
    assert (made["locale"], made["time_zone"]) == ("de-AT", "Europe/Vienna")
    path = f"/subscriptions/{made['id']}"
    shown = site.ask("PATCH", path, {"events": None}).get_json()
    assert (shown["locale"], shown["time_zone"]) == ("de-AT", "Europe/Vienna")
    shown = site.ask("PATCH", path, {"locale": "fr", "time_zone": None}).get_json()
    assert (shown["locale"], shown["time_zone"]) == ("fr", None)
    assert site.ask("GET", path).get_json() == shown
    changes = [
        (entry.before, entry.after)
        for entry in site.rows(AuditEntry)
        if (entry.subject, entry.action) == ("subscription", "change")
    ]
    assert changes == [
        (
            {"locale": "de-AT", "time_zone": "Europe/Vienna"},
            {"locale": "fr", "time_zone": None},
        )
    ]


WRONG: list[tuple[str, Any]] = [
    ("locale", "german"),
    ("locale", "de_DE"),
    ("locale", "../de"),
    ("locale", 5),
    ("time_zone", "Mars/Olympus"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", "/etc/passwd"),
    ("time_zone", "Europe"),
    ("time_zone", "x" * 60),
    ("time_zone", ["UTC"]),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_the_wrong_field_is_named(site: Site, field: str, value: Any) -> None:
    """By every door what is no language or zone is refused by its field's name, and nothing is written."""
    made = site.made("/subscriptions", channel="webhook", address=HOOK)
    before = site.contents()
    for answer in (
        site.ask("POST", "/subscriptions", {**MAIL, field: value}),
        site.ask("PATCH", f"/subscriptions/{made['id']}", {field: value, "events": []}),
        site.post("/subscribe", json={**MAIL, field: value}),
    ):
        fields = {one["field"].partition(".")[0] for one in problem(answer, 422)["errors"]}
        assert fields == {field}
    assert site.contents() == before


def test_a_sign_up_names_both(site: Site) -> None:
    """Form and JSON have the fields; empty ones are the page's."""
    fields = {"locale": "ja", "time_zone": " Asia/Tokyo "}
    assert site.post("/subscribe", json={**MAIL, **fields}).status_code == 202
    assert chosen(site) == ("ja", "Asia/Tokyo")
    form = {**MAIL, "address": "bob@example.com", "locale": "", "time_zone": ""}
    assert site.post("/subscribe", data=form).status_code == 202
    assert {row.locale for row in site.rows(Subscription)} == {"ja", None}


@pytest.mark.parametrize(
    ("accepted", "locale"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("pt-BR,es;q=0.5", "es"),
        ("fr;q=0,en-GB", "en"),
        ("pt-BR", None),
        ("*", None),
        ("*;q=0.5,ar-EG;q=0.4", "ar"),
        ("", None),
        ("\u00e4;;q=x,,", None),
    ],
)
def test_the_browser_says_which_language(site: Site, accepted: str, locale: str | None) -> None:
    """Without a word in the form it is the best of ours that the browser asks for; any language is none."""
    headers = {"Accept-Language": accepted}
    assert site.post("/subscribe", json=MAIL, headers=headers).status_code == 202
    assert chosen(site) == (locale, None)


def test_what_was_chosen_counts_more_than_the_browser(site: Site) -> None:
    """Another sign-up of the same address, from another browser, leaves the chosen language."""
    site.post("/subscribe", json={**MAIL, "locale": "fr"}, headers={"Accept-Language": "en"})
    assert chosen(site) == ("fr", None)
    site.post("/subscribe", json=MAIL, headers={"Accept-Language": "de"})
    assert chosen(site) == ("fr", None)


def test_a_host_says_both(site: Site) -> None:
    """`statuspage.subscribe` takes them, and names what is wrong."""
    with site.app.app_context():
        extension.statuspage.subscribe(ANN, locale="es", time_zone="Europe/Madrid")
        current_session().commit()
        with pytest.raises(Invalid) as caught:
            extension.statuspage.subscribe(ANN, locale="e", time_zone="Madrid")
        current_session().rollback()
    assert {error.field for error in caught.value.errors} == {"locale", "time_zone"}
    assert chosen(site) == ("es", "Europe/Madrid")


def test_the_owner_chooses_on_the_manage_page(site: Site) -> None:
    """The form shows the choice, saves it, and gives both back to the page."""
    site.made("/subscriptions", **MAIL, locale="de-AT")
    path = manage_path(site)
    shown = site.get(path, headers=HTML).text
    assert options(shown, "locale") == {"select": "de-AT"}
    assert options(shown, "time_zone") == {"input": ""}
    assert "日本語" in shown
    assert "<option>America/Argentina/Ushuaia</option>" in shown
    choice = {"scope": "all", "events": "incident.created"}
    saved = {**choice, "locale": "ja", "time_zone": "Asia/Tokyo"}
    assert site.post(path, data=saved, headers=HTML).status_code == 303
    assert chosen(site) == ("ja", "Asia/Tokyo")
    shown = site.get(path, headers=HTML).text
    assert options(shown, "locale") == {"select": "ja"}
    assert options(shown, "time_zone") == {"input": "Asia/Tokyo"}
    site.post(path, data=choice, headers=HTML)
    assert chosen(site) == ("ja", "Asia/Tokyo")
    site.post(path, data={**choice, "locale": "", "time_zone": ""}, headers=HTML)
    assert chosen(site) == (None, None)


def test_the_form_keeps_a_wrong_zone(site: Site) -> None:
    """What was typed stands in its field again, beside what is wrong with it; nothing is saved."""
    site.made("/subscriptions", **MAIL, locale="de")
    path = manage_path(site)
    wrong = {"scope": "all", "events": "incident.created", "locale": "fr", "time_zone": "Berlin<"}
    answer = site.post(path, data=wrong, headers=HTML)
    assert answer.status_code == 422
    assert options(answer.text, "locale") == {"select": "fr"}
    assert options(answer.text, "time_zone") == {"input": "Berlin<"}
    assert 'href="#sp-time-zone"' in answer.text
    assert 'id="sp-time-zone-problem"' in answer.text
    assert chosen(site) == ("de", None)


def test_machines_have_no_language(site: Site) -> None:
    """The page of a webhook's subscription does not ask for one."""
    site.made("/subscriptions", channel="webhook", address=HOOK)
    shown = site.get(manage_path(site), headers=HTML).text
    assert options(shown, "locale") == options(shown, "time_zone") == {}


def test_each_mail_is_in_its_readers_words(site: Site) -> None:
    """One event, three readers: their own language and clock, the page's for whoever chose none; links in each."""
    with site.app.app_context():
        session = current_session()
        page = pages.find(session, None)
        pages.change(session, page, {"locale": "es", "time_zone": "Europe/Madrid"}, actor=None)
        for address, locale, zone in (
            ("de@example.com", "de", "Asia/Tokyo"),
            ("ar@example.com", "ar-EG", None),
            ("any@example.com", None, None),
        ):
            wish = Wish(channel="email", address=address, locale=locale, time_zone=zone)
            subscriptions.subscribe(session, page, wish, proven=True)
        session.commit()
    opened = site.made("/incidents", title="Disks", body="We look.")
    with site.app.app_context():
        session = current_session()
        parcels = deliveries.claim(session, limit=10).parcels
        session.commit()
        ids = {row.id: row.address for row in session.scalars(select(Subscription))}
    assert UUID(opened["id"]) == parcels[0].subject_id
    mails = {ids[parcel.subscription_id]: json.loads(parcel.body) for parcel in parcels}
    for address, subject, words in (
        ("de@example.com", "Störung wird untersucht: Disks", "Abmelden: http"),
        ("ar@example.com", "قيد التحقيق: Disks", "إلغاء الاشتراك: http"),
        ("any@example.com", "Investigando: Disks", "Cancelar la suscripción: http"),
    ):
        mail = mails[address]
        assert set(mail) == {"subject", "text", "html"}
        assert mail["subject"] == f"[Status] {subject}"
        assert words in mail["text"]
        assert "/unsubscribe/" in mail["html"]
    assert " JST" in mails["de@example.com"]["text"]
    assert " CE" in mails["any@example.com"]["text"]
