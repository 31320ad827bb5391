"""A phone's whole story: sign up, code, texts, STOP, START; and a gateway that refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from flask_statuspage.jobs.embedded import Runner
from tests.servers.sms_gateway import SENDER, SmsGateway, inbound, signed
from tests.story.site import Site, eventually, running_site

NUMBER = "+4917123456789"
PUBLIC = "http://site.test/status"
HTML = {"Accept": "text/html"}
numbers = count(1)


@pytest.fixture
def site(tmp_path: Path, database_url: str, gateway: SmsGateway) -> Iterator[Site]:
    """A site with its workers in threads and a gateway for texts."""
    config = {"SQLALCHEMY_DATABASE_URI": database_url, **gateway.settings}
    with running_site(tmp_path, **config) as site:
        runner = Runner(site.app)
        runner.start()
        try:
            yield site
        finally:
            runner.stop()


def arrived(gateway: SmsGateway, number: int) -> str:
    """The text to our phone that is its *number*-th."""
    eventually(lambda: len(gateway.to(NUMBER)) >= number, within=20, what=f"text {number}")
    texts = gateway.to(NUMBER)
    assert len(texts) == number, texts
    return texts[-1]


def answer(site: Site, words: str) -> str:
    """Text *words* from our phone; what the gateway is told to answer."""
    form = inbound(NUMBER, words, sid=f"SM{next(numbers)}")
    headers = signed(f"{PUBLIC}/sms/inbound", form)
    response = site.client.post("/status/sms/inbound", data=form, headers=headers)
    assert response.status_code == 200
    return response.text


def sign_up(site: Site) -> TestResponse:
    data = {"channel": "sms", "address": "+49 171 2345 6789", "scope": "all"}
    return site.client.post("/status/subscribe", data=data, headers=HTML)


def settled(site: Site) -> None:
    """Wait until everything was sent that is to be sent."""

    def is_idle() -> bool:
        listed = site.api("GET", "deliveries?state=pending")
        return not listed["items"]

    eventually(is_idle, within=20, what="an empty outbox")


def incident(site: Site, title: str) -> str:
    ident: str = site.api("POST", "incidents", {"title": title})["id"]
    return ident


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_from_sign_up_to_stop_and_back(site: Site, gateway: SmsGateway) -> None:
    """Form, code, manage page; texts at creation and resolution only; STOP ends them, START brings them back."""
    form = sign_up(site)
    assert form.status_code == 303
    found = re.search(r"\b\d{6}\b", arrived(gateway, 1))
    assert found is not None
    wrong = site.client.post(form.location, data={"code": f"{(int(found[0]) + 1) % 10**6:06}"})
    assert wrong.status_code == 422
    incident(site, "Before the code")
    settled(site)
    done = site.client.post(form.location, data={"code": found[0]})
    assert done.status_code == 303
    assert NUMBER in site.client.get(done.location).text
    assert len(gateway.to(NUMBER)) == 1

    ident = incident(site, "Payments fail")
    created = arrived(gateway, 2)
    assert "Payments fail" in created
    assert f"{PUBLIC}/incidents/{ident}" in created
    site.api("POST", f"incidents/{ident}/updates", {"status": "identified", "body": "A disk."})
    settled(site)
    site.api("POST", f"incidents/{ident}/resolve", {"body": "Mended."})
    assert "Payments fail" in arrived(gateway, 3)

    assert "<Message>" in answer(site, "Stop!")
    incident(site, "While silent")
    assert sign_up(site).status_code == 303
    settled(site)
    assert len(gateway.to(NUMBER)) == 3

    assert "/manage/" in answer(site, "START")
    begins = datetime.now(UTC) + timedelta(days=2)
    plan = {
        "title": "New disks",
        "scheduled_start": begins.isoformat(),
        "scheduled_end": (begins + timedelta(hours=1)).isoformat(),
    }
    ident = site.api("POST", "maintenances", plan)["id"]
    assert "New disks" in arrived(gateway, 4)
    site.api("POST", f"maintenances/{ident}/start")
    settled(site)
    site.api("POST", f"maintenances/{ident}/complete")
    assert "New disks" in arrived(gateway, 5)
    assert {text.sender for text in gateway.texts} == {SENDER}
    assert all(text.segments <= 2 for text in gateway.texts)
    assert gateway.complaints == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_yes_confirms_in_the_place_of_the_code(site: Site, gateway: SmsGateway) -> None:
    """Whoever answers YES to the question is subscribed, without a look at the page."""
    sign_up(site)
    arrived(gateway, 1)
    assert "/manage/" in answer(site, "Yes")
    incident(site, "Payments fail")
    assert "Payments fail" in arrived(gateway, 2)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_a_stop_that_only_the_gateway_heard(site: Site, gateway: SmsGateway) -> None:
    """21610 ends the number's subscriptions on all pages; a member cannot bring them back, START does."""
    site.api("POST", "pages", {"name": "Shop", "slug": "shop"})
    rows = [
        site.api("POST", "subscriptions", {"channel": "sms", "address": NUMBER, "page": page})
        for page in ("main", "shop")
    ]
    gateway.refused[NUMBER] = 21610
    incident(site, "Payments fail")

    def states() -> list[str]:
        return [
            site.api("GET", f"subscriptions/{row['id']}?status_page={page}")["state"]
            for row, page in zip(rows, ("main", "shop"), strict=True)
        ]

    eventually(lambda: states() == ["ended", "ended"], within=20, what="the end of both")
    refused = site.client.post(
        f"/status/admin/api/v1/subscriptions/{rows[0]['id']}/enable",
        headers={"Authorization-Token": site.key},
    )
    assert refused.status_code == 422
    gateway.refused.clear()
    answer(site, "unstop")
    assert states() == ["active", "active"]
    incident(site, "Again")
    assert "Again" in arrived(gateway, 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_number_that_nobody_can_text(site: Site, gateway: SmsGateway) -> None:
    """It is switched off with the gateway's reason, and others are texted."""
    other = "+4917198765432"
    row, _ = [
        site.api("POST", "subscriptions", {"channel": "sms", "address": number})
        for number in (NUMBER, other)
    ]
    gateway.refused[NUMBER] = 21614
    incident(site, "Payments fail")
    path = f"subscriptions/{row['id']}"
    eventually(lambda: site.api("GET", path)["state"] == "disabled", within=20, what="its end")
    assert "21614" in site.api("GET", path)["reason"]
    eventually(lambda: len(gateway.to(other)) == 1, within=20, what="the other's text")
    assert gateway.to(NUMBER) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_gateway_that_is_busy(site: Site, gateway: SmsGateway) -> None:
    """429 is tried again, however long it says; nobody is switched off for it, nor for a wrong token."""
    row = site.api("POST", "subscriptions", {"channel": "sms", "address": NUMBER})
    for code in (20429, 20003, 20500):
        gateway.refuse_with, gateway.retry_after = code, "60"
        before = len(gateway.receiver.requests)
        incident(site, f"Error {code}")
        eventually(
            lambda before=before: len(gateway.receiver.requests) > before,  # type: ignore[misc]
            within=20,
            what="an attempt",
        )
    listed = site.api("GET", "deliveries?state=pending")
    assert len(listed["items"]) == 3
    assert site.api("GET", f"subscriptions/{row['id']}")["state"] == "active"
    assert gateway.texts == []
