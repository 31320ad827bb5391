"""What the script does in a browser, and that pages lack nothing without it; no policy is ever broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from flask_statuspage.storage.subscriptions import Subscription
from tests.servers.wsgi import serving
from tests.web.site import Site, SiteMaker

Open = Callable[..., Page]

MINUTE = 60_000
"""In milliseconds: how long an open page waits before it asks again."""

WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => broken.push(event.violatedDirective));
"""


@pytest.fixture
def served(make_site: SiteMaker) -> Iterator[tuple[Site, str]]:
    """A page whose clock is Berlin's, with a service and a maintenance, and its URL."""
    site = make_site(STATUSPAGE_TIME_ZONE="Europe/Berlin")
    site.made("/components", name="API")
    start = datetime.now(UTC) + timedelta(hours=3)
    window = {
        "scheduled_start": start.isoformat(),
        "scheduled_end": (start + timedelta(hours=1)).isoformat(),
    }
    site.made("/maintenances", title="New disks", components=["api"], **window)
    with serving(site.app) as url:
        yield site, f"{url}/status"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens pages of a browser in New York; afterwards nobody has complained of anything."""
    contexts, wrong = [], []

    def opened(url: str, *, silent: bool = True, **options: object) -> Page:
        values = {"timezone_id": "America/New_York", "locale": "en-GB"} | options
        context = browser.new_context(**values)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(WATCH)
        if silent:
            page.on(
                "console", lambda said: wrong.append(said.text) if said.type == "error" else None
            )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            wrong += page.evaluate("window.broken || []")
        context.close()
    assert wrong == []


def with_clock(visit: Open, url: str, **options: object) -> Page:
    """A page whose time the test moves on."""
    page = visit("about:blank", **options)
    page.clock.install()
    page.goto(url)
    return page


def test_times_by_the_readers_clock(served: tuple[Site, str], visit: Open) -> None:
    """Times are the reader's, with the page's in the title; a switch goes back, and is remembered."""
    _, url = served
    page = visit(f"{url}/")
    time = page.locator(".sp-banner time")
    expect(time).to_have_text(re.compile(r"^\d+ \w+ \d{4}, \d\d:\d\d GMT-[45]$"))
    expect(time).to_have_attribute("title", re.compile(r"^\d+ \w+ \d{4}, \d\d:\d\d CES?T$"))
    title = time.get_attribute("title")
    own = page.get_by_role("button", name="America/New York (yours)")
    theirs = page.get_by_role("button", name="Europe/Berlin")
    expect(own).to_have_attribute("aria-pressed", "true")
    theirs.click()
    expect(time).to_have_text(title or "")
    expect(time).to_have_attribute("title", "")
    expect(theirs).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(time).to_have_text(title or "")
    own.click()
    expect(time).to_have_text(re.compile("GMT-"))
    # A day has no clock.
    expect(page.locator(".sp-day time").first).to_have_text(re.compile(r"^\d+ \w+ \d{4}$"))


def test_readers_in_the_zone_of_the_page(served: tuple[Site, str], visit: Open) -> None:
    """Whose clock is the page's sees the page's own texts, and nothing to switch."""
    _, url = served
    page = visit(f"{url}/", timezone_id="Europe/Berlin")
    expect(page.locator(".sp-banner time")).to_have_text(re.compile("CES?T$"))
    expect(page.get_by_text("Times are in Europe/Berlin.")).to_be_visible()
    expect(page.locator(".sp-switch")).to_have_count(0)


def test_times_in_the_language_of_the_page(served: tuple[Site, str], visit: Open) -> None:
    """A page in German tells times as German does, whatever the browser speaks."""
    _, url = served
    page = visit(f"{url}/?lang=de")
    expect(page.locator(".sp-banner time")).to_have_text(
        re.compile(r"^\d+\. \w+\.? \d{4}, \d\d:\d\d")
    )


def test_a_change_is_told_in_place(served: tuple[Site, str], visit: Open) -> None:
    """The banner and the window's title follow; what is being read stays where it is until it is loaded again."""
    site, url = served
    page = with_clock(visit, f"{url}/")
    sentence = page.locator(".sp-sentence")
    node = sentence.element_handle()
    page.evaluate("scrollTo(0, 300)")
    place = page.locator("#sp-past").bounding_box()
    site.ask("PUT", "/components/api/status", {"status": "major_outage"})
    page.clock.run_for(MINUTE + 1000)
    expect(sentence).to_have_text("Major outage: API")
    expect(page).to_have_title(re.compile("^Major outage: API"))
    expect(page.locator(".sp-banner")).to_have_attribute("data-tone", "major")
    assert node is not None
    assert node.evaluate("node => node.isConnected && node.getAttribute('role')") == "status"
    told = page.locator(".sp-news")
    expect(told).to_contain_text("Status has changed.")
    expect(told).to_be_in_viewport()
    assert page.locator("#sp-past").bounding_box() == place
    expect(page.locator(".sp-services")).to_contain_text("Operational")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator(".sp-services")).to_contain_text("Major outage")
    expect(told).to_be_empty()


def test_nothing_is_asked_unseen(served: tuple[Site, str], visit: Open) -> None:
    """A hidden page is quiet; seen again after a while it asks at once."""
    _, url = served
    page = with_clock(visit, f"{url}/")
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "live" in sent.url else None)
    seen = "Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true}); "
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(seen % "hidden" + tell)
    page.clock.run_for(5 * MINUTE)
    assert asked == []
    with page.expect_response("**/live.json"):
        page.evaluate(seen % "visible" + tell)
        page.clock.run_for(1)


def test_a_page_that_cannot_ask_says_so(served: tuple[Site, str], visit: Open) -> None:
    """After a while without an answer the page may be out of date; once there is one again it is not."""
    _, url = served
    page = with_clock(visit, f"{url}/", silent=False)
    page.route("**/live.json", lambda route: route.abort())
    told = page.locator(".sp-news")
    with page.expect_event("requestfailed"):
        page.clock.run_for(MINUTE + 1000)
    expect(told).to_be_empty()
    with page.expect_event("requestfailed"):
        page.clock.run_for(2 * MINUTE + 1000)
    expect(told).to_have_text("This page may be out of date.")
    page.unroute("**/live.json")
    with page.expect_response("**/live.json"):
        page.clock.run_for(4 * MINUTE + 1000)
    expect(told).to_be_empty()


def test_copying(served: tuple[Site, str], visit: Open) -> None:
    """A button copies what stands in the box, says so, and is itself again."""
    _, url = served
    page = visit(f"{url}/docs", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the script").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        r'<script src="\S+/widget.js" data-hide-operational async></script>', copied
    )
    expect(page.get_by_role("button", name="Copy the script")).to_be_visible()


def test_subscribing_in_a_dialog(served: tuple[Site, str], visit: Open) -> None:
    """The form opens where one is; a mistake is told with the focus on it, success too, and Escape leads back."""
    site, url = served
    page = visit(f"{url}/", silent=False)  # the console tells of a refused form
    link = page.get_by_role("link", name="Subscribe to updates")
    link.click()
    dialog = page.get_by_role("dialog", name="Get status updates")
    dialog.get_by_role("button", name="Subscribe").click()
    expect(dialog.locator(".sp-problems")).to_be_focused()
    dialog.get_by_label("Email address").fill("bob@example.com")
    dialog.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_be_focused()
    assert [row.state.value for row in site.rows(Subscription)] == ["pending"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()
    expect(page).to_have_url(f"{url}/")


def test_what_no_dialog_can_show(served: tuple[Site, str], visit: Open) -> None:
    """Where the form cannot be had in place the link leads to its page."""
    _, url = served
    page = visit(f"{url}/", silent=False)
    page.route(
        "**/subscribe", lambda r: r.abort() if r.request.resource_type == "xhr" else r.continue_()
    )
    page.get_by_role("link", name="Subscribe to updates").click()
    expect(page).to_have_url(f"{url}/subscribe")


def test_a_sign_up_without_an_answer_is_not_sent_again(
    served: tuple[Site, str], visit: Open
) -> None:
    """What was sent may have arrived: the reader is told, keeps the fields, and sends it again or not."""
    site, url = served
    page = visit(f"{url}/", silent=False)
    page.get_by_role("link", name="Subscribe to updates").click()
    dialog = page.get_by_role("dialog", name="Get status updates")
    dialog.get_by_label("Email address").fill("eve@example.com")
    sent: list[str] = []

    def lost(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        sent.append(route.request.resource_type)
        route.fetch()
        return route.abort()

    page.route("**/subscribe**", lost)
    dialog.get_by_role("button", name="Subscribe").click()
    told = dialog.get_by_role("alert")
    expect(told).to_contain_text("No answer came")
    expect(told).to_be_focused()
    expect(dialog.get_by_label("Email address")).to_have_value("eve@example.com")
    expect(page).to_have_url(f"{url}/")
    assert sent == ["xhr"]
    assert len(site.rows(Subscription)) == 1
    page.unroute("**/subscribe**")
    dialog.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_be_focused()
    assert len(site.rows(Subscription)) == 1


def test_a_dialog_that_is_long_in_coming(served: tuple[Site, str], visit: Open) -> None:
    """After five seconds without the form the link leads to its page."""
    _, url = served
    page = visit(f"{url}/", silent=False)
    page.route(
        "**/subscribe", lambda r: None if r.request.resource_type == "xhr" else r.continue_()
    )
    page.get_by_role("link", name="Subscribe to updates").click()
    expect(page).to_have_url(f"{url}/subscribe", timeout=15_000)


def test_the_page_has_one_first_heading(served: tuple[Site, str], visit: Open) -> None:
    """What the dialog shows is a part of the page, so its title is a heading of the second level."""
    _, url = served
    page = visit(f"{url}/")
    page.get_by_role("link", name="Subscribe to updates").click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2).first).to_be_visible()
    assert page.locator("h1").count() == 1


def test_notes_name_the_clock_that_times_are_told_by(served: tuple[Site, str], visit: Open) -> None:
    """A note about the clock follows the switch; the days of a page are never the reader's."""
    _, url = served
    page = visit(f"{url}/components/api")
    note = page.locator("[data-sp-clock]")
    told = "Times are in America/New York. Days begin and end by the clock of Europe/Berlin."
    expect(note).to_contain_text(told)
    page.get_by_role("button", name="Europe/Berlin").click()
    expect(note).to_contain_text("Times and days are in Europe/Berlin.")
    page.get_by_role("button", name="America/New York (yours)").click()
    expect(note).to_contain_text(told)


def test_the_history_has_one_clock(served: tuple[Site, str], visit: Open) -> None:
    """Times stay by the clock of the page, whose days they stand under: the reader's may be those of another day."""
    site, url = served
    begun = {"started_at": "2026-02-18T23:30:00+00:00", "resolved_at": "2026-02-18T23:50:00+00:00"}
    site.made("/incidents", title="At midnight", status="resolved", **begun)
    page = visit(f"{url}/history?month=2026-02")
    expect(page.locator(".sp-day")).to_have_text("19 Feb 2026")
    expect(page.locator(".sp-days li li time")).to_have_text("19 Feb 2026, 00:30 CET")
    expect(page.get_by_text("Times and days are in Europe/Berlin.")).to_be_visible()
    expect(page.locator(".sp-switch")).to_have_count(0)
    page.get_by_role("link", name="At midnight").click()
    expect(page.locator(".sp-facts time").first).to_have_text(re.compile("^18 Feb 2026, 18:30"))


def test_another_name_of_the_same_clock(served: tuple[Site, str], visit: Open) -> None:
    """Whose zone only has another name than the page's has nothing to switch."""
    _, url = served
    page = visit(f"{url}/", timezone_id="Europe/Paris")
    expect(page.locator(".sp-banner time")).to_have_text(re.compile("CES?T$"))
    expect(page.locator(".sp-switch")).to_have_count(0)


def test_what_a_browser_refuses_to_copy_is_selected(served: tuple[Site, str], visit: Open) -> None:
    """Of a link it is the address that is selected, to be copied by hand."""
    site, url = served
    incident = site.made("/incidents", title="Errors", impact="major")
    page = visit(f"{url}/incidents/{incident['id']}")
    refuse = "() => { navigator.clipboard.writeText = () => Promise.reject(Error('refused')); }"
    page.evaluate(refuse)
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("String(getSelection()).startsWith('http')")
    assert page.evaluate("String(getSelection())") == f"{url}/incidents/{incident['id']}"


def test_one_part_that_fails_takes_no_other_with_it(served: tuple[Site, str], visit: Open) -> None:
    """It is reported, and the rest of the script works."""
    _, url = served
    page = visit("about:blank", silent=False)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.add_init_script("window.ResizeObserver = undefined")
    page.goto(f"{url}/")
    page.get_by_role("link", name="Subscribe to updates").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert any("ResizeObserver" in text for text in said)


def test_without_a_script(served: tuple[Site, str], visit: Open) -> None:
    """Times name their zone, the clock is told, languages and the form are a link away, and no button is dead."""
    _, url = served
    page = visit(f"{url}/", java_script_enabled=False)
    expect(page.locator(".sp-banner time")).to_have_text(re.compile("CES?T$"))
    expect(page.get_by_text("Times are in Europe/Berlin.")).to_be_visible()
    expect(page.locator(".sp-news")).to_be_empty()
    expect(page.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("[hreflang=ar][aria-current]")).to_have_count(1)
    page.locator(".sp-invite .sp-button").click()
    expect(page).to_have_url(f"{url}/subscribe?lang=ar")


@pytest.mark.parametrize("scripted", [True, False])
def test_no_page_breaks_its_policy(served: tuple[Site, str], visit: Open, scripted: bool) -> None:
    """No page has anything that its strict policy refuses, and the console is silent."""
    site, url = served
    incident = site.made("/incidents", title="Slow", components=["api"], body="We look.")
    page = visit(f"{url}/", java_script_enabled=scripted)
    for path in ("", "/subscribe", "/docs", "/widget", f"/incidents/{incident['id']}"):
        answer = page.goto(url + path)
        assert answer is not None
        assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.broken || []") == [], path
