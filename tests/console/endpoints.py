"""A site whose integrations may lead to this machine, and the workers that serve them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask

from flask_statuspage import StatusPage
from flask_statuspage.jobs.embedded import Runner
from tests.console import member
from tests.console.member import Member
from tests.web.site import Site, SiteMaker

HERE = {
    "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
    "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
    "STATUSPAGE_SLACK_HOSTS": "localhost",
    "STATUSPAGE_WEBHOOK_SIGNUP": "approval",
}


def build(make_site: SiteMaker, **options: Any) -> Site:
    site = member.build(make_site, **{**HERE, **options})
    site.made(
        "/components", name="Core"
    )  # else the dashboard has no form, from which members take their token
    return site


def console() -> StatusPage:
    """A status page whose host's login believes the header ``X-Who``, for a second app on a database that is there."""
    page = StatusPage()
    page.member_loader(lambda: flask.request.headers.get("X-Who"))
    return page


@contextmanager
def working(site: Site) -> Iterator[None]:
    """The workers of *site*, in threads."""
    runner = Runner(site.app)
    runner.start()
    try:
        yield
    finally:
        runner.stop()


def webhook(site: Site, address: str, **body: Any) -> dict[str, Any]:
    return site.made("/subscriptions", channel="webhook", address=address, **body)


def words_of(html: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def all_pages(ann: Member, **idents: Any) -> dict[str, str]:
    """Every page of the console as *ann* sees it, by its address.

    :param idents: what stands in the addresses of those about one thing; the others are left out.
    """
    found = {}
    for rule in ann.site.app.url_map.iter_rules():
        is_console = rule.endpoint.startswith("statuspage.console.")
        is_page = "GET" in (rule.methods or ()) and rule.arguments <= idents.keys()
        if not is_console or not is_page:
            continue
        with ann.site.app.test_request_context():
            built = rule.build({name: idents[name] for name in rule.arguments})
        assert built is not None
        found[built[1]] = ann.open(built[1]).text
    return found
