"""Who sees which page: every public route, for a stranger, a customer and a member."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, render_template_string, request
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from flask_statuspage.delivery import links
from flask_statuspage.services import events
from flask_statuspage.state import state_of
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.web import cache as caching
from tests.web.queries import Queries
from tests.web.site import API, Site, SiteMaker
from tests.web.test_manage_api import WINDOW
from tests.web.test_public import DOCUMENTS, broken_file

HTML = {"Accept": "text/html,*/*;q=0.8"}
HOOK = "https://1.1.1.1/hook"
ANN, ED = "ann@example.com", "ed@example.com"
VISITORS = ("stranger", "customer", "named", "editor", "member")
"""`named` is a customer whom the host's member loader names as well, and `member` an admin."""
SECRET_WORD = "Moonshot"
"""Part of every text on the page that is not public."""

MAILED = {"confirm", "manage", "unsubscribe"}
FOR_ALL = {"widget", "widget_js", "widget_json"}
"""What other sites show: of public pages only."""

NOTHING = {"no_document", "no_statuspage"}


def banners(app: Flask) -> None:
    """A page of the host's own that tells of the page `internal`."""

    @app.get("/portal")
    def portal() -> str:
        return render_template_string(
            "{{ statuspage_banner('internal') }}|{{ statuspage_subscribe_form(page='internal') }}|"
            "{{ statuspage_strip('moonshot-rocket', page='internal') }}"
        )


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site with the public default page and a page `internal` that tells of an incident."""
    site = make_site(host=banners, STATUSPAGE_PAGE_URL="https://status.acme.example/s")
    site.statuspage.member_loader(lambda: request.cookies.get("member"))
    site.take_in(ANN, "admin")
    site.take_in(ED, "editor")
    site.statuspage.subscriber_loader(lambda: request.cookies.get("customer"))
    site.made("/pages", name=f"{SECRET_WORD} inside", slug="internal")
    name = f"{SECRET_WORD} rocket"
    site.made("/components", name=name, page="internal", status="major_outage")
    site.made("/components", name="Open")
    return site


def become(site: Site, visitor: str) -> None:
    """From now on *visitor* asks."""
    for name in ("member", "customer"):
        site.client.delete_cookie(name)
    if visitor != "stranger":
        name = "customer" if visitor == "customer" else "member"
        site.client.set_cookie(name, {"named": "eve@example.com", "editor": ED}.get(visitor, ANN))


def make(site: Site, visibility: str, page: str = "internal") -> str:
    """Set the page's visibility; what stands in URLs in the place of its slug."""
    answer = site.ask("PATCH", f"/pages/{page}", {"visibility": visibility})
    assert answer.status_code == 200, answer.text
    if visibility != "link":
        return page
    link: str = answer.get_json()["link"]
    return link.rpartition("/")[2]


def routes(site: Site) -> Iterator[tuple[Rule, str]]:
    """Every route that pages have, with a path below the page's address that it answers."""
    made = site.made("/incidents", title=f"{SECRET_WORD} burns", page="internal")
    window = {**WINDOW, "title": f"{SECRET_WORD} rests"}
    values = {
        "incident_id": made["id"],
        "maintenance_id": site.made("/maintenances", **window, page="internal")["id"],
        "component_slug": "moonshot-rocket",
        "token": "none",
        "rest": "nothing",
    }
    start = f"{site.prefix}/<page_slug>"
    for rule in site.app.url_map.iter_rules():
        if not rule.rule.startswith(start):
            continue
        path = rule.rule.removeprefix(start)
        for name in rule.arguments - {"page_slug"}:
            converter = next(p for p in path.split("<") if p.split(">")[0].endswith(name))
            path = path.replace(f"<{converter.split('>')[0]}>", values[name])
        yield rule, path


def endpoint(rule: Rule) -> str:
    return rule.endpoint.rpartition(".")[2]


def methods(rule: Rule) -> list[str]:
    return sorted(rule.methods or ())


def ask(site: Site, method: str, path: str, **options: Any) -> TestResponse:
    return site.client.open(site.prefix + path, method=method, **options)


def is_private(answer: TestResponse) -> bool:
    """Whether no cache, script of another site or search engine gets hold of it."""
    headers = answer.headers
    return (
        headers["Cache-Control"] == "private, no-store"
        and headers["X-Robots-Tag"] == "noindex"
        and headers["Referrer-Policy"] == "no-referrer"
        and not any(name.startswith("Access-Control-") for name, _ in headers)
    )


def alike(answer: TestResponse) -> tuple[int, dict[str, str], str]:
    """What a reader can tell answers apart by."""
    return answer.status_code, dict(answer.headers), answer.text


def test_the_walk_meets_the_routes(site: Site) -> None:
    """The walk of the tests below is over pages, documents, badge, sign-up and mailed links."""
    found = {endpoint(rule) for rule, _ in routes(site)}
    assert found >= {"home", "incident", "subscribe", "badge", "theme", "summary_json", *MAILED}


@pytest.mark.parametrize("headers", [HTML, {}, {"If-None-Match": "*"}], ids=["html", "any", "tag"])
def test_signed_in_pages_refuse_strangers(site: Site, headers: dict[str, str]) -> None:
    """Every route of the page is 403 for a stranger, whatever the method, and says nothing of the page."""
    make(site, "signed-in")
    walk = list(routes(site))
    before = site.contents()
    for rule, path in walk:
        if endpoint(rule) in MAILED:
            continue
        for method in methods(rule):
            answer = ask(site, method, f"/internal{path}", headers=headers)
            assert answer.status_code == 403, (method, path)
            assert SECRET_WORD not in answer.text
            assert is_private(answer), (method, path, answer.headers)
            assert "Cookie" in answer.headers["Vary"]
            assert "ETag" not in answer.headers
    assert site.contents() == before


def test_what_a_refused_stranger_reads(site: Site) -> None:
    """People get a page with one way on, programs problem details."""
    make(site, "signed-in")
    page = site.get("/internal/", headers=HTML)
    assert "<h1" in page.text
    assert "This page is for signed-in visitors" in page.text
    problem = site.get("/internal/api/v2/summary.json")
    assert problem.mimetype == "application/problem+json"
    assert problem.get_json()["status"] == 403


@pytest.mark.parametrize("visitor", VISITORS[1:])
def test_signed_in_pages_answer_those_who_are_known(site: Site, visitor: str) -> None:
    """Customers and members see every document of it; no cache may keep one."""
    make(site, "signed-in")
    become(site, visitor)
    for rule, path in routes(site):
        if endpoint(rule) in MAILED or endpoint(rule) in NOTHING:
            continue
        answer = site.get(f"/internal{path}")
        if endpoint(rule) in FOR_ALL:
            assert answer.status_code == 404, path
            continue
        assert answer.status_code == 200, path
        assert is_private(answer), (path, answer.headers)
        assert "Cookie" in answer.headers["Vary"]
    assert SECRET_WORD in site.get("/internal/").text


def test_conditional_requests_to_private_pages(site: Site) -> None:
    """Those who may see it get 304 without a word for caches; a stranger with the very tag gets 403."""
    make(site, "signed-in")
    for path in ("/internal/", "/internal/api/v2/summary.json", "/internal/api/v2/badge.svg"):
        become(site, "customer")
        etag = site.get(path).headers["ETag"]
        for method in ("GET", "HEAD"):
            same = ask(site, method, path, headers={"If-None-Match": etag})
            assert same.status_code == 304
            assert is_private(same)
            assert "Cookie" in same.headers["Vary"]
        become(site, "stranger")
        for condition in ({"If-None-Match": etag}, {"If-Modified-Since": "Wed, 01 Jan 2998"}):
            assert site.get(path, headers=condition).status_code == 403


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("headers", [HTML, {}], ids=["html", "any"])
def test_a_page_by_link_is_hidden_at_its_slug(
    site: Site, visitor: str, headers: dict[str, str]
) -> None:
    """Under its slug it answers to the letter as a page that does not exist, to everybody."""
    make(site, "link")
    become(site, visitor)
    for rule, path in routes(site):
        if endpoint(rule) in MAILED:
            continue
        for method in methods(rule):
            hidden = ask(site, method, f"/internal{path}", headers=headers)
            absent = ask(site, method, f"/nonesuch{path}", headers=headers)
            assert absent.status_code == 404
            status, shown, text = alike(absent)
            assert alike(hidden) == (status, shown, text.replace("nonesuch", "internal"))


@pytest.mark.parametrize("visitor", VISITORS)
def test_a_page_by_link_answers_under_its_token(site: Site, visitor: str) -> None:
    """Whoever has the link sees everything there, all its links stay there, and no cache keeps it."""
    token = make(site, "link")
    become(site, visitor)
    for rule, path in routes(site):
        if endpoint(rule) in MAILED or endpoint(rule) in NOTHING:
            continue
        for method in ("GET", "HEAD"):
            answer = ask(site, method, f"/{token}{path}")
            assert answer.status_code == (404 if endpoint(rule) in FOR_ALL else 200), path
            assert is_private(answer), (path, answer.headers)
        if endpoint(rule) in FOR_ALL:
            continue
        if answer.headers["Content-Type"].startswith("text/html"):
            html = site.get(f"/{token}{path}").text
            targets = [part.split('"')[0] for part in html.split('href="')[1:]]
            assert any(target.startswith(f"/status/{token}/") for target in targets)
            assert not any("internal" in target for target in targets)
    assert SECRET_WORD in site.get(f"/{token}/").text
    url = site.json(f"/{token}/api/v2/status.json")["page"]["url"]
    assert url == f"https://status.acme.example/s/{token}"
    etag = site.get(f"/{token}/").headers["ETag"]
    same = site.get(f"/{token}/", headers={"If-None-Match": etag})
    assert same.status_code == 304
    assert is_private(same)


def test_wrong_tokens(site: Site) -> None:
    """Nothing but the whole token in its own letters opens the page."""
    token = make(site, "link")
    assert len(token) >= 32
    wrong = [token[:-1], token + "A", token.swapcase(), token[1:], "%00", "_", "None", "main-"]
    for tried in wrong:
        assert site.get(f"/{tried}/").status_code == 404, tried


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_tokens_have_their_letters_on_mariadb(database_url: str, migrated_site: Any) -> None:
    """MariaDB compares texts in any case; a token is compared by its letters all the same."""
    site: Site = migrated_site(database_url)
    page = site.made("/pages", name="Inside", slug="internal", visibility="link")
    token = page["link"].rpartition("/")[2]
    assert site.get(f"/{token}/").status_code == 200
    assert site.get(f"/{token.swapcase()}/").status_code == 404
    assert site.get(f"/{token.swapcase()}/subscribe").status_code == 404


def test_rotation(site: Site, make_site: SiteMaker) -> None:
    """Another link ends the old one at once here, and within the second in other processes."""
    token = make(site, "link")
    other = make_site(url=site.app.config["SQLALCHEMY_DATABASE_URI"])
    for each in (site, other):
        assert each.get(f"/{token}/").status_code == 200
    answer = site.ask("POST", "/pages/internal/rotate-link")
    assert answer.status_code == 200
    fresh = answer.get_json()["link"].rpartition("/")[2]
    assert fresh != token
    assert site.get(f"/{token}/").status_code == 404
    assert site.get(f"/{fresh}/").status_code == 200
    time.sleep(1.1)
    assert other.get(f"/{token}/").status_code == 404
    assert other.get(f"/{fresh}/").status_code == 200


def test_only_pages_by_link_have_one_to_rotate(site: Site) -> None:
    """A page of another visibility is 409."""
    for visibility in ("public", "signed-in"):
        make(site, visibility)
        assert site.ask("POST", "/pages/internal/rotate-link").status_code == 409
    assert site.ask("POST", "/pages/nothing/rotate-link").status_code == 404


def test_a_page_that_was_seen_by_link_gets_another_one(site: Site) -> None:
    """A link that has stopped working stays dead when the page is hidden again."""
    token = make(site, "link")
    make(site, "public")
    assert site.get(f"/{token}/").status_code == 404
    assert site.get("/internal/").status_code == 200
    assert make(site, "link") != token
    assert site.get(f"/{token}/").status_code == 404


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_a_page_that_turns_private(site: Site, make_site: SiteMaker, visibility: str) -> None:
    """What was warm is no longer served: at once here, within the second in another process."""
    other = make_site(url=site.app.config["SQLALCHEMY_DATABASE_URI"])
    refused = 403 if visibility == "signed-in" else 404
    paths = [f"/internal{path}" for path in ("/", *DOCUMENTS)]
    tags = {path: site.get(path).headers["ETag"] for path in paths}
    for path in paths:
        assert other.get(path).status_code == 200
    make(site, visibility)
    for path, tag in tags.items():
        assert site.get(path, headers={"If-None-Match": tag}).status_code == refused
    time.sleep(1.1)
    for path, tag in tags.items():
        assert other.get(path, headers={"If-None-Match": tag}).status_code == refused
    make(site, "public")
    for path in paths:
        assert site.get(path).status_code == 200
        assert "private" not in site.get(path).headers["Cache-Control"]


def test_a_document_is_checked_by_its_own_snapshot(site: Site) -> None:
    """What no longer is for the visitor when the document is ready is not sent, though the gate let the visitor in."""
    asked: list[str] = []

    def member() -> str | None:
        asked.append("gate")
        make(site, "link")  # somebody closes the page after the gate has looked
        return "ann"

    site.statuspage.member_loader(member)
    for path in ("/", "/api/feed.xml", "/api/incidents.csv", *DOCUMENTS):
        make(site, "signed-in")
        asked.clear()
        answer = site.get(f"/internal{path}")
        assert asked == ["gate"]
        assert answer.status_code == 404
        assert SECRET_WORD not in answer.text


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_the_default_page(site: Site, visibility: str) -> None:
    """The default page hides as well, at the root and under its slug; the other page stays where it is."""
    token = make(site, visibility, "main")
    refused = 403 if visibility == "signed-in" else 404
    for start in ("", "/main"):
        for path in ("/", "/subscribe", *DOCUMENTS):
            answer = site.get(start + path)
            assert answer.status_code == refused, start + path
            assert "Open" not in answer.text
        assert site.post(f"{start}/?action=subscribe").status_code == refused
    assert site.get("/internal/").status_code == 200
    if visibility == "link":
        assert "Open" in site.get(f"/{token}/").text
        assert site.get("/").headers.get("Cache-Control") == "no-store"
    else:
        become(site, "customer")
        assert "Open" in site.get("/").text


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_without_the_database_the_last_known_rule_holds(site: Site, visibility: str) -> None:
    """What was private before the database went away stays so, and those who may see it get what was known."""
    token = make(site, visibility)
    become(site, "customer")
    assert site.get(f"/{token}/").status_code == 200
    become(site, "stranger")
    mend = broken_file(site)
    state_of(site.app).documents.expire_versions()
    if visibility == "signed-in":
        assert site.get("/internal/").status_code == 403
        become(site, "customer")
    else:
        assert (
            site.get("/internal/").status_code == 503
        )  # nobody knows whether there is such a page
    for path in ("/", *DOCUMENTS):
        answer = site.get(f"/{token}{path}")
        assert answer.status_code == 200, path
        assert answer.headers["Warning"].startswith("110 ")
        assert is_private(answer)
    mend()


@pytest.mark.parametrize("visibility", ["public", "signed-in", "link"])
def test_the_gate_costs_no_query(
    site: Site, visibility: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm page is answered, or refused, without a word to the database."""
    # It looks at the versions of pages once a second: all of this is within one, however slow the machine is.
    now = time.monotonic()
    monkeypatch.setattr(caching, "time", SimpleNamespace(monotonic=lambda: now))
    token = make(site, visibility)
    become(site, "customer")
    paths = [f"/{token}{path}" for path in ("/", *DOCUMENTS)]
    for path in paths:
        site.get(path)
    state_of(site.app).documents.expire_versions()
    site.get(paths[0])
    with Queries(site) as queries:
        for path in paths:
            assert site.get(path).status_code == 200
        if visibility == "signed-in":
            become(site, "stranger")
            assert site.get(paths[0]).status_code == 403
    assert queries.sent == []


# Sign-up and what is mailed


def sign_ups(site: Site, address: str) -> list[TestResponse]:
    """All the ways to subscribe to the page at *address*."""
    return [
        site.get(f"/{address}/subscribe", headers=HTML),
        site.post(f"/{address}/subscribe", json={"channel": "email", "address": ANN}),
        site.post(f"/{address}/subscribe", data={"channel": "email", "address": ANN}),
        site.post(f"/{address}/?action=subscribe", data={"type": "webhook", "url": HOOK}),
        site.post(f"/{address}?action=subscribe", data={"type": "webhook", "url": HOOK}),
    ]


@pytest.mark.parametrize(("visibility", "refused"), [("signed-in", 403), ("link", 404)])
def test_only_who_sees_a_page_may_subscribe(site: Site, visibility: str, refused: int) -> None:
    """Strangers sign up for nothing, in no form; those who see the page may."""
    token = make(site, visibility)
    assert [answer.status_code for answer in sign_ups(site, "internal")] == [refused] * 5
    assert site.rows(Subscription) == []
    become(site, "customer")
    answers = sign_ups(site, token)
    assert all(answer.status_code < 300 for answer in answers), answers
    assert all(is_private(answer) for answer in answers)
    assert len(site.rows(Subscription)) == 2


def subscribed(site: Site, address: str) -> Subscription:
    become(site, "customer")
    answer = site.post(f"/{address}/subscribe", json={"channel": "email", "address": ANN})
    assert answer.status_code == 202
    become(site, "stranger")
    return next(row for row in site.rows(Subscription) if row.channel == "email")


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_mailed_links_work(site: Site, visibility: str) -> None:
    """Confirm, manage and unsubscribe need nobody signed in, and outlive the page's link; they show no more of it
    than a choice needs, and none of its brand."""
    brand = {"header": "Inner header", "footer": "Inner footer", "colours": {"primary": "#7a1f5c"}}
    site.ask("PATCH", "/pages/internal", {**brand, "logo": "https://cdn.example/inner.svg"})
    site.made("/incidents", title="Inner incident", page="internal")
    token = make(site, visibility)
    row = subscribed(site, token)
    if visibility == "link":
        kept = site.ask("POST", "/pages/internal/rotate-link", {"subscribers": "keep"})
        assert kept.status_code == 200
    confirm = site.token(links.CONFIRM, row)
    answers = [site.get(f"/{token}/confirm/{confirm}"), site.post(f"/{token}/confirm/{confirm}")]
    own = site.token(links.OWN, site.rows(Subscription)[0])
    answers += [
        site.get(f"/{token}/manage/{own}"),
        site.post(f"/{token}/manage/{own}", data={"scope": "all", "events": "incident.created"}),
        site.get(f"/{token}/unsubscribe/{own}"),
        site.post(f"/{token}/unsubscribe/{own}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 303, 200, 303, 200, 200]
    for answer in answers:
        assert answer.status_code == 303 or is_private(answer)
        assert "Inner" not in answer.text
        assert "cdn.example" not in answer.text + str(answer.headers)
        assert "theme.css" not in answer.text
        assert "major outage" not in answer.text.lower()


def test_mailed_links_show_the_brand_to_who_may_see_it(site: Site) -> None:
    """With the page's present link, or on a public page, the brand is there."""
    site.ask("PATCH", "/pages/internal", {"header": "Inner header"})
    row = subscribed(site, "internal")
    assert "Inner header" in site.get(f"/internal/manage/{site.token(links.OWN, row)}").text
    token = make(site, "link")
    assert "Inner header" in site.get(f"/{token}/manage/{site.token(links.OWN, row)}").text
    assert "Inner header" not in site.get(f"/internal/manage/{site.token(links.OWN, row)}").text


def test_events_lead_to_the_link(site: Site) -> None:
    """What subscribers are told of a page by link leads there; the page's own URL is its base."""
    token = make(site, "link")
    site.made("/incidents", title="Told", page="internal")
    event = max(site.rows(EventRow), key=lambda row: row.sequence)
    url = f"https://status.acme.example/s/{token}"
    assert event.data["page"]["url"] == url
    assert event.data["incident"]["url"].startswith(f"{url}/incidents/")
    own = {"url": "https://inside.example/"}
    answer = site.ask("PATCH", "/pages/internal", own)
    assert answer.get_json()["link"] == f"https://inside.example/{token}"
    assert site.json(f"/{token}/api/v2/status.json")["page"]["url"] == answer.get_json()["link"]


# Who learns of the link


def test_the_link_is_for_admins_only(site: Site) -> None:
    """The link is in the answers to admins, in no other answer of the manage API, and never in the audit."""
    token = make(site, "link")
    second = site.ask("POST", "/pages/internal/rotate-link").get_json()["link"].rpartition("/")[2]
    for role in ("viewer", "editor", "admin", "owner"):
        for path in ("/pages", "/pages/internal"):
            text = site.ask("GET", path, role=role).text
            assert (second in text) is (role in ("admin", "owner")), (role, path)
            assert ("link" in text.replace('"visibility": "link"', "")) is (second in text)
    make(site, "public")
    assert "link" not in site.ask("GET", "/pages/internal").get_json()
    entries = [row for row in site.rows(AuditEntry) if row.subject == "page"]
    assert {"create", "change", "rotate_link"} <= {row.action for row in entries}
    written = str([(row.before, row.after) for row in entries])
    assert token not in written
    assert second not in written


# In the host's own pages


@pytest.mark.parametrize(
    ("visibility", "sees"),
    [("public", set(VISITORS)), ("signed-in", set(VISITORS[1:])), ("link", {"member"})],
)
def test_banner_and_form_in_a_hosts_template(site: Site, visibility: str, sees: set[str]) -> None:
    """Only a visitor who may see the page learns of it there; of a page by link, who may make its link."""
    token = make(site, visibility)
    for visitor in VISITORS:
        become(site, visitor)
        text = site.client.get("/portal").text
        if visitor in sees:
            assert SECRET_WORD in text, visitor
            assert f'action="/status/{token}/subscribe"' in text
            assert f'href="/status/{token}/components/moonshot-rocket' in text
        else:
            assert text == "||", visitor


# Pages apart


def test_nothing_of_one_page_is_on_another(site: Site) -> None:
    """No document of any page has a word of another, whatever their visibility; nor has a page the other's incident."""
    names = {"alpha": "public", "bravo": "signed-in", "gamma": "link"}
    addresses, incidents = {}, {}
    for name, visibility in names.items():
        page = site.made("/pages", name=f"{name}-page", slug=name, visibility=visibility)
        addresses[name] = page["link"].rpartition("/")[2] if visibility == "link" else name
        where = {"page": name}
        site.made("/component-groups", name=f"{name}-group", **where)
        site.made("/components", name=f"{name}-part", group=f"{name}-group", **where)
        site.made("/monitors", name=f"{name}-watch", target=HOOK, component=f"{name}-part", **where)
        made = site.made(
            "/incidents", title=f"{name}-fire", body=f"{name}-words", impact="major", **where
        )
        incidents[name] = made["id"]
        site.ask("PATCH", f"/pages/{name}", {"header": f"{name}-head", "footer": f"{name}-foot"})
        site.made("/subscriptions", channel="webhook", address=f"{HOOK}/{name}-hook", **where)
    become(site, "member")
    single = {"incident", "maintenance", "maintenance_ics"}
    for name, address in addresses.items():
        others = [other for other in names if other != name]
        for rule, path in routes(site):
            if endpoint(rule) in MAILED or endpoint(rule) in {*NOTHING, *single}:
                continue
            if endpoint(rule) in FOR_ALL and names[name] != "public":
                continue
            answer = site.get(f"/{address}{path.replace('moonshot-rocket', f'{name}-part')}")
            assert answer.status_code == 200, path
            for other in others:
                assert f"{other}-" not in answer.text, (name, path, other)
        assert f"{name}-words" in site.get(f"/{address}/").text
        for other, incident in incidents.items():
            answer = site.get(f"/{address}/incidents/{incident}")
            assert answer.status_code == (200 if other == name else 404), (name, other)
        for resource in ("components", "component-groups", "monitors", "incidents"):
            text = site.ask("GET", f"/{resource}?status_page={name}").text
            assert f"{name}-" in text
            assert not any(f"{other}-" in text for other in others)
        hooks = site.ask("GET", f"/subscriptions?status_page={name}").get_json()["items"]
        assert [item["address"] for item in hooks] == [f"{HOOK}/{name}-hook"]
    assert site.get(f"/incidents/{incidents['gamma']}").status_code == 404


def test_an_event_is_told_to_its_own_page_only(site: Site) -> None:
    """Webhooks of two pages hear of their own incidents only, and a change leaves the other page's version alone."""
    hooks = {
        page: site.made("/subscriptions", channel="webhook", address=f"{HOOK}/{page}", page=page)
        for page in ("main", "internal")
    }
    versions = {row.slug: row.version for row in site.rows(Page)}
    site.made("/incidents", title="Inside only", page="internal")
    after = {row.slug: row.version for row in site.rows(Page)}
    assert after["main"] == versions["main"]
    assert after["internal"] > versions["internal"]
    tell(site)
    deliveries = site.ask("GET", "/deliveries?status_page=internal").get_json()["items"]
    assert {item["subscription_id"] for item in deliveries} == {hooks["internal"]["id"]}
    assert site.ask("GET", "/deliveries?status_page=main").get_json()["items"] == []


def tell(site: Site) -> None:
    """Make the deliveries of all events that wait."""
    with site.app.app_context():
        while events.expand_waiting(site.db.session):
            site.db.session.commit()


def test_the_manage_api_is_not_below_a_page(site: Site) -> None:
    """A hidden default page leaves the manage API and the stylesheet where they are."""
    make(site, "link", "main")
    assert site.ask("GET", "/components").status_code == 200
    assert site.get(f"{API}/components").status_code == 401
    with site.get("/assets/statuspage.css") as file:
        assert file.status_code == 200


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_a_mailed_link_lists_no_services_of_a_closed_page(site: Site, visibility: str) -> None:
    """Whoever has one and may not see the page is offered what the subscription chose, and learns of nothing else."""
    site.made("/components", name="Boring Box", page="internal")
    body = {"channel": "email", "address": ANN, "components": ["boring-box"], "page": "internal"}
    made = site.made("/subscriptions", **body)
    (row,) = site.rows(Subscription)
    own = f"/internal/manage/{site.token(links.OWN, row)}"
    assert f"{SECRET_WORD} rocket" in site.get(own).text
    address = make(site, visibility)
    shown = site.get(own).text
    assert "Boring Box" in shown
    assert "rocket" not in shown
    choice = {"scope": "some", "events": "incident.created"}
    for slug in ("moonshot-rocket", "nonesuch"):
        refused = site.post(own, data={**choice, "components": slug})
        assert refused.status_code == 422
        assert f"There is no component <bdi>&#39;{slug}&#39;</bdi> on this page" in refused.text
        assert f"{SECRET_WORD} rocket" not in refused.text
    assert site.post(own, data={**choice, "components": "boring-box"}).status_code == 303
    kept = site.ask("GET", f"/subscriptions/{made['id']}?status_page=internal").get_json()
    assert kept["components"] == made["components"]
    if visibility == "signed-in":
        become(site, "customer")
    assert f"{SECRET_WORD} rocket" in site.get(own.replace("internal", address)).text
