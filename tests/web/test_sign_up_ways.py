"""The ways to sign up: what the form offers and takes, what programs may send, and how each mistake is named."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flask_statuspage.delivery import links
from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.documents.channel_words import CHANNELS, channel_words
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOOK = "https://1.1.1.1/hook"
ANN = "ann@example.com"


def only(site: Site) -> Subscription:
    (row,) = site.rows(Subscription)
    assert isinstance(row, Subscription)
    return row


def errors(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.get_json()["errors"]}


# What the form offers


def test_each_channel_has_words() -> None:
    """Whatever our own channels are, a form knows what to ask for; one of another package gets plain words."""
    for name in channels:
        if not channels[name].members_only:
            assert name in CHANNELS, name
    for one in CHANNELS.values():
        assert all((one.label, one.address, one.missing))
        assert one.input_type in ("email", "tel", "url", "text")
    assert channel_words("carrier_pigeon").label == "Carrier pigeon"


def test_formats_that_visitors_may_choose(site: Site) -> None:
    """The form offers the formats of webhooks, but none that tells what is for the team only."""
    offered = re.findall(r'<option value="(\w+)"', site.get("/subscribe").text)
    assert offered[0] == "native"
    assert set(offered) == {
        name for name, one in formats.items() if "webhook" in one.channels and not one.members_only
    }
    assert "statuspageone" not in offered


def test_feeds_are_listed(site: Site) -> None:
    """Feeds, calendar and JSON are linked; those of a component too once it is chosen; each link answers."""
    site.made("/components", name="API")
    plain = site.get("/subscribe").text
    assert "/components/api/" not in plain
    html = site.get("/subscribe?components=api").text
    found = re.findall(r'<p class="sp-feeds">.*?</p>', html, re.DOTALL)
    links = re.findall(r'href="([^"]+)"', "".join(found))
    assert links == [
        "/status/api/feed.xml",
        "/status/api/feed.atom",
        "/status/api/calendar.ics",
        "/status/api/v2/summary.json",
        "/status/components/api/feed.xml",
        "/status/components/api/feed.atom",
        "/status/components/api/calendar.ics",
    ]
    for link in links:
        assert site.client.get(link).status_code == 200, link
    assert re.search(r'value="api" checked', html)
    assert site.get("/subscribe?components=%00&components=nope").status_code == 200


def test_feeds_without_any_channel(make_site: SiteMaker) -> None:
    """Where nothing can be sent, the page has no form, but still the feeds."""
    site = make_site(STATUSPAGE_SMTP_URL=None, STATUSPAGE_WEBHOOK_SIGNUP="closed")
    html = site.get("/subscribe").text
    assert "<form" not in html
    assert "/status/api/feed.xml" in html


# What the form takes


def test_events_are_chosen(site: Site) -> None:
    """Who chooses gets what was chosen, who does not what is usual, whatever boxes are ticked below."""
    form = {"channel": "email", "email_address": ANN, "webhook_address": "typed before"}
    some = {"events_scope": "some", "events": ["incident.created", "component.status_change"]}
    assert site.post("/subscribe", data=form | some, headers=HTML).status_code == 200
    assert only(site).events == ["component.status_change", "incident.created"]
    assert only(site).address == ANN
    usual = some | {"events_scope": "usual"}
    assert site.post("/subscribe", data=form | usual, headers=HTML).status_code == 200
    assert only(site).events is None


def test_usual_is_chosen_before_anything_else(site: Site) -> None:
    """A new form has what is usual selected, and its events ticked below."""
    html = site.get("/subscribe").text
    assert re.search(r'value="usual"[^>]*checked', html)
    ticked = re.findall(r'name="events" value="([\w.]+)" checked', html)
    assert set(ticked) == formats["email"].unasked


def test_events_that_a_format_does_not_tell(site: Site) -> None:
    """The form says in words what the chosen format cannot tell, keeps what was chosen, and writes nothing."""
    before = site.contents()
    form = {
        "channel": "webhook",
        "webhook_address": HOOK,
        "webhook_format": "statusgator",
        "events_scope": "some",
        "events": ["incident.created", "component.status_change"],
    }
    answer = site.post("/subscribe", data=form, headers=HTML)
    assert answer.status_code == 422
    assert "“<bdi>StatusGator JSON</bdi>” cannot report: A new incident." in answer.text
    assert re.search(r'value="component.status_change" checked', answer.text)
    assert re.search(r'<option value="statusgator" selected', answer.text)
    assert 'href="#sp-events"' in answer.text
    assert site.contents() == before
    nothing = site.post("/subscribe", data=form | {"events": ""}, headers=HTML)
    assert nothing.status_code == 422
    assert "Choose at least one kind of news." in nothing.text


def test_the_other_channels_fields_do_not_count(site: Site) -> None:
    """What stands in the fields of a channel that was not chosen is kept for later and does no harm."""
    form = {
        "channel": "email",
        "email_address": "wrong",
        "webhook_address": HOOK,
        "webhook_format": "slack",
        "secret": "short",
    }
    html = site.post("/subscribe", data=form, headers=HTML).text
    assert f'value="{HOOK}"' in html
    assert "sp-secret-problem" not in html
    assert (
        site.post("/subscribe", data=form | {"email_address": ANN}, headers=HTML).status_code == 200
    )
    assert (only(site).channel, only(site).format) == ("email", "email")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("secret", "short", "The secret must have 16 to 200 bytes."),
        ("webhook_format", "nope", "Choose one of the formats that are offered."),
        ("channel", "nope", "Choose one of the ways that are offered."),
    ],
)
def test_mistakes_in_peoples_words(site: Site, field: str, value: str, words: str) -> None:
    """The form's list of problems names the field; programs get the rule."""
    form = {"channel": "webhook", "address": HOOK, field: value}
    form |= {"format": value} if field == "webhook_format" else {}
    answer = site.post("/subscribe", data=form, headers=HTML)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Must" not in answer.text


def test_what_is_not_set_up_is_no_strangers_concern(site: Site) -> None:
    """A visitor reads that a way is not there, a member why."""
    body = {"channel": "sms", "address": "+4917123456789"}
    told = errors(site.post("/subscribe", json=body))
    assert told == {"channel": "This way is not available on this page."}
    assert "STATUSPAGE_SMS" in errors(site.ask("POST", "/subscriptions", body))["channel"]


def test_the_text_of_programs_tells_what_counts(site: Site) -> None:
    """The answer and the description say that a button is pressed, as opening the link does nothing."""
    told = site.post("/subscribe", json={"email": ANN}).get_json()["message"]
    assert "press the button" in told
    (says,) = [
        one["post"]["description"]
        for path, one in site.json("/api/openapi.json")["paths"].items()
        if path.endswith("/subscribe")
    ]
    assert "button" in says
    assert "confirm_url" in says


# What programs may send


@pytest.mark.parametrize("path", ["/subscribe", "/?action=subscribe", "?action=subscribe"])
@pytest.mark.parametrize("kind", ["json", "data"])
@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"type": "webhook", "url": HOOK}, ("webhook", HOOK)),
        ({"url": HOOK}, ("webhook", HOOK)),
        ({"type": "email", "email": ANN}, ("email", ANN)),
        ({"email": " ann@EXAMPLE.com "}, ("email", ANN)),
        ({"channel": "email", "address": ANN}, ("email", ANN)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_names_of_fields(
    site: Site, path: str, kind: str, fields: dict[str, str], kept: tuple[str, str]
) -> None:
    """An address may be named by its kind, which then need not be said; JSON and form are answered alike."""
    answer = site.post(path, **{kind: fields})
    assert answer.status_code in (201, 202), answer.text
    assert answer.mimetype == "application/json"
    assert (only(site).channel, only(site).address) == kept


@pytest.mark.parametrize("name", ["phone", "number"])
def test_a_number_is_a_text_message(site: Site, name: str) -> None:
    """A number without a channel means SMS: it is that channel's matter whether it can be had."""
    before = site.contents()
    assert errors(site.post("/subscribe", json={name: "no number"})).keys() <= {
        "channel",
        "address",
    }
    assert site.contents() == before


def test_unknown_fields(site: Site) -> None:
    """JSON with a name that is no field is refused, naming each; a form may have fields of its own."""
    before = site.contents()
    body = {"type": "webhook", "url": HOOK, "evnets": ["incident.created"], "\ud800": 1, "é": 2}
    wrong = errors(site.post("/subscribe", json=body))
    assert wrong == dict.fromkeys(["evnets", "\\ud800", "\\xe9"], "There is no such field.")
    assert site.contents() == before
    form = {"type": "webhook", "url": HOOK, "utm_source": "mail"}
    assert site.post("/subscribe", data=form).status_code == 201


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"scope": "nobody"}, {"scope"}),
        ({"scope": "some"}, {"components"}),
        ({"events_scope": "some"}, {"events"}),
        ({"events_scope": 5, "scope": []}, {"events_scope", "scope"}),
        ({"format": "statuspageone"}, {"format"}),
        ({"format": "statusgator", "events": ["incident.created"]}, {"events"}),
        ({"level": "loud"}, {"level"}),
        ({"channel": "x"}, {"channel"}),
        ({"channel": "email", "address": ANN, "format": "native"}, {"format"}),
        ({"components": ["nope"], "url": HOOK}, {"components"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_wrong_fields(site: Site, fields: dict[str, Any], named: set[str]) -> None:
    """Each wrong field is named, by JSON and by form, and nothing is written."""
    before = site.contents()
    body = {"channel": "webhook", "address": HOOK, **fields}
    assert set(errors(site.post("/subscribe", json=body))) == named
    assert site.contents() == before


def test_the_choice_keeps_what_was_typed(site: Site) -> None:
    """On the page of a subscription, too, a mistake comes back with what was chosen; usual takes a choice back."""
    for name in ("API", "Web"):
        site.made("/components", name=name)
    made = site.made("/subscriptions", channel="email", address=ANN)
    path = f"/manage/{site.token(links.OWN, only(site))}"
    wrong = {"scope": "some", "components": ["web"], "events_scope": "some"}
    answer = site.post(path, data=wrong, headers=HTML)
    assert answer.status_code == 422
    assert re.search(r'value="web" checked', answer.text)
    assert 'href="#sp-events"' in answer.text
    right = wrong | {"events": ["incident.created"]}
    assert site.post(path, data=right).status_code == 303
    assert only(site).events == ["incident.created"]
    assert site.post(path, data=right | {"events_scope": "usual"}).status_code == 303
    assert only(site).events is None
    assert made["id"] == str(only(site).id)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {"channel": "email", "address": "nope", "components": ["none"]},
            {"address", "components"},
        ),
        ({"channel": "pigeon"}, {"channel", "address"}),
        ({"address": ANN, "email": "bob@example.com"}, {"email"}),
        ({"type": "sms", "channel": "email", "address": ANN}, {"type"}),
    ],
)
def test_all_that_is_wrong_is_named_at_once(
    site: Site, fields: dict[str, Any], named: set[str]
) -> None:
    """Also a component beside an address, a channel without one, and fields that contradict each other."""
    assert set(errors(site.post("/subscribe", json=fields))) >= named
    assert site.rows(Subscription) == []


def test_a_form_in_the_words_of_programs_keeps_what_was_typed(site: Site) -> None:
    """A host's own form may post ``type`` and ``url``: the mistake is told and the value stands in the field."""
    answer = site.post("/subscribe", data={"type": "webhook", "url": "nope"}, headers=HTML)
    assert answer.status_code == 422
    assert 'value="nope"' in answer.text
    assert channel_words("webhook").missing not in answer.text
