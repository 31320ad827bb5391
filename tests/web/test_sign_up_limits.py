"""Many sign-ups, and many at once: how many one network gets, that nobody is doubled, and that answers tell nothing."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from flask_statuspage.delivery import links
from flask_statuspage.delivery.channels import channels
from flask_statuspage.state import current_state
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.encryption import reveal
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOOK = "https://1.1.1.1/hook"
LIMIT = 20  # STATUSPAGE_SIGNUPS_PER_HOUR as it comes
SERVERS = ["postgresql", "mariadb"]


def at_once(
    site: Site, threads: int, bodies: Sequence[dict[str, Any]], **options: Any
) -> list[TestResponse]:
    """The answers to *bodies*, posted by so many threads at once, each from a client of its own."""

    def one(body: dict[str, Any]) -> TestResponse:
        return site.app.test_client().post(f"{site.prefix}/subscribe", json=body, **options)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, bodies))


def hooks(count: int) -> list[dict[str, Any]]:
    return [{"type": "webhook", "url": f"https://1.1.1.{n % 250}/{n}"} for n in range(count)]


@pytest.mark.parametrize(
    ("database_url", "threads"), [("sqlite", 1), ("postgresql", 4)], indirect=["database_url"]
)
def test_a_thousand_sign_ups_from_one_address(
    migrated_site: Callable[[str], Site], database_url: str, threads: int
) -> None:
    """Exactly as many as the setting says are taken; all others are told when to come back, and leave no row."""
    site = migrated_site(database_url)
    answers = at_once(site, threads, hooks(1000))
    assert Counter(answer.status_code for answer in answers) == {201: LIMIT, 429: 1000 - LIMIT}
    for answer in answers:
        if answer.status_code == 429:
            assert 0 < int(answer.headers["Retry-After"]) <= 3600
            assert answer.mimetype == "application/problem+json"
    assert len(site.rows(Subscription)) == LIMIT
    assert (
        site.post(
            "/subscribe", json=hooks(1)[0], environ_base={"REMOTE_ADDR": "192.0.2.9"}
        ).status_code
        == 201
    )


def test_one_household_counts_once(make_site: SiteMaker) -> None:
    """All addresses of one IPv6 /64 share one allowance; the next /64 has its own."""
    site = make_site(STATUSPAGE_SIGNUPS_PER_HOUR=3)

    def status(number: int, origin: str) -> int:
        body = hooks(number + 1)[-1]
        return site.post("/subscribe", json=body, environ_base={"REMOTE_ADDR": origin}).status_code

    statuses = [status(n, f"2001:db8:1:1::{n:x}:{n:x}") for n in range(6)]
    assert statuses == [201, 201, 201, 429, 429, 429]
    assert status(7, "2001:db8:1:2::1") == 201


def test_mistakes_count_against_nobody(make_site: SiteMaker) -> None:
    """Whoever mistypes may try again: what is refused for its fields is not counted."""
    site = make_site(STATUSPAGE_SIGNUPS_PER_HOUR=1)
    for _ in range(5):
        assert site.post("/subscribe", json={"type": "email", "email": "no"}).status_code == 422
    assert (
        site.post("/subscribe", json={"type": "email", "email": "a@b.example"}).status_code == 202
    )


# The one subscription of an address


@pytest.mark.parametrize("database_url", SERVERS, indirect=True)
@pytest.mark.parametrize(
    "spellings",
    [
        [
            {"type": "email", "email": f" ann@{domain} "}
            for domain in ("example.com", "EXAMPLE.COM")
        ],
        [
            {"type": "webhook", "url": url}
            for url in ("https://bücher.de/hook", " HTTPS://xn--bcher-kva.DE:443/hook")
        ],
    ],
    ids=["email", "webhook"],
)
def test_at_once_in_several_spellings(
    migrated_site: Callable[[str], Site],
    database_url: str,
    spellings: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sign-ups of one new address at the same moment, spelled in several ways, make one subscription."""
    monkeypatch.setattr(
        "flask_statuspage.services.wishes.vet", lambda wish: None
    )  # no name server here
    site = migrated_site(database_url)
    answers = at_once(site, 4, spellings * 4)
    assert {answer.status_code for answer in answers} <= {201, 202}, [a.text for a in answers]
    assert len({answer.data for answer in answers}) == 1
    assert len(site.rows(Subscription)) == 1


def test_the_choice_of_the_last_sign_up_counts(make_site: SiteMaker) -> None:
    """The same address again, before it is confirmed, is the same subscription with the newer choice."""
    site = make_site()
    for name in ("API", "Web"):
        site.made("/components", name=name)
    for slug, event in (("api", "incident.created"), ("web", "incident.resolved")):
        body = {
            "type": "email",
            "email": "ann@Example.com",
            "components": [slug],
            "events": [event],
        }
        assert site.post("/subscribe", json=body).status_code == 202
    (row,) = site.rows(Subscription)
    assert row.events == ["incident.resolved"]
    assert len(site.contents()["statuspage_subscription_component"]) == 1


# What an answer tells of an address


TEXTS = {
    "STATUSPAGE_SMS_ACCOUNT": "AC1",
    "STATUSPAGE_SMS_TOKEN": "a token",
    "STATUSPAGE_SMS_FROM": "+15005550006",
}
ADDRESSES = {
    "email": "somebody@{}.example",
    "sms": "+49171234567{}",
    "slack": "https://hooks.slack.com/services/T1/B1/{}",
    "webhook": "https://1.1.1.1/{}",
}


def made_known(site: Site, state: str, address: str, channel: str = "email") -> None:
    """Bring *address* into *state*, so long ago that nothing of it is recent."""
    if state == "unknown":
        return
    elsewhere = {"REMOTE_ADDR": f"192.0.2.{len(site.rows(Subscription)) + 1}"}
    before = {row.id for row in site.rows(Subscription)}
    body = {"channel": channel, "address": address}
    answer = site.post("/subscribe", json=body, environ_base=elsewhere)
    assert answer.status_code in (201, 202), answer.text
    (row,) = [row for row in site.rows(Subscription) if row.id not in before]
    if state != "pending":
        assert site.ask("POST", f"/subscriptions/{row.id}/enable", {}).status_code == 200
    if state == "disabled":
        assert site.ask("POST", f"/subscriptions/{row.id}/disable", {}).status_code == 200
    if state == "ended":
        row = next(one for one in site.rows(Subscription) if one.id == row.id)
        assert site.post(f"/unsubscribe/{site.token(links.OWN, row)}").status_code == 200
    with site.app.app_context():
        current_session().get_one(Subscription, row.id).mailed_at = utc_now() - timedelta(hours=3)
        current_session().commit()


STATES = ("unknown", "pending", "active", "disabled", "ended")


@pytest.mark.parametrize("kind", ["json", "form", "page", "portal"])
@pytest.mark.parametrize(
    ("channel", "signup"),
    [
        ("email", "open"),
        ("sms", "open"),
        ("webhook", "open"),
        ("webhook", "approval"),
        ("webhook", "closed"),
        ("slack", "open"),
        ("slack", "approval"),
    ],
)
def test_answers_are_the_same_to_the_byte(
    make_site: SiteMaker, kind: str, channel: str, signup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers and body do not depend on what there is of an address; the statements hardly do."""
    monkeypatch.setattr("flask_statuspage.services.wishes.vet", lambda wish: None)  # no name server
    site = make_site(STATUSPAGE_SIGNUPS_PER_HOUR=1000, **TEXTS)
    site.made("/components", name="API")
    made_known(
        site, "ended", "first@all.example"
    )  # whoever comes first waits for what others find done
    known = {}
    for number, state in enumerate(STATES):
        sign = number if channel == "sms" else state[:2]
        known[state] = ADDRESSES[channel].format(sign)
        made_known(site, state, known[state], channel)
    reset(site, signup)
    answers, statements = {}, {}
    for state, address in known.items():
        fields: dict[str, Any] = {"channel": channel, "address": address, "components": ["api"]}
        if kind == "portal":
            fields |= {"return_to": "/portal", "form": "sp-box"}
        options: dict[str, Any] = {"json": fields} if kind == "json" else {"data": fields}
        headers = HTML if kind in ("page", "portal") else {}
        client = site.app.test_client()
        with Queries(site) as queries:
            answer = client.post(f"{site.prefix}/subscribe", headers=headers, **options)
        answers[state] = (answer.status_code, plain(site, answer, address))
        statements[state] = len(queries.sent)
    assert len({repr(answer) for answer in answers.values()}) == 1, answers
    expected = {"page": 303 if channel == "sms" else 200, "portal": 303}
    usual = 202 if channels[channel].needs_confirmation else 201
    if signup != "closed":
        assert answers["active"][0] == expected.get(kind, usual)
    if channels[channel].needs_confirmation:
        assert max(statements.values()) - min(statements.values()) <= SPREAD, statements


def reset(site: Site, signup: str) -> None:
    """Let what visitors may do with webhooks be *signup* from now on, as a next start with that setting would."""
    with site.app.app_context():
        state = current_state()
        object.__setattr__(state.settings, "webhook_signup", signup)


def plain(site: Site, answer: TestResponse, address: str) -> list[Any]:
    """What *answer* says, with what is sealed in it opened, and without the address and the claims to it."""
    there = dict(answer.headers)
    place, _, sealed = there.pop("Location", "").partition("?statuspage_subscribed=")
    told: dict[str, Any] = {}
    if sealed:
        token = sealed.partition("#")[0]
        with site.app.app_context():
            told = json.loads(reveal(token + "=" * (-len(token) % 4)) or "")
        del told["at"]
    else:
        assert len(answer.data) == int(there.pop("Content-Length"))
    text = json.dumps([place, told, "" if place else answer.text])
    claims = re.compile(r"/confirm/[\w.-]+")
    return [
        there if not place else sorted(there),
        claims.sub("/confirm/…", text.replace(address, "…")),
    ]


SPREAD = 6
"""A sign-up that changes a row writes it and its audit entry, a stranger's for somebody who is subscribed does not; and
once a second a process looks at the pages' versions."""


def test_times_are_alike(make_site: SiteMaker) -> None:
    """How long the answer takes does not tell an unknown address from a subscribed one at a glance."""
    site = make_site(STATUSPAGE_SIGNUPS_PER_HOUR=10_000)
    taken: dict[str, list[float]] = {"unknown": [], "active": []}
    for number in range(15):
        for state, times in taken.items():
            address = f"{state}{number}@{state[:2]}{number}.example"
            made_known(site, state, address)
            begun = time.perf_counter()
            site.post("/subscribe", json={"type": "email", "email": address})
            times.append(time.perf_counter() - begun)
    medians = {state: statistics.median(times) for state, times in taken.items()}
    assert max(medians.values()) < 3 * min(medians.values()) + 0.01, medians
