"""Programs that open every link of a mail or page, before or instead of people, change nothing; nor do bad links."""

from __future__ import annotations

import re
from collections import deque
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask, render_template_string, session

from flask_statuspage import StatusPage
from flask_statuspage.delivery import links
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ANN = "ann@example.com"
BASE = "http://localhost"


def portal_host(app: Flask) -> None:
    @app.get("/portal")
    def portal() -> str:
        session["seen"] = "yes"
        return render_template_string("{{ statuspage_banner() }}{{ statuspage_subscribe_form() }}")


def opened(site: Site, first: list[str]) -> set[str]:
    """Open everything that *first* leads to, nearest first, by GET, HEAD and OPTIONS; returns the paths."""
    seen: set[str] = set()
    waiting = deque(first)
    scanner = site.app.test_client()
    while waiting:
        url = urlsplit(urljoin(BASE, waiting.popleft()))
        path = url.path + (f"?{url.query}" if url.query else "")
        if path in seen or url.hostname not in ("localhost", None) or len(seen) > 1000:
            continue
        seen.add(path)
        scanner.head(path, headers=HTML).close()
        scanner.options(path, headers=HTML).close()
        answer = scanner.get(path, headers=HTML)
        assert answer.status_code < 500, path
        if "Location" in answer.headers:
            waiting.append(urljoin(path, answer.headers["Location"]))
        if answer.mimetype == "text/html":
            found = re.findall(r'(?:href|action|src)="([^"#]+)', answer.text)
            waiting += [urljoin(BASE + path, one.replace("&amp;", "&")) for one in found]
        answer.close()
    return seen


def test_scanners_change_nothing(make_site: SiteMaker) -> None:
    """Every link of every mail and page, and every route with genuine tokens: opening them changes no row."""
    site = make_site(host=portal_host)
    site.statuspage.member_loader(lambda: None)
    site.made("/components", name="API")
    site.made("/incidents", title="Payments fail", impact="major", components=["api"])
    tokens = []
    for name in ("active", "pending", "ended"):
        site.post("/subscribe", json={"channel": "email", "address": f"{name}@example.com"})
        row = next(row for row in site.rows(Subscription) if row.address.startswith(name))
        if name != "pending":
            assert site.post(f"/confirm/{site.token(links.CONFIRM, row)}").status_code == 303
        row = next(row for row in site.rows(Subscription) if row.address.startswith(name))
        if name == "ended":
            assert site.post(f"/unsubscribe/{site.token(links.OWN, row)}").status_code == 200
        tokens += [site.token(links.CONFIRM, row), site.token(links.OWN, row)]
    mailed = [
        url
        for event in site.rows(EventRow)
        for url in re.findall(r"http://localhost[^\s\"'\\]+", str(event.data))
    ]
    assert any("/confirm/" in url for url in mailed)
    routes = [
        f"/status/{rule}/{token}?{query}"
        for rule in ("confirm", "manage", "unsubscribe")
        for token in tokens
        for query in (
            "",
            "confirmed=1",
            "saved=1",
            "action=subscribe&type=email&email=a%40b.example",
        )
    ]
    given = {"token": tokens[0], "page_slug": "main", "component_slug": "api"}
    with site.app.test_request_context():
        rules = [
            rule
            for rule in site.app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and rule.arguments <= set(given)
        ]
        routes += [
            str(rule.build({name: given[name] for name in rule.arguments})[1])  # type: ignore[index]
            for rule in rules
        ]
    before = site.contents()
    seen = opened(site, [*mailed, *routes, "/portal"])
    assert {f"/status/{rule}/{tokens[1]}" for rule in ("manage", "unsubscribe")} <= seen
    assert f"/status/confirm/{tokens[2]}" in {path.partition("?")[0] for path in seen}
    assert len(seen) > 40
    assert site.contents() == before


# Links that do not work


def title_of(html: str) -> str:
    found = re.search(r"<h1[^>]*>([^<]*)", html)
    assert found
    return found[1]


def refused(site: Site, path: str, status: int) -> None:
    """*path* is refused by GET and POST with a page that has one next step, and nothing changes."""
    before = site.contents()
    for method in ("GET", "POST"):
        answer = site.client.open(site.prefix + path, method=method, headers=HTML)
        assert answer.status_code == status, (method, path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert title_of(answer.text).startswith("This link ")
        (content,) = re.findall(
            r'<div class="sp-narrow sp-error">.*?</div>', answer.text, re.DOTALL
        )
        steps = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>([^<]*)', content)
        assert steps == [(f"{site.prefix}/subscribe", "Get a new link")]
        assert "token" not in content.lower()
    assert site.contents() == before


def rows_of(site: Site) -> tuple[Any, Any]:
    """A confirmed subscription and one that waits."""
    for name in ("ann", "bob"):
        site.post("/subscribe", json={"channel": "email", "address": f"{name}@example.com"})
    ann = next(row for row in site.rows(Subscription) if row.address.startswith("ann"))
    site.post(f"/confirm/{site.token(links.CONFIRM, ann)}")
    by_name = {row.address[:3]: row for row in site.rows(Subscription)}
    return by_name["ann"], by_name["bob"]


def test_links_of_another_site(make_site: SiteMaker) -> None:
    """What another site signed, with another key, is no link here."""
    site, other = make_site(), make_site(SECRET_KEY="another key", statuspage=StatusPage())
    ann, bob = rows_of(site)
    for purpose, row, paths in (
        (links.OWN, ann, ("manage", "unsubscribe")),
        (links.CONFIRM, bob, ["confirm"]),
    ):
        token = other.token(purpose, row)
        for path in paths:
            refused(site, f"/{path}/{token}", 404)


def test_links_for_another_purpose(make_site: SiteMaker) -> None:
    """A link that confirms does not manage, and one that manages does not confirm."""
    site = make_site()
    ann, bob = rows_of(site)
    refused(site, f"/confirm/{site.token(links.OWN, bob)}", 404)
    refused(site, f"/manage/{site.token(links.CONFIRM, ann)}", 404)
    refused(site, f"/unsubscribe/{site.token(links.CONFIRM, ann)}", 404)


def test_used_and_replaced_links(make_site: SiteMaker) -> None:
    """A link that was used, whose subscription is gone, or that a newer one replaced is gone itself."""
    site = make_site()
    ann, bob = rows_of(site)
    used = site.token(links.CONFIRM, bob)
    assert site.post(f"/confirm/{used}").status_code == 303
    refused(site, f"/confirm/{used}", 410)
    token = site.token(links.OWN, ann)
    assert site.ask("DELETE", f"/subscriptions/{ann.id}").status_code == 204
    refused(site, f"/manage/{token}", 410)


def test_links_of_another_page(make_site: SiteMaker) -> None:
    """A link works under its own page, and under an address that leads nowhere any more, not under another page's.

    The right to leave is not bound to an address.
    """
    site = make_site()
    site.made("/pages", name="Second", slug="second")
    ann, bob = rows_of(site)
    own, confirm = site.token(links.OWN, ann), site.token(links.CONFIRM, bob)
    before = site.contents()
    for path in (f"/second/manage/{own}", f"/second/confirm/{confirm}"):
        for method in ("GET", "POST"):
            answer = site.client.open(site.prefix + path, method=method, headers=HTML)
            assert answer.status_code == 404, (method, path)
            assert "another status page" in answer.text
    assert site.contents() == before
    assert site.get(f"/renamed/manage/{own}", headers=HTML).status_code == 200
    assert site.post(f"/second/unsubscribe/{own}").status_code == 200


def test_leaving_is_one_request(make_site: SiteMaker) -> None:
    """A mail program's POST has neither cookies nor a redirect; the page offers to come back."""
    site = make_site(csrf="before")
    ann, _ = rows_of(site)
    program = site.app.test_client(use_cookies=False)
    path = f"{site.prefix}/unsubscribe/{site.token(links.OWN, ann)}"
    body = {"List-Unsubscribe": "One-Click"}
    answer = program.post(path, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert f'href="{site.prefix}/subscribe">Subscribe again' in answer.text
    assert site.post("/subscribe", json={"channel": "email", "address": ANN}).status_code == 202


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods(make_site: SiteMaker, method: str) -> None:
    """No other method does anything at these addresses."""
    site = make_site()
    ann, bob = rows_of(site)
    before = site.contents()
    for path in (
        f"/manage/{site.token(links.OWN, ann)}",
        f"/unsubscribe/{site.token(links.OWN, ann)}",
        f"/confirm/{site.token(links.CONFIRM, bob)}",
        "/subscribe",
    ):
        assert site.client.open(site.prefix + path, method=method).status_code == 405
    assert site.contents() == before
