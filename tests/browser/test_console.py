"""Every page of the console: what links lead to, with mistakes, changed meanwhile, empty, and for who only looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response

from flask_statuspage.domain.rights import NEEDED
from flask_statuspage.domain.roles import Role
from flask_statuspage.web import admin
from tests.console import furnished
from tests.console.crawl import FURNISH, TEXTUAL, Form, Whole, everywhere
from tests.console.knowing import LINES, needed
from tests.console.member import OWNER, VIEWER
from tests.servers.wsgi import serving
from tests.web.site import Site, build, sqlite_url

from . import checks
from .test_pages import Findings
from .validator import Validator
from .views import CORNERS, VIEWS, WIDTHS, Watched, picture, show, watching

ROUTES = admin.routes()
FILES = {"subscribers_csv"}
"""What a browser keeps instead of showing it."""

PAGES = [endpoint for endpoint, method, _ in ROUTES if method == "GET" and endpoint not in FILES]
FORMS = [endpoint for endpoint, method, _ in ROUTES if method == "POST" and endpoint in PAGES]
SEEN = [e for e, method, right in ROUTES if method == "GET" and NEEDED[right] is Role.VIEWER]
AREAS = [item.endpoint for item in admin._desk().areas]

AT_MOST = 3
"""Pages of one route that are looked at: the first one, and those that show other forms."""

UNREADABLE = "\0"
"""What no field takes."""

SPOIL = """
([text, seen]) => {
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.noValidate = true;
    for (const field of form.elements) {
      const isTyped = field.matches("textarea, input:is([type=text], [type=url], [type=email])");
      if (text !== null && isTyped) field.value = text;
      if (seen !== null && (field.name === "seen" || field.name.startsWith("was."))) field.value = seen;
    }
  }
}
"""


@dataclass
class Open:
    """The furnished site behind a web server."""

    whole: Whole
    root: str

    def __post_init__(self) -> None:
        self.whole.restore()

    def urls(self, endpoint: str) -> list[str]:
        """Addresses of pages of a route: such as show different forms, as far as there are any."""
        found: dict[Any, str] = {}
        for where, url in self.whole.found.places.items():
            if where.endpoint == endpoint and url in self.whole.found.pages:
                forms = {str(f.place) for f in self.whole.found.forms if f.page == url}
                found.setdefault(frozenset(forms), url)
        assert found, f"GET {endpoint}: {FURNISH}"
        return list(found.values())[:AT_MOST]

    def form(self, endpoint: str) -> Form:
        return self.whole.forms(endpoint)[0]


@pytest.fixture(scope="module")
def console(migrated: Path, folder: Path) -> Iterator[Open]:
    def make(**options: Any) -> Site:
        return build(sqlite_url(folder / "console.db"), migrated=migrated, **options)

    site = furnished.build(make)
    whole = Whole(site, everywhere(site))
    with serving(site.app) as root:
        yield Open(whole, root)
    whole.close()
    site.close()


def going(browser: Browser, console: Open, who: str | None = OWNER, *, script: bool = True) -> Any:
    """A browser of *who* that is watched."""
    headers = {"extra_http_headers": {"X-Who": who}} if who else {}
    return watching(browser, console.root, script=script, anew=False, **headers)


def visit(watched: Watched, url: str, status: int = 200) -> Response:
    watched.expected = status
    response = watched.page.goto(url)
    assert response is not None
    assert response.status == status, (url, response.status)
    return response


def look(watched: Watched, findings: Findings, name: str, *, script: bool = True) -> None:
    """What depends on the width at every width, axe where there is most room and where there is least."""
    page = watched.page
    for width, scheme in VIEWS:
        watched.allow_scripts(script)
        show(page, width, scheme)
        found = [*checks.overflow(page), *checks.small_targets(page)]
        picture(page, f"console-{name}-{width}-{scheme}-{'script' if script else 'no-script'}")
        watched.allow_scripts(True)
        if (width, scheme) in CORNERS:
            found += checks.accessibility(page)
        findings.add(found, f"{page.url} {width} {scheme}")
    if checks.open_details(page):
        found = [*checks.overflow(page), *checks.accessibility(page)]
        findings.add(found, f"{page.url}, opened")


@pytest.mark.parametrize("endpoint", PAGES)
def test_pages_with_the_script(browser: Browser, console: Open, endpoint: str) -> None:
    """No axe violation, collapsed or open; nothing is too wide or too small, also with large and spaced text."""
    findings = Findings()
    for url in console.urls(endpoint):
        with going(browser, console) as watched:
            visit(watched, console.root + url)
            look(watched, findings, endpoint)
            page = watched.page
            checks.space_text(page)
            findings.add(checks.overflow(page), f"{url} 320, spaced text")
            show(page, WIDTHS[0], "light")
            checks.enlarge_text(page)
            findings.add(
                [*checks.overflow(page), *checks.cut_text(page)], f"{url} 1280, large text"
            )
            findings.add(watched.complaints, url)
    findings.check()


@pytest.mark.parametrize("endpoint", PAGES)
def test_pages_without_a_script(
    browser: Browser, console: Open, validator: Validator, endpoint: str
) -> None:
    """The HTML is valid, nothing is too wide or too small, and the browser has nothing to complain of."""
    findings = Findings()
    for url in console.urls(endpoint):
        with going(browser, console, script=False) as watched:
            html = visit(watched, console.root + url).body()
            findings.add(validator.found_in(html), f"{url}, the HTML")
            for width in WIDTHS:
                show(watched.page, width, "light")
                found = [*checks.overflow(watched.page), *checks.small_targets(watched.page)]
                findings.add(found, f"{url} {width}")
            findings.add(watched.complaints, url)
    findings.check()


def test_monitors_of_each_kind(browser: Browser, console: Open, validator: Validator) -> None:
    """The form of each kind has other fields."""
    findings = Findings()
    urls = [form.page for form in console.whole.forms("monitor_new") if "name" in form.names]
    assert len(set(urls)) > 4
    with going(browser, console) as watched:
        for url in dict.fromkeys(urls):
            html = visit(watched, console.root + url).body()
            findings.add(validator.found_in(html), f"{url}, the HTML")
            show(watched.page, 320, "light")
            checks.open_details(watched.page)
            page = watched.page
            found = [*checks.overflow(page), *checks.small_targets(page)]
            findings.add([*found, *checks.accessibility(page)], url)
        findings.add(watched.complaints, "monitors")
    findings.check()


@pytest.mark.parametrize("endpoint", SEEN)
def test_pages_of_who_only_looks(
    browser: Browser, console: Open, validator: Validator, endpoint: str
) -> None:
    """A viewer's pages, which have no forms, on a narrow screen."""
    findings = Findings()
    for url in console.urls(endpoint):
        with going(browser, console, VIEWER) as watched:
            html = visit(watched, console.root + url).body()
            findings.add(validator.found_in(html), f"{url}, the HTML")
            show(watched.page, 320, "light")
            found = [*checks.overflow(watched.page), *checks.accessibility(watched.page)]
            findings.add([*found, *watched.complaints], url)
    findings.check()


@pytest.mark.parametrize("endpoint", AREAS)
def test_pages_of_an_empty_status_page(
    browser: Browser, console: Open, validator: Validator, endpoint: str
) -> None:
    """Where there is nothing yet, the page says so."""
    findings = Findings()
    url = f"{console.urls(endpoint)[0].partition('?')[0]}?status_page={furnished.BY_LINK}"
    with going(browser, console) as watched:
        html = visit(watched, console.root + url).body()
        findings.add(validator.found_in(html), f"{url}, the HTML")
        look(watched, findings, f"{endpoint}-empty")
        findings.add(watched.complaints, url)
    findings.check()


@pytest.mark.parametrize("trouble", ["wrong", "changed"])
@pytest.mark.parametrize("endpoint", FORMS)
def test_forms_in_trouble(
    browser: Browser, console: Open, validator: Validator, endpoint: str, trouble: str
) -> None:
    """A form that is shown again: with what is wrong at every field, or with what somebody else has changed."""
    form, findings = console.form(endpoint), Findings()
    guards = [name for name in form.names if name == "seen" or name.startswith("was.")]
    if trouble == "changed" and (not guards or endpoint.endswith("_new")):
        pytest.skip("whoever sends this form overwrites nothing")
    if trouble == "wrong" and not any(control.kind in TEXTUAL for control in form.controls):
        pytest.skip("nothing is typed into this form")
    console.whole.restore()
    with going(browser, console, form.who) as watched:
        visit(watched, console.root + form.page)
        if trouble == "changed":
            typed = "zz" if endpoint != "dashboard" else None
            watched.page.evaluate(SPOIL, [typed, "of before"])
        else:
            watched.page.evaluate(SPOIL, [UNREADABLE, None])
        watched.expected = 409 if trouble == "changed" else 422
        response = press(watched.page, form)
        assert response.status in (409, 422), (endpoint, response.status)
        watched.expected = response.status
        findings.add(validator.found_in(response.body()), f"{endpoint}, the HTML")
        look(watched, findings, f"{endpoint}-{trouble}")
        assert watched.page.locator(".sp-problems [role=alert]").count() == 1
        assert watched.page.title().startswith("Error: ")
        findings.add(
            [one for one in watched.complaints if "status of" not in one], f"{endpoint}, {trouble}"
        )
    findings.check()


def press(page: Page, form: Form) -> Response:
    """Press the last button of *form* that leads to its own address."""
    path = form.action.partition("?")[0]
    here = page.locator(f'form[method=post]:is([action="{path}"], [action^="{path}?"])').first
    with page.expect_navigation() as navigation:
        here.locator("button[type=submit]").last.click()
    assert navigation.value is not None
    return navigation.value


def test_what_is_told_once_and_what_was_done(
    browser: Browser, console: Open, validator: Validator
) -> None:
    """A new key, new codes, a change with the way to take it back, and the page that keeps what was typed."""
    findings = Findings()
    for endpoint in (
        *("keys", "factor_confirm", "factor_renew", "dashboard"),
        *("monitor_rotate_token", "integration_rotate", "monitor_run"),
    ):
        console.whole.restore()
        form = console.form(endpoint)
        typed = needed(console.whole, form)
        for who in (form.who, None):
            if who is None and endpoint != "dashboard":
                continue
            with going(browser, console, form.who) as watched:
                visit(watched, console.root + form.page)
                fill(watched.page, form, typed)
                if who is None:
                    watched.page.context.set_extra_http_headers({})
                    watched.expected = 401
                response = press(watched.page, form)
                watched.page.context.set_extra_http_headers({"X-Who": form.who})
                html = response.body()
                findings.add(validator.found_in(html), f"{endpoint}, the HTML")
                look(watched, findings, f"{endpoint}-done-{who}")
                findings.add(watched.complaints, endpoint)
    findings.check()


@pytest.mark.parametrize("lines", [LINES, "channel,address\nfax,12\n"], ids=["good", "wrong"])
def test_lines_that_were_looked_at(
    browser: Browser, console: Open, validator: Validator, lines: str
) -> None:
    """What a file would bring, and what is wrong with one."""
    findings, form = Findings(), console.form("subscribers_import")
    console.whole.restore()
    with going(browser, console, form.who) as watched:
        visit(watched, console.root + form.page)
        watched.page.locator("[name=text]").fill(lines)
        watched.expected = 200 if lines == LINES else 422
        with watched.page.expect_navigation() as navigation:
            watched.page.locator("button[name=check]").click()
        assert navigation.value is not None
        findings.add(validator.found_in(navigation.value.body()), "the HTML")
        look(watched, findings, f"lines-{watched.expected}")
        findings.add([c for c in watched.complaints if "status of" not in c], form.page)
    findings.check()


def fill(page: Page, form: Form, typed: dict[str, str]) -> None:
    for control in form.controls:
        value = typed.get(control.name)
        if value is None and control.is_required:
            value = control.sample
        if value is None:
            continue
        field = page.locator(f'[name="{control.name}"]').first
        if control.kind == "select":
            field.select_option(value)
        else:
            field.fill(value)


@pytest.mark.parametrize("path", ["login", "login/of-long-ago"])
def test_the_way_in(browser: Browser, console: Open, validator: Validator, path: str) -> None:
    """The form for a link, also for who comes with one that is spent, and with a mistake."""
    findings = Findings()
    with going(browser, console, None) as watched:
        status = 200 if path == "login" else 404
        html = visit(watched, f"{console.root}/status/admin/{path}", status).body()
        findings.add(validator.found_in(html), "the HTML")
        look(watched, findings, path.replace("/", "-"))
        watched.page.evaluate("document.querySelector('main form').noValidate = true")
        watched.expected = 422
        with watched.page.expect_navigation():
            watched.page.locator("main form button[type=submit]").first.click()
        look(watched, findings, path.replace("/", "-") + "-wrong")
        findings.add([c for c in watched.complaints if "status of" not in c], path)
    findings.check()
