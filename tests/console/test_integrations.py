"""Integrations: what the cards say, and endpoints that are set up, changed, switched and removed."""

from __future__ import annotations

import re
from html import unescape

import pytest
from werkzeug.test import TestResponse

from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.channels.webhook import WebhookChannel
from flask_statuspage.delivery.formats import Format, formats
from flask_statuspage.services import wishes
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.team import AuditEntry
from tests.console import endpoints
from tests.console.counting import queries
from tests.console.endpoints import all_pages, webhook, words_of
from tests.console.member import ADMIN, Member, forms_of
from tests.web.conftest import make_site, migrated  # noqa: F401
from tests.web.site import Site, SiteMaker

HOOK = "http://localhost:9/services/T0AAAAAAA/B0AAAAAAA/0123456789abcdef01234567"
OURS = "a secret of our own choosing"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:  # noqa: F811
    return endpoints.build(make_site)


@pytest.fixture
def ann(site: Site) -> Member:
    return Member(site, ADMIN)


def the_one(site: Site) -> Subscription:
    (row,) = site.rows(Subscription)
    return row  # type: ignore[no-any-return]


def made_secret(answer: TestResponse) -> str:
    """The secret on the page that shows it once."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r'id="f-secret"[^>]* value="([^"]+)"', answer.text)
    assert found, answer.text
    return unescape(found[1])


def secret_of(site: Site) -> str | None:
    with site.app.app_context():
        return current_session().get_one(Subscription, the_one(site).id).secret


def both_secrets(site: Site) -> tuple[str | None, str | None]:
    """What messages are signed with, and what they were signed with before."""
    with site.app.app_context():
        row = current_session().get_one(Subscription, the_one(site).id)
        return row.secret, row.previous_secret


def add(ann: Member, channel: str = "webhook", **fields: object) -> TestResponse:
    return ann.send(ann.form(f"/integrations/new?channel={channel}", "Set it up"), **fields)


def continued(ann: Member, kept: TestResponse) -> str:
    """The form that the page which kept what was typed leads to."""
    (again,) = (one for one in forms_of(kept.text) if "Continue" in one.words)
    return ann.send(again).text


def is_marked(html: str, name: str) -> bool:
    return f'id="f-{name}-left-out">The secret that you typed here is not shown again.' in html


def test_a_card_for_each_channel(site: Site, ann: Member) -> None:
    """Each channel of the installation has its card, in their order, and says what it lacks."""
    page = ann.get("/integrations").text
    cards = re.findall(r'<section class="sp-box" id="c-([a-z]+)"', page)
    assert cards == ["email", "webhook", "sms", "slack", "x", "apprise"]
    assert "SMS) is not set up: STATUSPAGE_SMS" in words_of(page)
    assert "X is not set up: STATUSPAGE_X_CLIENT_ID is not set" in words_of(page)
    assert "Email is not set up" not in words_of(page)
    assert "New integration: Slack" in ann.get("/integrations/new?channel=slack").text
    assert ann.get("/integrations/new?channel=email").status_code == 404
    assert ann.get("/integrations/new?channel=pigeons").status_code == 404


def test_a_webhook_with_a_secret_that_is_made(site: Site, ann: Member) -> None:
    """What the form says is what there is; the secret that was made is shown once, and nowhere afterwards."""
    site.made("/components", name="API")
    site.made("/components", name="Shop")
    answer = add(
        ann,
        address="http://127.0.0.1:9/hook",
        format="statuspage",
        heard="some",
        events=["incident.created", "component.status_change"],
        components=["shop"],
        locale="de",
        time_zone="Europe/Berlin",
    )
    secret = made_secret(answer)
    row = the_one(site)
    assert secret_of(site) == secret
    assert (row.channel, row.address, row.format) == (
        "webhook",
        "http://127.0.0.1:9/hook",
        "statuspage",
    )
    assert (row.locale, row.time_zone, row.contact) == ("de", "Europe/Berlin", ADMIN)
    told = site.ask("GET", f"/subscriptions/{row.id}").get_json()
    assert sorted(told["events"]) == ["component.status_change", "incident.created"]
    assert [
        item["name"]
        for item in [site.ask("GET", f"/components/{told['components'][0]}").get_json()]
    ] == ["Shop"]
    assert (row.state, row.actor) == (SubscriptionState.ACTIVE, ADMIN)
    card = words_of(ann.get("/integrations").text)
    assert "http://127.0.0.1:9/hook" in card
    assert "2 events, Shop ." in card
    for url, text in all_pages(ann, ident=row.id).items():
        assert secret not in unescape(text), url


def test_no_transaction_is_open_while_the_network_is_asked(
    site: Site, ann: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking up where an address leads may take its time, and what others do meanwhile counts."""
    whole, held = wishes.vet, []

    def looked_on(wish: Wish) -> None:
        is_first = not held
        held.append(current_session().in_transaction())
        whole(wish)
        if is_first:
            webhook(site, wish.address)

    monkeypatch.setattr(wishes, "vet", looked_on)
    answer = add(ann, address="http://127.0.0.1:9/hook")
    assert (answer.status_code, "This address is set up already." in answer.text) == (422, True)
    assert (held, len(site.rows(Subscription))) == ([False, False], 1)


def test_a_secret_of_ones_own(site: Site, ann: Member) -> None:
    """Whoever brings a secret is not shown it; too short a one is refused by the API's words, and not sent back."""
    answer = add(ann, address="http://127.0.0.1:9/hook", secret="short")
    assert answer.status_code == 422
    assert "Must have 16 to 200 bytes." in answer.text
    assert 'value="short"' not in answer.text
    assert 'value="http://127.0.0.1:9/hook"' in answer.text
    assert site.rows(Subscription) == []
    answer = add(ann, address="http://127.0.0.1:9/hook", secret=OURS)
    assert "The integration is set up." in ann.follow(answer).text
    assert secret_of(site) == OURS
    for url, text in all_pages(ann, ident=the_one(site).id).items():
        assert OURS not in unescape(text), url


def test_the_address_of_slack_is_a_secret(site: Site, ann: Member) -> None:
    """It is typed into a field that hides it, and no page, right or wrong, ever shows it."""
    form = ann.get("/integrations/new?channel=slack").text
    assert re.search(r'<input[^>]* name="address" type="password"', form)
    wrong = add(ann, "slack", address=HOOK, time_zone="Mars")
    assert wrong.status_code == 422
    assert HOOK not in unescape(wrong.text)
    assert "The integration is set up." in ann.follow(add(ann, "slack", address=HOOK)).text
    row = the_one(site)
    assert (row.channel, row.format, row.address) == ("slack", "slack", "http://localhost:9/…")
    again = add(ann, "slack", address=HOOK)
    assert (again.status_code, "set up already" in again.text) == (422, True)
    pages = {**all_pages(ann, ident=row.id), "again": again.text}
    for url, text in pages.items():
        assert "0123456789abcdef" not in text, url
        assert "T0AAAAAAA" not in text, url
    assert len([url for url in pages if "integrations" in url]) >= 3


@pytest.mark.parametrize("format", ["native", "slack"])
def test_a_webhook_to_slack(site: Site, ann: Member, format: str) -> None:
    """In another format it would be refused by Slack and stand on every page, so it is refused here; else it is
    Slack's."""
    answer = add(ann, address=HOOK, format=format)
    if format == "slack":
        assert answer.status_code == 303
        assert the_one(site).channel == "slack"
    else:
        assert answer.status_code == 422
        assert "Set it up under Slack" in answer.text
        assert site.rows(Subscription) == []
    assert "0123456789abcdef" not in answer.text


def test_a_session_that_ended_keeps_no_address(site: Site, ann: Member) -> None:
    """Whoever must sign in again finds the fields again, but for the address and the secret."""
    form = ann.form("/integrations/new?channel=slack", "Set it up")
    ann.who = None
    answer = ann.send(form, address=HOOK, time_zone="Asia/Tokyo")
    assert answer.status_code == 401
    assert "Asia/Tokyo" in answer.text
    assert HOOK not in unescape(answer.text)
    ann.who = ADMIN
    assert is_marked(continued(ann, answer), "address")


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("https://example.com/hook", ["secret"]),
        ("https://hooks.slack.com/services/T0AAAAAAA", ["address", "secret"]),
    ],
)
def test_a_session_that_ended_says_what_is_missing(
    make_site: SiteMaker,  # noqa: F811
    address: str,
    names: list[str],
) -> None:
    """The form that is shown after it marks the fields to be typed once more."""
    site = endpoints.build(make_site, STATUSPAGE_SLACK_HOSTS="hooks.slack.com")
    ann = Member(site, ADMIN)
    form = ann.form("/integrations/new?channel=webhook", "Set it up")
    kept = Member(site, None).send(form, address=address, secret=OURS)
    shown = continued(ann, kept)
    assert [name for name in ("address", "secret", "time_zone") if is_marked(shown, name)] == names


@pytest.mark.parametrize(
    ("address", "is_told"),
    [
        ("https://example.com/hook", True),
        ("https://nothooks.slack.com/T0AAAAAAA", True),
        ("https://hooks.slack.com.example/T0AAAAAAA", True),
        ("http://hooks.slack.com/services/T0AAAAAAA", False),
        ("hooks.slack.com/services/T0AAAAAAA", False),
        ("https:/HOOKS.slack.com./services/T0AAAAAAA", False),
    ],
)
def test_an_address_of_slack_among_webhooks(
    make_site: SiteMaker,  # noqa: F811
    address: str,
    is_told: bool,
) -> None:
    """A webhook's address comes back, unless a host of Slack's stands in it, also where it is no address at all."""
    site = endpoints.build(make_site, STATUSPAGE_SLACK_HOSTS="hooks.slack.com")
    ann = Member(site, ADMIN)
    wrong = add(ann, address=address, time_zone="Mars")
    form = ann.form("/integrations/new?channel=webhook", "Set it up")
    kept = Member(site, None).send(form, address=address)
    assert (wrong.status_code, kept.status_code) == (422, 401)
    for answer in (wrong, kept):
        assert (f'value="{address}"' in answer.text) is is_told
        assert is_told or "T0AAAAAAA" not in answer.text


def test_a_password_in_an_address(ann: Member) -> None:
    """It is refused, and comes back neither with the form nor with the page that keeps it; the rest does."""
    typed = {"address": "https://ann:URLPW@hooks.example.com/a", "time_zone": "Mars"}
    wrong = add(ann, **typed)
    kept = Member(ann.site, None).send(
        ann.form("/integrations/new?channel=webhook", "Set it up"), **typed
    )
    assert (wrong.status_code, kept.status_code) == (422, 401)
    for answer in (wrong, kept):
        assert 'value="https://hooks.example.com/a"' in answer.text
        assert "URLPW" not in answer.text
    assert is_marked(wrong.text, "address")


def test_a_secret_that_was_not_kept_leaves_the_old_one(site: Site, ann: Member) -> None:
    """The sign-in ends while somebody types another secret: what is saved afterwards is all but that."""
    add(ann, address="http://127.0.0.1:9/hook", secret=OURS)
    form = ann.form(f"/integrations/{the_one(site).id}", "Save")
    kept = Member(site, None).send(
        form, secret="another secret, long enough", time_zone="Asia/Tokyo"
    )
    assert "another secret" not in kept.text
    assert "Type once more what stood in: <bdi>Secret</bdi>." in kept.text
    (again,) = (one for one in forms_of(kept.text) if "Continue" in one.words)
    looked_at = ann.send(again).text
    assert is_marked(looked_at, "secret")
    shown = next(one for one in forms_of(looked_at) if "Save" in one.words)
    assert ann.send(shown).status_code == 303
    assert the_one(site).time_zone == "Asia/Tokyo"
    assert secret_of(site) == OURS


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "address"),
        ("nonsense", "address"),
        ("http://10.0.0.1/hook", "address"),
        ("https://localhost/hook", "address"),
        ("https://user:word@example.com/", "address"),
    ],
)
def test_addresses_that_are_refused(make_site: SiteMaker, address: str, words: str) -> None:  # noqa: F811
    """Where the guard lets nothing lead, the field says so in words, and nothing is stored."""
    site = endpoints.build(make_site, STATUSPAGE_ALLOW_PRIVATE_TARGETS=False)
    ann = Member(site, ADMIN)
    before = site.contents()
    answer = add(ann, address=address)
    assert answer.status_code == 422
    assert f'href="#f-{words}"' in answer.text
    assert 'id="f-address-problem"' in answer.text
    assert site.contents() == before


def test_what_the_format_does_not_know_is_refused(site: Site, ann: Member) -> None:
    """Events and levels that a format has no words for are named."""
    answer = add(
        ann,
        address="http://127.0.0.1:9/hook",
        format="statuspageone",
        heard="some",
        events=["incident.created"],
        level="warn",
    )
    assert answer.status_code == 422
    assert 'href="#f-events"' in answer.text
    assert 'href="#f-level"' in answer.text
    answer = add(ann, address="http://127.0.0.1:9/hook", heard="some")
    assert "Tick at least one event." in answer.text
    assert site.rows(Subscription) == []


def test_a_change_leaves_the_rest_alone(site: Site, ann: Member) -> None:
    """What nobody touched stays as it is, also what the form cannot say."""
    made = webhook(
        site, "http://127.0.0.1:9/hook", events=[], policy={"timeout": 3}, contact="it@acme.example"
    )
    before = the_one(site)
    form = ann.form(f"/integrations/{made['id']}", "Save")
    assert "The integration is changed." in ann.follow(ann.send(form, time_zone="Asia/Tokyo")).text
    after = the_one(site)
    assert after.time_zone == "Asia/Tokyo"
    for name in ("events", "policy", "contact", "format", "level", "locale", "state", "address"):
        assert getattr(after, name) == getattr(before, name), name
    assert secret_of(site) == made["secret"]
    form = ann.form(f"/integrations/{made['id']}", "Save")
    assert ann.send(form, heard="usual", format="statusmate", secret=OURS).status_code == 303
    assert (the_one(site).events, the_one(site).format) == (None, "statusmate")
    assert secret_of(site) == OURS


def test_two_members_at_once(site: Site, ann: Member) -> None:
    """Whoever saves second is told what the first one wrote, and keeps it unless they press once more."""
    site.made("/components", name="API")
    made = webhook(site, "http://127.0.0.1:9/hook")
    path = f"/integrations/{made['id']}"
    first, second = ann.form(path, "Save"), ann.form(path, "Save")
    assert ann.send(first, format="statusmate", components=["api"]).status_code == 303
    answer = ann.send(second, format="statusgator", time_zone="Asia/Tokyo")
    assert answer.status_code == 409
    assert "format is “statusmate” now" in unescape(answer.text)
    assert "components is “api” now" in unescape(answer.text)
    assert the_one(site).format == "statusmate"
    (again,) = [form for form in forms_of(answer.text) if "Save" in form.words]
    assert ann.send(again).status_code == 303
    told = site.ask("GET", f"/subscriptions/{made['id']}").get_json()
    assert (told["format"], told["time_zone"], len(told["components"])) == (
        "statusgator",
        "Asia/Tokyo",
        1,
    )


def test_a_new_secret(site: Site, ann: Member) -> None:
    """It is made and shown once; the one before it counts for a day; the log of changes has neither."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    path = f"/integrations/{made['id']}"
    answer = ann.send(ann.form(path, "Make a new secret"))
    secret = made_secret(answer)
    assert secret not in (made["secret"], "")
    assert secret_of(site) == secret
    assert "The one before it counts until" in words_of(answer.text)
    assert "counts until" in words_of(ann.get(path).text)
    for url, text in all_pages(ann, ident=made["id"]).items():
        assert secret not in unescape(text), url
        assert made["secret"] not in unescape(text), url
    assert "rotate_secret" in [entry.action for entry in site.rows(AuditEntry)]


def test_a_button_makes_one_secret(site: Site, ann: Member) -> None:
    """Pressed again, or reloaded, it makes no other one: the secret that the receiver has goes on counting."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    path = f"/integrations/{made['id']}"
    button = ann.form(path, "Make a new secret")
    secret = made_secret(ann.send(button))
    again = ann.send(button)
    assert (again.status_code, "No other secret was made." in again.text) == (409, True)
    assert both_secrets(site) == (secret, made["secret"])
    for wrong in (None, "", "now", "2026-11-01T00:00:00"):
        assert ann.send(button, changed=wrong).status_code == 409
    assert both_secrets(site) == (secret, made["secret"])
    assert "another new one ends it at once" in words_of(again.text)
    newest = made_secret(ann.send(ann.form(path, "Make a new secret")))
    assert both_secrets(site) == (newest, secret)


def test_two_secrets_at_once(site: Site, ann: Member) -> None:
    """Of two who type one at the same time the second is told, and saves theirs by a second press only."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    path = f"/integrations/{made['id']}"
    form, mine = ann.form(path, "Save"), "mine, which is long enough"
    assert ann.send(form, secret=OURS).status_code == 303
    assert ann.send(form, secret=OURS).status_code == 303
    answer = ann.send(form, secret=mine)
    assert (answer.status_code, "perhaps its secret" in answer.text) == (409, True)
    assert is_marked(answer.text, "secret")
    assert ann.send(form, secret=mine, **{"was.updated_at": None}).status_code == 409
    assert both_secrets(site) == (OURS, made["secret"])
    again = next(one for one in forms_of(answer.text) if "Save" in one.words)
    assert ann.send(again, secret=mine).status_code == 303
    assert both_secrets(site) == (mine, OURS)


def test_two_secrets_at_once_beside_a_mistake(site: Site, ann: Member) -> None:
    """A form that is shown again for another reason has told nobody of the secret yet."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    path, mine = f"/integrations/{made['id']}", "mine, which is long enough"
    form = ann.form(path, "Save")
    assert ann.send(form, secret=OURS, contact="bob@example.com").status_code == 303
    for status, heard in ((409, "usual"), (422, "some"), (409, "usual")):
        answer = ann.send(form, secret=mine, contact="ann@example.com", heard=heard, events=[])
        assert answer.status_code == status
        assert both_secrets(site) == (OURS, made["secret"])
        form = next(one for one in forms_of(answer.text) if "Save" in one.words)
    assert "perhaps its secret" in answer.text
    assert ann.send(form, secret=mine).status_code == 303
    assert both_secrets(site) == (mine, OURS)


def test_only_webhooks_have_a_secret(site: Site, ann: Member) -> None:
    """Slack's have none, and a button that somebody made up says so."""
    made = site.made("/subscriptions", channel="slack", address=HOOK)
    path = f"/integrations/{made['id']}"
    assert "Make a new secret" not in ann.get(path).text
    answer = ann.post(f"{path}/rotate", {"changed": "2026-11-01T00:00:00+00:00"})
    assert (answer.status_code, "Only webhooks have a secret." in answer.text) == (409, True)


def test_off_and_on(site: Site, ann: Member) -> None:
    """What is off gets no test; both are in the log."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    path = f"/integrations/{made['id']}"
    off = ann.follow(ann.send(ann.form(path, "Switch it off")))
    assert "Nothing is sent to it." in off.text
    assert "Disabled by a member." in off.text
    assert "Send a test" not in off.text
    answer = ann.post(f"{path}/test", {})
    assert (answer.status_code, "enable it first" in answer.text) == (409, True)
    assert "The integration is on." in ann.follow(ann.send(ann.form(path, "Switch it on"))).text
    actions = [(e.actor, e.action) for e in site.rows(AuditEntry) if e.subject == "subscription"]
    assert actions[-2:] == [(ADMIN, "disable"), (ADMIN, "enable")]


def test_removed(site: Site, ann: Member) -> None:
    """It is gone with all that belongs to it, and its page is not found."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    path = f"/integrations/{made['id']}"
    page = ann.get(path).text
    assert page.index("<summary>Remove this integration") < page.index("Remove it</button>")
    assert "The integration is removed" in ann.follow(ann.send(ann.form(path, "Remove it"))).text
    assert site.rows(Subscription) == []
    assert ann.get(path).status_code == 404


def test_whoever_subscribed_is_no_integration(site: Site, ann: Member) -> None:
    """Mailboxes are not listed, counted or changed here; webhooks that visitors signed up are only counted."""
    mailbox = site.made("/subscriptions", channel="email", address="reader@example.com")
    for path in ("", "/disable", "/remove", "/test"):
        answer = (ann.post if path else ann.get)(
            f"/integrations/{mailbox['id']}{path}", *([{}] if path else [])
        )
        assert answer.status_code == 404
    signed_up = site.post(
        "/?action=subscribe", data={"type": "webhook", "url": "http://127.0.0.1:9/v"}
    )
    assert signed_up.status_code in (200, 201, 202), signed_up.text
    page = words_of(ann.get("/integrations").text)
    assert "reader@example.com" not in page
    assert "http://127.0.0.1:9/v" not in page
    assert "1 was signed up by visitors" in page
    (row,) = [row for row in site.rows(Subscription) if row.channel == "webhook"]
    assert row.state is SubscriptionState.PENDING
    form = ann.form(f"/integrations/{row.id}", "Approve it")
    assert "The integration is on." in ann.follow(ann.send(form)).text


def test_of_another_page(site: Site, ann: Member) -> None:
    """Each status page has integrations of its own."""
    site.made("/pages", name="Inside", slug="inside")
    made = webhook(site, "http://127.0.0.1:9/hook", page="inside")
    assert "127.0.0.1:9/hook" not in ann.get("/integrations").text
    assert "127.0.0.1:9/hook" in ann.get("/integrations?status_page=inside").text
    for path in ("", "/disable", "/remove", "/rotate", "/test"):
        before = site.contents()
        url = f"/integrations/{made['id']}{path}"
        answer = ann.post(url, {}) if path else ann.get(url)
        assert answer.status_code == 404
        assert site.contents() == before


def test_many_take_as_many_statements_as_few(site: Site, ann: Member) -> None:
    """No statement is sent for each row, and a card beside others has a few of its endpoints only."""
    site.made("/components", name="API")
    for number in range(3):
        webhook(site, f"http://127.0.0.1:9/{number}", components=["api"])
    few = queries(ann, "/integrations?channel=webhook")
    whole = queries(ann, "/integrations")
    for number in range(3, 30):
        webhook(site, f"http://127.0.0.1:9/{number}", components=["api"])
    assert queries(ann, "/integrations?channel=webhook") == few
    assert queries(ann, "/integrations") == whole
    assert ann.get("/integrations").text.count("127.0.0.1:9/") < 30
    first = ann.get("/integrations?channel=webhook").text
    second = ann.get("/integrations?channel=webhook&page=2").text
    listed = re.findall(r"<bdi>http://127\.0\.0\.1:9/(\d+)</bdi></a>", first + second)
    assert sorted(map(int, listed)) == list(range(30))
    assert "All of Webhook" in words_of(ann.get("/integrations").text)


def test_a_channel_of_another_package(
    site: Site, ann: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is registered has a card and a form with no further code."""

    class Pigeons(WebhookChannel):
        name = "pigeons"
        default_format = "feathers"
        secret_address = True

    feathers = Format(
        name="feathers",
        channels=frozenset({"pigeons"}),
        render=lambda event: "{}",
        unasked=frozenset({"incident.created"}),
        offered=frozenset({"incident.created"}),
    )
    monkeypatch.setitem(channels._loaded(), "pigeons", Pigeons())
    monkeypatch.setitem(formats._loaded(), "feathers", feathers)
    assert 'id="c-pigeons"' in ann.get("/integrations").text
    answer = add(ann, "pigeons", address="http://127.0.0.1:9/loft")
    assert "The integration is set up." in ann.follow(answer).text
    assert (the_one(site).channel, the_one(site).format) == ("pigeons", "feathers")
