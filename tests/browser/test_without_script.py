"""A whole subscription without JavaScript: by links and buttons only, with mail that is really sent and read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from flask_statuspage.storage.subscriptions import Subscription
from tests.servers.smtp import SmtpServer

from . import sites
from .scenario import Known
from .sites import Served
from .views import watching

ADDRESS = "ada@customer.example"


@pytest.fixture
def mailing(scenario: tuple[Path, Known], tmp_path: Path, smtp: SmtpServer) -> Iterator[Served]:
    """The busy site with a mail server."""
    database, known = scenario
    site = sites.made(
        database,
        tmp_path,
        "mailing",
        STATUSPAGE_SMTP_URL=f"smtp://{smtp.host}:{smtp.port}",
    )
    with sites.running(site, known) as served:
        yield served


def link_of(mail: EmailMessage, page: str, served: Served) -> str:
    """The link to *page* in the mail's text, on the port of this run."""
    part = mail.get_body(("plain",))
    assert part is not None
    found = re.search(rf"{sites.PREFIX}/{page}/\S+", part.get_content())
    assert found is not None, part.get_content()
    return served.root + found[0]


def sweep(served: Served) -> None:
    """Send what waits, as a cron job does."""
    done = served.site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert done.exit_code == 0, done.output


def states(served: Served) -> list[str]:
    return [row.state.value for row in served.site.rows(Subscription)]


def test_subscribe_confirm_manage_unsubscribe(
    browser: Browser, mailing: Served, smtp: SmtpServer
) -> None:
    """From the home page to the mail, from its link to the choice, to a mail about an incident, and out by that one."""
    with watching(browser, mailing.root, script=False) as watched:
        page = watched.page
        page.goto(mailing.url("/"))
        page.get_by_role("main").get_by_role("link", name="Subscribe to updates").click()
        page.get_by_label("Email address").fill("nobody")
        watched.expected = 422
        _press(page, "Subscribe")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("There is a problem")
        alert.get_by_role("link").click()
        expect(page.get_by_label("Email address")).to_be_focused()
        expect(page.get_by_label("Email address")).to_have_value("nobody")
        page.get_by_label("Email address").fill(ADDRESS)
        _press(page, "Subscribe")
        expect(page.get_by_role("status")).to_be_visible()
        assert states(mailing) == ["pending"]

        sweep(mailing)
        mail = smtp.wait_for(lambda mail: "onfirm" in mail["Subject"])
        assert mail.envelope_to == (ADDRESS,)
        page.goto(link_of(mail, "confirm", mailing))
        assert states(mailing) == ["pending"]  # a scanner that follows the link changes nothing
        _press(page, "Confirm subscription")
        assert states(mailing) == ["active"]

        page.get_by_label("Only these services").check()
        page.get_by_label("Checkout").check()
        _press(page, "Save")
        expect(page.get_by_role("status")).to_be_visible()
        expect(page.get_by_label("Checkout")).to_be_checked()
        expect(page.get_by_label("Webhooks")).not_to_be_checked()

        told = {"title": "Cards are refused", "impact": "major", "body": "Again."}
        mailing.site.made("/incidents", components={"service-1": "major_outage"}, **told)
        mailing.site.made(
            "/incidents", components={"service-8": "major_outage"}, **told | {"title": "Not theirs"}
        )
        sweep(mailing)
        mail = smtp.wait_for(lambda mail: "Cards are refused" in mail["Subject"])
        assert not [one for one in smtp.messages if "Not theirs" in one["Subject"]]
        page.goto(link_of(mail, "unsubscribe", mailing))
        assert states(mailing) == ["active"]
        _press(page, "Unsubscribe")
        expect(page.get_by_role("status")).to_be_visible()
        assert "active" not in states(mailing)
        assert watched.complaints == []


def _press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def _links(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('a[href]')].map(one => one.href)"
    )
    return found


def test_every_link_leads_somewhere(browser: Browser, busy: Served) -> None:
    """Whatever the home page links to on this site answers, without a script."""
    with watching(browser, busy.root, script=False) as watched:
        watched.page.goto(busy.url("/"))
        own = {url.partition("#")[0] for url in _links(watched.page) if url.startswith(busy.root)}
        assert len(own) > 10
        asked = {url: watched.page.request.get(url).status for url in sorted(own)}
    assert {url: status for url, status in asked.items() if status != 200} == {}
