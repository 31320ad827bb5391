"""In which language a page is shown, and that nobody is given an answer in somebody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask, render_template_string, request
from sqlalchemy import text

from flask_statuspage.delivery import links
from flask_statuspage.state import state_of
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.web import languages, ready
from flask_statuspage.web.languages import accepted
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html"}
OFFERED = ("en", "de", "fr", "ar")


def language_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    (found,) = re.findall(r'<html lang="([\w-]+)"', answer.text)
    assert answer.headers.get("Content-Language", found) == found
    return str(found)


def ask(site: Site, path: str = "/", header: str = "", **options: Any) -> Any:
    headers = {"Accept-Language": header} if header else {}
    return site.get(path, headers=headers, **options)


@pytest.fixture
def spoken(make_site: SiteMaker) -> Site:
    """A site whose host says nothing of languages."""
    return make_site(STATUSPAGE_LOCALES=OFFERED)


@pytest.fixture
def hosted(make_site: SiteMaker) -> Site:
    """A site whose host knows its visitors' language, by a cookie."""
    site = make_site(STATUSPAGE_LOCALES=OFFERED)
    site.statuspage.locale_loader(lambda: request.cookies.get("language"))
    return site


def own_language(site: Site, locale: str) -> None:
    (page,) = site.rows(Page)
    answer = site.ask("PATCH", f"/pages/{page.id}", {"locale": locale})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("path", "cookie", "page", "header", "language"),
    [
        ("/?lang=ar", "de", "fr", "en", "ar"),
        ("/", "de", "fr", "en", "de"),
        ("/", "de_AT", "fr", "en", "de"),
        ("/", "", "fr", "en", "fr"),
        ("/", "ja", "fr", "en", "fr"),
        ("/", "", "", "de-CH,fr;q=0.5", "de"),
        ("/", "", "", "ja", "en"),
        ("/", "", "", "", "en"),
        ("/?lang=xx", "", "", "de", "de"),
        ("/?lang=", "", "fr", "de", "fr"),
        ("/?lang=DE", "", "", "fr", "fr"),
        ("/?lang=de&lang=fr", "", "", "", "de"),
        ("/?lang=ja", "", "", "de", "de"),
        ("/?lang=%00", "", "", "de", "de"),
        ("/?lang=" + "de" * 2000, "", "", "fr", "fr"),
    ],
)
def test_what_counts_first(
    hosted: Site, path: str, cookie: str, page: str, header: str, language: str
) -> None:
    """The visitor's choice, then the host's word, the page's setting, the browser's wish, the first that is offered."""
    if page:
        own_language(hosted, page)
    if cookie:
        hosted.client.set_cookie("language", cookie)
    for where in (path, path.replace("/", "/subscribe", 1)):
        assert language_of(ask(hosted, where, header)) == language


def test_a_choice_is_kept_by_links(spoken: Site) -> None:
    """Links to other pages go on in the chosen language, and each page links to itself in the others."""
    html = ask(spoken, "/?lang=de").text
    assert f'href="{spoken.prefix}/subscribe?lang=de"' in html
    assert "?lang=" not in re.sub(
        r"<(a|link)\b[^>]*hreflang=[^>]*>", "", ask(spoken, "/", "de").text
    )


@pytest.mark.parametrize("unknown", ["xx", "", "DE", "en-GB", "ja", "%00"])
@pytest.mark.parametrize("path", ["/", "/docs", "/history", "/widget", "/subscribe"])
def test_a_language_that_is_not_offered(spoken: Site, path: str, unknown: str) -> None:
    """It is as if none was chosen: each browser gets its own, of what is kept for all, and no link repeats it."""
    for header in ("de", "fr"):
        plain = ask(spoken, path, header)
        answer = ask(spoken, f"{path}?lang={unknown}", header)
        assert language_of(answer) == header
        assert answer.text == plain.text
        for name in ("Vary", "ETag", "Cache-Control"):
            assert answer.headers.get(name) == plain.headers.get(name), name
        others = re.sub(r"<(a|link)\b[^>]*hreflang=[^>]*>", "", answer.text)
        assert not re.search(r'(href|action)="[^"]*[?;&]lang=', others)
    cache = state_of(spoken.app).documents
    kept = [name for shelf in (cache._documents, cache._rare) for _, name in shelf]
    assert len(kept) == (0 if path == "/subscribe" else 2), kept


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_caches_are_told_what_the_answer_depends_on(spoken: Site, path: str) -> None:
    """A negotiated answer varies by `Accept-Language`; a chosen one and one of the page's own setting do not."""
    negotiated = ask(spoken, path, "de")
    assert negotiated.headers["Content-Language"] == "de"
    assert "Accept-Language" in negotiated.headers["Vary"]
    assert "Cookie" not in negotiated.headers["Vary"]
    assert negotiated.headers["Cache-Control"].startswith("public")
    chosen = ask(spoken, f"{path}?lang=fr", "de")
    assert chosen.headers["Content-Language"] == "fr"
    assert "Accept-Language" not in chosen.headers.get("Vary", "")
    own_language(spoken, "fr")
    own = ask(spoken, path, "de")
    assert own.headers["Content-Language"] == "fr"
    assert "Accept-Language" not in own.headers.get("Vary", "")


def test_what_the_host_says_is_for_its_one_visitor(hosted: Site) -> None:
    """With a locale loader no shared cache may keep the page, whatever the loader said this time."""
    for cookie in ("de", ""):
        hosted.client.set_cookie("language", cookie)
        answer = ask(hosted)
        assert answer.headers["Cache-Control"].startswith("private")
        assert "Cookie" in answer.headers["Vary"]
    chosen = ask(hosted, "/?lang=fr")
    assert chosen.headers["Cache-Control"].startswith("public")


def test_each_language_has_its_own_tag(spoken: Site) -> None:
    """HEAD says what GET says; a tag of one language is not taken for another's."""
    tags = {}
    for language in ("de", "fr"):
        answer = ask(spoken, "/", language)
        head = spoken.client.head(f"{spoken.prefix}/", headers={"Accept-Language": language})
        assert head.data == b""
        for name in ("ETag", "Content-Language", "Vary"):
            assert head.headers[name] == answer.headers[name]
        tags[language] = answer.headers["ETag"]
    assert tags["de"] != tags["fr"]
    for language, status in (("de", 304), ("fr", 200)):
        headers = {"Accept-Language": language, "If-None-Match": tags["de"]}
        answer = spoken.get("/", headers=headers)
        assert answer.status_code == status
        assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize("laned", [False, True])
def test_one_visitors_language_never_reaches_another(make_site: SiteMaker, laned: bool) -> None:
    """Whatever was asked for before, and whether or not the fast lane answers."""
    site = make_site(STATUSPAGE_LOCALES=OFFERED)
    if laned:
        site.app.wsgi_app = site.statuspage.fast_lane(site.app)  # type: ignore[method-assign]
    for _ in range(3):
        for path in ("/", "/docs"):
            for language in ("de", "fr", "en", "ar"):
                assert language_of(ask(site, path, language)) == language
            assert language_of(ask(site, f"{path}?lang=fr", "de")) == "fr"
            assert language_of(ask(site, path, "ja")) == "en"
            assert language_of(ask(site, path)) == "en"


def test_the_fast_lane_is_closed_to_what_the_host_says(make_site: SiteMaker) -> None:
    """With a locale loader every request is asked for its visitor's language."""
    site = make_site(STATUSPAGE_LOCALES=OFFERED)
    site.statuspage.locale_loader(lambda: request.cookies.get("language"))
    site.app.wsgi_app = site.statuspage.fast_lane(site.app)  # type: ignore[method-assign]
    for _ in range(2):
        for language in ("de", "fr"):
            site.client.set_cookie("language", language)
            assert language_of(ask(site, "/", "ar")) == language


def test_one_language_is_the_same_for_all(make_site: SiteMaker) -> None:
    """Where one is offered nothing is negotiated, and nothing can be chosen."""
    site = make_site(STATUSPAGE_LOCALES=("de",))
    answer = ask(site, "/?lang=fr", "fr")
    assert language_of(answer) == "de"
    assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_documents_for_programs_have_no_language(spoken: Site) -> None:
    """JSON, CSV and badges are English whatever the browser asks for, so that caches keep one of each."""
    for path in ("/api/v2/summary.json", "/api/incidents.csv", "/api/v2/badge.svg"):
        answers = [ask(spoken, path, language) for language in ("de", "ar")]
        assert answers[0].data == answers[1].data
        assert "Content-Language" not in answers[0].headers
        assert "Accept-Language" not in answers[0].headers.get("Vary", "")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("DE-at, en;q=0.5", "de"),
        ("ja,de;q=0.1", "de"),
        ("de;q=0,fr", "fr"),
        ("*", "en"),
        ("fr;q=nonsense", "en"),
        (";;,,=,", "en"),
        ("ä", "en"),
        ("de," * 100_000, "en"),
        ("x" * 1_000_000, "en"),
    ],
)
def test_what_a_browser_wants(header: str, language: str) -> None:
    """The best that is offered; of nonsense, and of what nobody would read, the first one."""
    assert accepted(header, OFFERED) == language


def test_what_all_readers_get_alike(make_site: SiteMaker) -> None:
    """Feeds of a page without a language of its own are in the first one offered, as its pages are."""
    site = make_site(STATUSPAGE_LOCALES=["de"])
    assert '<html lang="de"' in site.get("/").text
    assert "<language>de</language>" in site.get("/api/feed.xml").text


def test_headers_are_read_once() -> None:
    """The same wish is not parsed again, and a huge one is not parsed at all."""
    languages._preferred.cache_clear()
    for _ in range(100):
        accepted("de-AT,de;q=0.9", OFFERED)
    assert languages._preferred.cache_info().misses == 1


def test_a_host_with_flask_babel_is_asked(make_site: SiteMaker) -> None:
    """Where the site has Flask-Babel and no loader, its locale is the page's."""
    flask_babel = pytest.importorskip("flask_babel")

    def host(app: Flask) -> None:
        flask_babel.Babel(app, locale_selector=lambda: request.args.get("site", "en"))

    site = make_site(STATUSPAGE_LOCALES=OFFERED, host=host)
    assert language_of(ask(site, "/?site=de", "fr")) == "de"


def ask_for_nothing(app: Flask) -> str:
    """A loader that asks the database for what is not there, as any does while it is away."""
    app.extensions["sqlalchemy"].session.execute(text("SELECT language FROM no_such_table"))
    return "de"


@pytest.fixture(params=["raises", "no text", "database"])
def failing(request: pytest.FixtureRequest, make_site: SiteMaker) -> Site:
    """A site whose locale loader fails from its second component on."""
    site = make_site(STATUSPAGE_LOCALES=OFFERED)
    site.made("/components", name="API")
    loaders: dict[str, Any] = {
        "raises": lambda: 1 // 0,
        "no text": lambda: 5,
        "database": lambda: ask_for_nothing(site.app),
    }
    site.statuspage.locale_loader(loaders[request.param])
    return site


@pytest.mark.parametrize("path", ["/", "/components/api", "/history", "/subscribe", "/live.json"])
def test_a_loader_that_fails(failing: Site, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Pages are shown as if the host said nothing, for this visitor only, and the log tells of it."""
    answer = ask(failing, path, "fr")
    assert answer.status_code == 200
    assert answer.headers.get("Content-Language", "fr") == "fr"
    assert "public" not in answer.headers["Cache-Control"]
    assert "locale loader failed" in caplog.text
    missing = failing.get("/nothing", headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert missing.status_code == 404
    assert '<html lang="fr"' in missing.text


def test_a_loader_that_fails_loses_no_sign_up(failing: Site) -> None:
    """Who signs up is subscribed, and who ends it by one click is not any more."""
    form = {"channel": "email", "address": "a@example.com", "scope": "all"}
    assert failing.post("/subscribe", data=form, headers=HTML).status_code == 200
    (row,) = failing.rows(Subscription)
    gone = failing.post(
        f"/unsubscribe/{failing.token(links.OWN, row)}", data={"List-Unsubscribe": "One-Click"}
    )
    assert gone.status_code == 200
    assert [row.state for row in failing.rows(Subscription)] == [SubscriptionState.ENDED]


def test_unsubscribed_whatever_the_page_meets(
    spoken: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails in making the page that says so, one click has ended the subscription."""
    spoken.post("/subscribe", data={"channel": "email", "address": "a@example.com"})
    (row,) = spoken.rows(Subscription)
    url = f"/unsubscribe/{spoken.token(links.OWN, row)}"
    spoken.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("flask_statuspage.web.shown.frame", lambda *given, **more: 1 // 0)
    assert spoken.post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 500
    assert [row.state for row in spoken.rows(Subscription)] == [SubscriptionState.ENDED]


def test_a_host_keeps_its_transaction(make_site: SiteMaker) -> None:
    """A loader that fails in a page of the host's ends nothing of what the host is about to save."""

    def host(app: Flask) -> None:
        @app.get("/own")
        def own() -> str:
            session = app.extensions["sqlalchemy"].session
            session.execute(text("CREATE TABLE own (name TEXT)"))
            session.commit()
            session.execute(text("INSERT INTO own VALUES ('kept')"))
            html = render_template_string("{{ statuspage_strip('api') }}")
            session.commit()
            return html + str(session.execute(text("SELECT name FROM own")).all())

    site = make_site(STATUSPAGE_LOCALES=OFFERED, host=host)
    site.made("/components", name="API")
    site.get("/")
    site.statuspage.locale_loader(lambda: ask_for_nothing(site.app))
    answer = site.client.get("/own")
    assert "kept" in answer.text
    assert "sp-" in answer.text


def test_links_keep_all_of_a_query(spoken: Site) -> None:
    """A parameter that comes twice comes twice in the other language."""
    html = ask(spoken, "/subscribe?components=api&components=web&x=%26").text
    kept = "components=api&amp;components=web&amp;x=%26&amp;lang=de"
    assert f'href="{spoken.prefix}/subscribe?{kept}"' in html


def test_long_headers_are_not_kept() -> None:
    """A header that nobody reads costs no memory."""
    before = languages._preferred.cache_info().currsize, ready._gzip_is_fine.cache_info().currsize
    assert accepted("de;q=1" + " " * 5000, OFFERED) == "en"
    assert not ready.accepts_gzip("gzip" + " " * 5000)
    after = languages._preferred.cache_info().currsize, ready._gzip_is_fine.cache_info().currsize
    assert after == before


def test_a_page_in_a_language_that_was_chosen_names_itself(spoken: Site) -> None:
    """Search engines keep each language's page; without a choice it is the one address."""
    incident = spoken.made("/incidents", title="Errors", impact="major")
    path = f"/incidents/{incident['id']}"

    def canonical(query: str) -> list[str]:
        text = spoken.get(f"{path}{query}").text
        return re.findall(r'<link rel="canonical" href="\S+?/incidents/[^"?]+([^"]*)">', text)

    assert canonical("?lang=de") == ["?lang=de"]
    assert canonical("") == [""]
