"""The manage API's subscriptions: policies, levels, owners, two live secrets; and the log of their deliveries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from flask_statuspage.delivery.formats import formats
from flask_statuspage.domain.roles import Role
from flask_statuspage.errors import Invalid
from flask_statuspage.services import team
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.servers.http import Answer, Receiver
from tests.web.site import API, Site
from tests.web.test_manage_api import HOOK, NOBODY, problem

HTML = {"Accept": "text/html"}
ANN = "ann@example.com"
NATIVE = {
    "timeout": 10.0,
    "delays": [60.0, 300.0, 1800.0],
    "success": [200, 299],
    "rate": 100,
    "size": 1_000_000,
    "disable_after_unreached": None,
    "disable_after_failed": None,
}


def sweep(site: Site) -> None:
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output


def hook(site: Site, **fields: Any) -> dict[str, Any]:
    return site.made("/subscriptions", **{"channel": "webhook", "address": HOOK, **fields})


def wrong(site: Site, method: str, path: str, body: Any) -> list[str]:
    return [one["field"] for one in problem(site.ask(method, path, body), 422)["errors"]]


def only(site: Site) -> Subscription:
    (row,) = site.rows(Subscription)
    assert isinstance(row, Subscription)
    return row


def test_a_policy_is_shown_as_it_was_set_and_as_it_counts(site: Site) -> None:
    """`policy` is what was asked for, `effective_policy` the whole of it; without one null and the format's."""
    made = hook(site)
    assert (made["policy"], made["effective_policy"]) == (None, NATIVE)
    path = f"/subscriptions/{made['id']}"
    changes = {"timeout": 5, "success": [200], "delays": [], "disable_after_unreached": 5}
    for _ in range(2):
        shown = site.ask("PATCH", path, {"policy": changes}).get_json()
        assert (shown["policy"], shown["effective_policy"]) == (changes, {**NATIVE, **changes})
    assert site.ask("GET", path).get_json() == shown
    assert site.ask("PATCH", path, {"events": None}).get_json()["policy"] == changes
    for nothing in (None, {}):
        site.ask("PATCH", path, {"policy": {"rate": 5}})
        shown = site.ask("PATCH", path, {"policy": nothing}).get_json()
        assert (shown["policy"], shown["effective_policy"]) == (None, NATIVE)


def test_the_field_of_a_policy_is_named(site: Site) -> None:
    """What is wrong is told by its dotted name, all of it at once, and nothing of such a body is kept."""
    path = f"/subscriptions/{hook(site)['id']}"
    before = site.contents()
    for policy, fields in (
        ({"timeout": 31, "rate": 0}, ["policy.timeout", "policy.rate"]),
        ({"jitter": 0.1}, ["policy.jitter"]),
        ({"delays": [60, 0]}, ["policy.delays.1"]),
        ({"delays": [604_800] * 5}, ["policy.delays"]),
        ({"success": [299, 200]}, ["policy.success"]),
        ("fast", ["policy"]),
    ):
        assert wrong(site, "PATCH", path, {"policy": policy, "events": None}) == fields
    assert site.contents() == before


def test_a_format_that_is_gone_has_no_effective_policy(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list still answers when the package of a format was removed."""
    named = {**formats._loaded(), "guest": replace(formats["native"], name="guest")}
    monkeypatch.setattr(formats, "_all", named)
    made = hook(site, format="guest", policy={"rate": 5})
    monkeypatch.undo()
    (shown,) = site.ask("GET", "/subscriptions").get_json()["items"]
    assert (shown["id"], shown["effective_policy"]) == (made["id"], None)


def test_a_level_goes_with_its_format(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set, shown and changed where the format has levels, by members and in sign-ups; elsewhere it is refused."""
    graded = replace(formats["native"], name="graded", levels=("any", "down"))
    monkeypatch.setattr(formats, "_all", {**formats._loaded(), "graded": graded})
    made = hook(site, format="graded", level="down")
    assert made["level"] == "down"
    path = f"/subscriptions/{made['id']}"
    assert site.ask("PATCH", path, {"level": "any"}).get_json()["level"] == "any"
    assert wrong(site, "PATCH", path, {"level": "warn"}) == ["level"]
    assert wrong(site, "PATCH", path, {"format": "native"}) == ["level"]
    shown = site.ask("PATCH", path, {"format": "native", "level": None}).get_json()
    assert (shown["format"], shown["level"]) == ("native", None)
    asked = {"type": "webhook", "url": f"{HOOK}/2", "format": "graded", "level": "down"}
    assert site.post("/subscribe", json=asked).status_code == 201
    assert {row.level for row in site.rows(Subscription)} == {"down", None}
    answer = site.post("/subscribe", json={**asked, "url": f"{HOOK}/3", "format": "native"})
    assert [one["field"] for one in problem(answer, 422)["errors"]] == ["level"]


def test_a_format_for_the_team_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor's sign-up cannot have it and does not learn of it; a member's can."""
    inside = replace(formats["native"], name="inside", members_only=True)
    monkeypatch.setattr(formats, "_all", {**formats._loaded(), "inside": inside})
    before = site.contents()
    answer = site.post("/subscribe", json={"url": HOOK, "format": "inside"})
    (error,) = problem(answer, 422)["errors"]
    assert error["field"] == "format"
    assert "inside" not in error["message"]
    assert site.contents() == before
    assert hook(site, format="inside")["format"] == "inside"


# Owners


def test_the_key_that_makes_a_webhook_names_its_owner(site: Site) -> None:
    """A key named by an email address is the contact unless another one, or none, is asked for; other names are not."""
    with site.app.app_context():
        key = team.create_token(
            current_session(), name=ANN, role=Role.ADMIN, actor=None, actor_role=None
        )[1]
        current_session().commit()

    def made(**fields: Any) -> Any:
        body = {"channel": "webhook", "address": f"{HOOK}/{len(fields)}", **fields}
        headers = {"Authorization-Token": key}
        answer = site.client.post(f"{site.prefix}{API}/subscriptions", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.get_json()["contact"]

    assert made() == ANN
    assert made(contact="bob@Example.com") == "bob@example.com"
    assert made(contact=None) is None
    assert made(channel="email", address="carl@example.com") is None
    assert hook(site, address=f"{HOOK}/of-the-owner")["contact"] is None


def test_a_contact_is_changed_and_taken_away(site: Site) -> None:
    """PATCH sets it, null removes it, and what is no address is named."""
    made = hook(site, contact=ANN)
    path = f"/subscriptions/{made['id']}"
    assert site.ask("PATCH", path, {"contact": "bob@example.com"}).get_json()["contact"] == (
        "bob@example.com"
    )
    assert site.ask("PATCH", path, {"contact": None}).get_json()["contact"] is None
    assert wrong(site, "PATCH", path, {"contact": "nobody"}) == ["contact"]
    mail = site.made("/subscriptions", channel="email", address=ANN)
    assert wrong(site, "PATCH", f"/subscriptions/{mail['id']}", {"contact": ANN}) == ["contact"]


def test_a_customers_webhook_belongs_to_the_customer(site: Site) -> None:
    """The portal's form tells who asks; a program without its token does not, and cannot name a contact itself."""
    site.statuspage.subscriber_loader(lambda: ANN)
    form = site.get("/subscribe", headers=HTML).text
    token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
    data = {"type": "webhook", "url": HOOK, "contact": "eve@example.com"}
    assert site.post("/subscribe", data=data).status_code == 201
    assert only(site).contact is None
    site.ask("DELETE", f"/subscriptions/{only(site).id}")
    assert site.post("/subscribe", data={**data, "csrf_token": token}).status_code == 201
    assert only(site).contact == ANN


def test_an_endpoint_that_is_gone_has_its_owner_told(site: Site, receiver: Receiver) -> None:
    """After 410 the webhook is off, a notice to its owner waits in the log, and one call brings the webhook back."""
    made = hook(site, address=receiver.url, contact=ANN)
    site.made(f"/subscriptions/{made['id']}/test")
    receiver.answer = Answer(status=410)
    sweep(site)
    shown = site.ask("GET", f"/subscriptions/{made['id']}").get_json()
    assert (shown["state"], shown["reason"]) == ("disabled", "The endpoint answered 410.")
    (notice,) = (row for row in site.rows(Delivery) if row.notice_to)
    assert (notice.notice_to, str(notice.subscription_id)) == (ANN, made["id"])
    back = site.made(f"/subscriptions/{made['id']}/enable")
    assert (back["state"], back["reason"]) == ("active", None)


# Secrets


def test_two_secrets_count_for_a_day(site: Site) -> None:
    """A rotation may name the new secret; until when the old one counts is shown, the secrets are told once."""
    made = hook(site)
    path = f"/subscriptions/{made['id']}"
    assert made["previous_secret_until"] is None
    own = site.made(f"{path}/rotate-secret", secret="a secret of my own")
    assert own["secret"] == "a secret of my own"
    until = datetime.fromisoformat(own["previous_secret_until"])
    assert timedelta(hours=23.9) < until - datetime.now(UTC) <= timedelta(hours=24)
    shown = site.ask("GET", path)
    assert shown.get_json()["previous_secret_until"] == own["previous_secret_until"]
    assert made["secret"] not in shown.text
    assert wrong(site, "POST", f"{path}/rotate-secret", {"secret": "a secret of my own"}) == [
        "secret"
    ]
    assert wrong(site, "POST", f"{path}/rotate-secret", {"secret": "x" * 15}) == ["secret"]
    with site.app.app_context():
        row = current_session().scalars(select(Subscription)).one()
        assert (row.secret, row.previous_secret) == ("a secret of my own", made["secret"])
        row.previous_until = datetime.now(UTC) - timedelta(seconds=1)
        current_session().commit()
    assert site.ask("GET", path).get_json()["previous_secret_until"] is None


# Deliveries


def test_the_log_is_asked_by_state_and_time(site: Site, receiver: Receiver) -> None:
    """`state` and `since` choose among the deliveries, together with `subscription`; a wrong one is named."""
    first = hook(site, address=f"{receiver.url}/1")
    site.made(f"/subscriptions/{first['id']}/test")
    sweep(site)
    second = hook(site, address=f"{receiver.url}/2")
    site.made(f"/subscriptions/{second['id']}/test")

    def listed(query: str) -> list[str]:
        answer = site.ask("GET", f"/deliveries{query}").get_json()
        assert answer["total"] == len(answer["items"])
        return [item["subscription_id"] for item in answer["items"]]

    one, two = first["id"], second["id"]
    assert listed("?state=done") == [one]
    assert listed("?state=pending") == [two]
    assert listed("?state=dead") == []
    assert listed(f"?state=done&subscription={two}") == []
    rows = {str(row.subscription_id): row.created_at for row in site.rows(Delivery)}
    assert listed(f"?since={quote(rows[two].isoformat())}") == [two]
    assert listed(f"?since={quote(rows[one].isoformat())}") == [two, one]
    later = rows[two] + timedelta(microseconds=1)
    assert listed(f"?since={quote(later.isoformat())}") == []
    for query in ("?state=lost", "?state=", "?since=yesterday", "?since="):
        errors = problem(site.ask("GET", f"/deliveries{query}"), 422)["errors"]
        assert [error["field"] for error in errors] == [query[1:].partition("=")[0]]


def test_an_attempt_tells_its_kind(site: Site, receiver: Receiver) -> None:
    """The class of a failure stands beside its words; a success has none."""
    made = hook(site, address=receiver.url)
    site.made(f"/subscriptions/{made['id']}/test")
    sweep(site)
    (delivery,) = site.ask("GET", f"/deliveries?subscription={made['id']}").get_json()["items"]
    path = f"/deliveries/{delivery['id']}/attempts"
    assert [one["kind"] for one in site.ask("GET", path).get_json()["items"]] == [None]
    with site.app.app_context():
        current_session().scalars(select(Attempt)).one().kind = "timeout"
        current_session().commit()
    assert [one["kind"] for one in site.ask("GET", path).get_json()["items"]] == ["timeout"]


def test_all_that_failed_is_sent_again(site: Site, receiver: Receiver) -> None:
    """Dead deliveries arrive after all, under the ids that they had; the answer counts them."""
    made = hook(site, address=receiver.url)
    site.made(f"/subscriptions/{made['id']}/test")
    with site.app.app_context():
        row = current_session().scalars(select(Delivery)).one()
        row.state, row.finished_at, row.attempts = DeliveryState.DEAD, datetime.now(UTC), 4
        current_session().commit()
        ident = str(row.id)
    sweep(site)
    assert receiver.requests == []
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert site.made("/deliveries/redeliver", since=later) == {"redelivered": 0}
    body = {"since": "2026-01-01T00:00:00Z", "subscription": made["id"]}
    assert site.made("/deliveries/redeliver", **body) == {"redelivered": 1}
    sweep(site)
    assert [got.headers["webhook-id"] for got in receiver.requests] == [ident]
    assert site.made("/deliveries/redeliver", **body) == {"redelivered": 0}
    site.ask("POST", f"/subscriptions/{made['id']}/disable")
    problem(site.ask("POST", "/deliveries/redeliver", body), 409)
    assert site.made("/deliveries/redeliver", since=body["since"]) == {"redelivered": 0}
    assert wrong(site, "POST", "/deliveries/redeliver", {**body, "subscription": NOBODY}) == [
        "subscription"
    ]
    for role in ("viewer", "editor"):
        problem(site.ask("POST", "/deliveries/redeliver", body, role=role), 403)


# Host code


def test_host_code_subscribes_with_all_fields(site: Site) -> None:
    """`statuspage.subscribe` takes what the API takes, and refuses it by the same names; nothing of it is kept then."""
    with site.app.app_context():
        fields: dict[str, Any] = {"channel": "webhook", "format": "native", "contact": ANN}
        bad = {"secret": "short", "contact": "nobody", "policy": {"rate": 0}, "level": "down"}
        with pytest.raises(Invalid) as caught:
            site.statuspage.subscribe(HOOK, **{**fields, **bad})
        current_session().rollback()
        named = {error.field for error in caught.value.errors}
        assert named == {"secret", "contact", "policy.rate", "level"}
        site.statuspage.subscribe(HOOK, policy={"rate": 5}, secret="a secret of my own", **fields)
        current_session().commit()
    row = only(site)
    assert (row.format, row.policy, row.contact) == ("native", {"rate": 5}, ANN)


def test_a_secret_address_is_never_answered(site: Site) -> None:
    """Not when it is made, read, listed, changed, disabled or tested; the same address is the same subscription."""
    address = HOOK + "/sesame"
    answers = [
        site.ask(
            "POST",
            "/subscriptions",
            slack := {"channel": "webhook", "address": address, "format": "slack"},
        )
    ]
    path = f"/subscriptions/{answers[0].get_json()['id']}"
    answers += [
        site.ask("GET", path),
        site.ask("GET", "/subscriptions"),
        site.ask("PATCH", path, {"format": "native"}),
        site.ask("POST", f"{path}/test"),
        site.ask("POST", f"{path}/disable"),
        site.ask("GET", "/deliveries"),
        site.ask("GET", "/audit"),
        site.ask("POST", "/subscriptions", slack),
    ]
    assert {answer.status_code for answer in answers} == {200, 201, 202}
    assert not [answer.text for answer in answers if "sesame" in answer.text]
    assert answers[1].get_json()["address"] == "https://1.1.1.1/…"
    assert answers[-1].get_json()["id"] == answers[0].get_json()["id"]


def test_a_second_post_keeps_the_secret(site: Site) -> None:
    """Whoever runs a set-up script again does not lock its receivers out; another secret replaces it as told."""
    first = hook(site)
    second = hook(site, events=["incident.created"])
    assert second["id"] == first["id"]
    assert (second["secret"], second["signed"]) == (None, True)
    assert second["previous_secret_until"] is None
    third = hook(site, secret="0123456789abcdef")
    assert third["secret"] == "0123456789abcdef"
    assert third["previous_secret_until"] is not None


def test_a_size_must_hold_what_the_format_always_tells(site: Site) -> None:
    """Statuspage's objects tell much of each component: with 1,500 bytes whole incidents would be lost."""
    small = {"policy": {"size": 1500}}
    body = {"channel": "webhook", "address": HOOK, **small}
    assert wrong(site, "POST", "/subscriptions", {**body, "format": "statuspage"}) == [
        "policy.size"
    ]
    path = f"/subscriptions/{hook(site, **small)['id']}"
    assert wrong(site, "PATCH", path, {"format": "statuspage"}) == ["policy.size"]
    assert only(site).format == "native"
    enough = {"format": "statuspage", "policy": {"size": 10_000}}
    assert site.ask("PATCH", path, enough).status_code == 200
