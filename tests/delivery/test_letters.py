"""What people read: every format for people, every event, every language, by the reader's clock."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest

from flask_statuspage import translation
from flask_statuspage.delivery.formats import Posting, formats, segments, sms
from flask_statuspage.delivery.wording import worded
from flask_statuspage.domain.events import CONFIRMATION, DIGEST, DISABLED, TEST, Event
from flask_statuspage.domain.reader import Reader
from flask_statuspage.services import subscriptions

from .facts import UPDATE, event, incident_data, maintenance_data, monitor_data
from .letters import CONFIRM, LOCALES, MANAGE, every_event, notice

PEOPLE = ("email", "sms", "text")
LEAVE = "https://status.example.com/unsubscribe/token"
LINKS = Posting(retry=0, manage_url=MANAGE, unsubscribe_url=LEAVE)
BERLIN = "Europe/Berlin"

HOSTILE = {
    "HTML": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {title} %s &amp;",
    "control": "a\x00b\r\nBcc: victim@example.org\x1b[2J\x0b\x85\u2028end",
    "override": "safe \u202egnp.exe\u2066 inner",
    "long": "\U0001f525 long " * 1000,
    "Hebrew": "התקלה נפתרה (API v2)",
    "empty": "",
}


def made(name: str, fact: Event, **reader: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(formats[name].word(fact, Reader(**reader)))
    return body


def mail(fact: Event, **reader: str) -> dict[str, Any]:
    return made("email", fact, **reader)


def visible(html: str) -> str:
    """The text of an HTML part without its markup."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    return "".join(tree.find("body").itertext())


def known(name: str, fact: Event) -> bool:
    return formats[name].words(fact.name) or (name != "sms" and fact.name == DISABLED)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", PEOPLE)
def test_a_repeated_notice_says_that_it_is_one(name: str, locale: str) -> None:
    """Who is told a second time that a monitor is down reads other words than the first time."""
    told = [
        made(
            name,
            event("monitor.down", monitor=monitor_data(notification_level=level)),
            locale=locale,
        )
        for level in (1, 2, 3)
    ]
    assert told[0] != told[1] == told[2]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", PEOPLE)
def test_every_event_is_worded_in_every_language(name: str, locale: str) -> None:
    """Each format has words for what it offers, and in another language they are other words."""
    told = [fact for fact in every_event() if known(name, fact)]
    assert {fact.name for fact in told} >= formats[name].offered | {TEST, CONFIRMATION, DIGEST}
    for fact in told:
        found = made(name, fact, locale=locale, time_zone=BERLIN)
        assert all(isinstance(text, str) for text in found.values())
        assert not re.search(r"\{\w+\}", "".join(found.values()).partition("<style>")[0])
        if locale != "en" and fact.name != TEST:
            assert found != made(name, fact, locale="en", time_zone=BERLIN)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("name", PEOPLE)
def test_what_people_wrote_is_only_text(name: str, locale: str, text: str) -> None:
    """Markup, control characters and changes of direction do nothing, wherever in an event they stand."""
    for fact in every_event(text):
        if not known(name, fact):
            continue
        found = made(name, fact, locale=locale)
        for key in {"subject", "title", "before", "after"} & set(found):
            assert found[key] == found[key].replace("\n", " ")
        plain = "".join(value for key, value in found.items() if key != "html")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)
        assert all(is_closed(line) for line in plain.split("\n"))
        if "html" in found:
            check_html(found["html"])


def is_closed(line: str) -> bool:
    """Whether each isolated run of *line* ends in it."""
    depth = 0
    for mark in line:
        depth += (mark in "\u2066\u2067\u2068") - (mark == "\u2069")
        if depth < 0:
            return False
    return depth == 0


def check_html(html: str) -> None:
    """Nothing in it acts or is fetched, and each link leads to http, https or mail."""
    tree = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in {"script", "img", "link", "iframe", "object", "form", "base"}
        assert not [name for name in element.attrib if name.startswith("on") or name == "src"]
        if "href" in element.attrib:
            assert urlsplit(element.attrib["href"]).scheme in ("http", "https", "mailto")
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("locale", [*LOCALES, "de-AT", "pt-BR"])
def test_the_html_names_its_language_and_direction(locale: str) -> None:
    """Mail programs that throw the frame away still find both at the table inside."""
    tree = html5lib.parse(
        mail(every_event()[0], locale=locale)["html"], namespaceHTMLElements=False
    )
    language = {"de-AT": "de", "pt-BR": "en"}.get(locale, locale)
    expected = {"lang": language, "dir": "rtl" if language == "ar" else "ltr"}
    for element in (tree, tree.find("body/table//table")):
        assert element is not None
        assert {key: element.attrib[key] for key in expected} == expected


def test_the_html_is_well_formed() -> None:
    """A strict parser finds nothing to mend in it, whatever the letter's parts are."""
    for fact in every_event():
        body = formats["email"].word(fact, Reader())
        html = json.loads(formats["email"].complete(body, LINKS))["html"]  # type: ignore[misc]
        html5lib.HTMLParser(strict=True).parse(html)


def test_both_parts_tell_the_same() -> None:
    """State, title, services, times, text and link stand in the plain text and in the HTML."""
    data = incident_data(resolved_at="2026-02-19T18:30:00+00:00", status="resolved")
    data["next_update_due"] = "2026-02-19T19:30:00+00:00"
    found = mail(event("incident.resolved", incident=data), locale="de", time_zone=BERLIN)
    assert found["subject"] == "[FacioTech Status] Störung behoben: API is dówn"
    for words in (
        "Störung behoben: API is dówn",
        "Beginn: 2026-02-19 18:30 CET",
        "Behoben: 2026-02-19 19:30 CET",
        "Nächste Meldung bis 2026-02-19 20:30 CET",
        "API: Schwerer Ausfall",
        "Einzelheiten zu dieser Störung",
    ):
        assert words in found["text"].splitlines()
        assert words in visible(found["html"])
    assert "We are **looking**." in found["text"]
    assert "We are <strong>looking</strong>." in found["html"]
    assert f'href="{data["url"]}"' in found["html"]


def test_the_bar_tells_how_bad_it_is() -> None:
    """Critical, minor, over and planned have colours of their own."""
    facts = [
        event("incident.created", incident=incident_data(impact="critical")),
        event("incident.created", incident=incident_data(impact="minor")),
        event("incident.resolved", incident=incident_data(resolved_at="2026-02-19T18:30:00Z")),
        event("maintenance.scheduled", maintenance=maintenance_data()),
    ]
    bars = [
        re.findall(r'height="6" style="[^"]*background:(#\w+)', mail(fact)["html"])
        for fact in facts
    ]
    assert bars == [["#b91c1c"], ["#ca8a04"], ["#2e7d32"], ["#1d4ed8"]]
    kinds = [made("text", fact)["type"] for fact in facts]
    assert kinds == ["failure", "warning", "success", "info"]


@pytest.mark.parametrize(("locale", "manage"), [("de", "Auswahl ändern"), ("ar", "تغيير ما يصلك")])
def test_the_readers_own_links_stand_in_both_parts(locale: str, manage: str) -> None:
    """They are added for one reader, in the language of the letter, and the kept labels are gone then."""
    body = formats["email"].word(every_event()[0], Reader(locale=locale))
    assert MANAGE not in body
    complete = formats["email"].complete
    assert complete is not None
    sent = json.loads(complete(body, LINKS))
    assert set(sent) == {"subject", "text", "html"}
    assert f"{manage}: {MANAGE}" in sent["text"]
    assert sent["text"].count(LEAVE) == 1
    tree = html5lib.parse(sent["html"], namespaceHTMLElements=False)
    links = {link.attrib["href"]: "".join(link.itertext()) for link in tree.iter("a")}
    assert links[MANAGE] == manage
    assert LEAVE in links
    check_html(sent["html"])
    without = json.loads(complete(body, Posting(retry=0, unsubscribe_url="")))
    assert set(without) == {"subject", "text", "html"}
    assert "<!--" not in sent["html"] + without["html"]


def test_no_text_takes_the_place_of_the_links() -> None:
    """Whoever writes the mark of their place in a title or an update moves nothing."""
    evil = "<!-- links -->"
    data = incident_data(title=evil, updates=[{**UPDATE, "body": f"`{evil}`\n\n{evil}"}])
    body = formats["email"].word(event("incident.created", incident=data), Reader())
    sent = json.loads(formats["email"].complete(body, LINKS))  # type: ignore[misc]
    assert sent["html"].count(MANAGE) == 1
    assert sent["html"].index(MANAGE) > sent["html"].index("https://status.example.com/incidents/x")
    assert visible(sent["html"]).count(evil) == 3


def test_an_arabic_sentence_leaves_dates_as_they_are() -> None:
    """Times run from left to right and names as they begin, isolated from the words around them."""
    found = mail(every_event()[0], locale="ar", time_zone="Asia/Riyadh")
    assert "\u20662026-02-19 20:30 UTC+3\u2069" in found["text"]
    assert "\u2068API is down\u2069" in found["text"]
    assert '<span dir="ltr">2026-02-19 20:30 UTC+3</span>' in found["html"]
    assert "\u2066" not in found["subject"]


def test_a_hebrew_title_is_isolated_in_an_english_letter() -> None:
    """A letter that runs the other way than its title keeps the two apart; others have no such marks."""
    found = mail(every_event(HOSTILE["Hebrew"])[0])
    assert f"Investigating: \u2068{HOSTILE['Hebrew']}\u2069" in found["text"].splitlines()
    assert f'<span dir="auto">{HOSTILE["Hebrew"]}</span>' in found["html"]
    assert "\u2068" not in mail(every_event()[0])["text"]


def test_an_update_is_kept_as_it_was_typed() -> None:
    """Its lines and spaces stay in the plain text, without what a terminal would obey."""
    typed = "First\r\n\r\n* one\n    code\ttab\x1b[2J\n\u202etxet"
    data = incident_data(updates=[{**UPDATE, "body": typed}])
    text = mail(event("incident.updated", incident=data))["text"]
    assert "First\n\n* one\n    code\ttab[2J\ntxet\n" in text


def test_a_digest_counts_what_it_does_not_list() -> None:
    """Of very many messages the latest are listed, and the others counted."""
    fact = event(DIGEST, limit=20, notices=[notice()], more=70)
    found = mail(fact)
    assert found["subject"] == "[FacioTech Status] This message stands for 71 messages"
    assert "70 earlier ones are not listed." in found["text"].splitlines()
    assert "70 earlier ones are not listed." in visible(found["html"])
    assert "not listed" not in mail(event(DIGEST, limit=20, notices=[notice()], more=0))["text"]
    assert ": 71 more messages within an hour: " in sms.whole(formats["sms"].render(fact), 2)


@pytest.mark.parametrize(
    ("count", "headline"),
    [
        (1, "هذه الرسالة تلخص إشعارًا واحدًا"),
        (2, "هذه الرسالة تلخص إشعارين"),
        (3, "هذه الرسالة تلخص 3 إشعارات"),
        (11, "هذه الرسالة تلخص 11 إشعارًا"),
        (100, "هذه الرسالة تلخص 100 إشعار"),
    ],
)
def test_a_digest_counts_as_its_language_does(count: int, headline: str) -> None:
    """Arabic has six forms of a counted word."""
    fact = event(DIGEST, limit=20, notices=[notice()] * count)
    assert mail(fact, locale="ar")["subject"] == f"[FacioTech Status] {headline}"


def test_a_digest_says_what_it_stands_for() -> None:
    """How many messages, why, and each of them, oldest first; whoever has no page has no link."""
    notices = [
        notice(),
        notice(event="maintenance.completed", status="completed", title="Disks", url=None),
        notice(event="component.status_change", status="major_outage", title="Web"),
        notice(event="monitor.down", status="down", title="Ping"),
        notice(event="other.event", status="odd", title=None),
        notice(status=None),
    ]
    found = mail(event(DIGEST, limit=20, notices=notices), locale="de", time_zone=BERLIN)
    assert found["subject"] == "[FacioTech Status] Diese Nachricht fasst 6 Meldungen zusammen"
    assert "mehr als 20 Nachrichten in einer Stunde" in found["text"]
    at = "2026-02-19 18:30 CET"
    entries = [
        f"{at} - Störung wird untersucht: API is down",
        f"{at} - Wartung abgeschlossen: Disks",
        f"{at} - Schwerer Ausfall: Web",
        f"{at} - Ausgefallen: Ping",
        f"{at} - odd",
        f"{at} - API is down",
    ]
    assert [line[2:] for line in found["text"].splitlines() if line[:2] == "- "] == entries
    tree = html5lib.parse(found["html"], namespaceHTMLElements=False)
    items = list(tree.iter("li"))
    assert ["".join(item.itertext()) for item in items] == entries
    assert [item.find("a") is not None for item in items] == [True, False, True, True, True, True]


def test_our_own_test_message_is_in_the_readers_language() -> None:
    """What a member sends as a test is worded for its reader; another program's text is told as it stands."""
    ours = subscriptions.TEST_MESSAGE
    for name in PEOPLE:
        text = "".join(made(name, event(TEST, message=ours), locale="fr").values())
        assert "Ceci est un test." in text
        assert ours not in text
        assert "Hello" in "".join(made(name, event(TEST, message="Hello"), locale="fr").values())


def test_a_letter_that_is_too_long_is_cut() -> None:
    """What fits is told, and the body is still a mail with its links' place."""
    data = incident_data(updates=[{**UPDATE, "body": "word " * 2000}])
    fact = event("incident.created", incident=data)
    body = worded(formats["email"], fact, size=8_000, reader=Reader(locale="de"))
    assert len(body.encode()) <= 8_000
    assert "[cut]" in json.loads(body)["text"]
    assert MANAGE in formats["email"].complete(body, LINKS)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("locale", "name", "text"),
    [
        ("en", "incident.created", "Acme: Investigating - Payments fail https://s.example/i/1"),
        ("de", "incident.resolved", "Acme: Störung behoben - Payments fail https://s.example/i/1"),
        (
            "fr",
            "incident.created",
            "Acme: En cours d'analyse - Payments fail https://s.example/i/1",
        ),
    ],
)
def test_a_text_is_one_line(locale: str, name: str, text: str) -> None:
    """Page, state, title and link."""
    data = incident_data(title="Payments fail", url="https://s.example/i/1")
    data["status"] = "resolved" if name.endswith("resolved") else "investigating"
    fact = event(name, page={"name": "Acme", "url": "https://s.example"}, incident=data)
    assert sms.whole(formats["sms"].word(fact, Reader(locale=locale)), 1) == text


def test_a_text_says_when_maintenance_is() -> None:
    """By the reader's clock, before its title."""
    fact = event("maintenance.scheduled", maintenance=maintenance_data(title="Disks"))
    body = formats["sms"].word(fact, Reader(locale="de", time_zone=BERLIN))
    assert "Wartung geplant, 2026-02-20 03:00 CET - Disks https" in sms.whole(body, 2)


@pytest.mark.parametrize("locale", ["en", "de", "es", "fr"])
def test_our_own_words_cost_one_segment(locale: str) -> None:
    """What is sent unasked and asked for in Latin letters is of the alphabet of which 160 fit into one."""
    for fact in every_event("Disks"):
        if fact.name in formats["sms"].unasked | {CONFIRMATION, DIGEST}:
            text = sms.whole(formats["sms"].word(fact, Reader(locale=locale)), 10)
            assert segments.is_basic(text), text


def test_the_question_says_how_to_answer_and_how_to_end_it() -> None:
    """With the code where there is one; whoever gets texts already is told where to change that."""
    page = {"name": "Acme", "url": "https://s.example"}
    texts = [
        sms.whole(formats["sms"].render(event(CONFIRMATION, page=page, **data)), 2)
        for data in (
            {"confirm_url": CONFIRM, "code": "123456"},
            {"confirm_url": CONFIRM},
            {"manage_url": MANAGE, "code": "123456"},
        )
    ]
    assert texts == [
        "Acme: Reply YES or enter 123456 to get status texts. Reply STOP to end.",
        "Acme: Reply YES to get status texts. Reply STOP to end.",
        f"Acme: You get status texts already. To change: {MANAGE} Reply STOP to end.",
    ]


def test_a_long_name_takes_no_code_away() -> None:
    """Of the question the page's name is cut, never the answer that is asked for."""
    page = {"name": "Acme — " + "ж" * 300, "url": "https://s.example"}
    fact = event(CONFIRMATION, page=page, confirm_url=CONFIRM, code="123456")
    text = sms.whole(formats["sms"].render(fact), 2)
    assert segments.count(text) <= 2
    assert text.endswith(": Reply YES or enter 123456 to get status texts. Reply STOP to end.")


def test_a_typographic_mark_costs_no_room() -> None:
    """Quotes, dashes and dots that programs set by themselves become those of the alphabet."""
    data = incident_data(title="\u201cAPI\u201d \u2013 it\u2019s down\u2026 again")
    text = sms.whole(formats["sms"].render(event("incident.created", incident=data)), 1)
    assert '- "API" - it\'s down... again https' in text
    assert segments.is_basic(text)


def test_a_text_is_cut_to_the_segments_with_its_link() -> None:
    """The title is cut; the link and what stands before it are whole."""
    data = incident_data(title="word " * 40)
    body = formats["sms"].render(event("incident.created", incident=data))
    for count in (1, 2, 3):
        text = sms.whole(body, count)
        assert segments.count(text) <= count
        assert text.startswith("FacioTech Status: Investigating - word")
        assert text.endswith(f" {data['url']}")
    assert "..." in sms.whole(body, 1)
    assert "..." not in sms.whole(body, 2)


def test_what_leads_nowhere_else_leads_to_the_page() -> None:
    """The format `text` always has a link: the thing's own, else the page's."""
    for fact in every_event():
        assert "https://status.example.com" in made("text", fact)["body"]


def test_words_are_found_for_kinds_of_a_language() -> None:
    """`de-AT` is served by `de`; what there are no words in by English."""
    for locale, served in {
        "de": "de",
        "de-AT": "de",
        "fr-CA": "fr",
        "ar-EG": "ar",
        "zh-Hant-TW": "en",
        "pt-BR": "en",
        "": "en",
        None: "en",
    }.items():
        assert translation.language(locale) == served
