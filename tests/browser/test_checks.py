"""The checks themselves: a page that is broken on purpose does not get through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from . import checks
from .figures import Figures
from .sites import Served
from .views import Watched, show, watching


@pytest.fixture
def form(browser: Browser, busy: Served) -> Iterator[Watched]:
    """The page on which one subscribes, in which nothing is wrong."""
    with watching(browser, busy.root, anew=False) as watched:
        watched.page.goto(busy.url("/subscribe"))
        show(watched.page, 320, "light")
        assert everything(watched.page) == []
        yield watched


def everything(page: Page) -> list[str]:
    return [
        *checks.accessibility(page),
        *checks.overflow(page),
        *checks.small_targets(page),
        *checks.cut_text(page),
    ]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("document.querySelector('label[for]').removeAttribute('for')", "axe label"),
        ("document.documentElement.removeAttribute('lang')", "axe html-has-lang"),
        ("document.querySelector('main').remove()", "axe"),
        ("document.querySelector('.sp-lead').style.color = '#999'", "axe color-contrast"),
        (
            "document.querySelector('h2').replaceWith(document.createElement('h5'));"
            "document.querySelector('h5').append('x')",
            "axe heading-order",
        ),
        ("document.querySelector('.sp-lead').style.width = '400px'", "overflow"),
        ("document.querySelector('.sp-lead').style.marginInlineStart = '-9px'", None),
        ("document.querySelector('.sp-primary').style.minHeight = '0'", "target too small"),
        (
            "Object.assign(document.querySelector('.sp-lead').style, {height: '1em', overflow: 'hidden'})",
            "text is cut off",
        ),
    ],
)
def test_a_broken_page_is_found_out(form: Watched, change: str, finding: str | None) -> None:
    """Each fault is found, by the check that is there for it; what is none is not."""
    form.page.evaluate(f"() => {{ {change} }}")
    found = everything(form.page)
    if finding is None:
        assert found == []
    else:
        assert any(one.startswith(finding) for one in found), found


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<p style='color: red'>x</p>", "Content Security Policy"),
        ("<script>document.title = 'x'</script>", "Content Security Policy"),
        ("<img src='https://elsewhere.invalid/x.png' alt=''>", "asks elsewhere"),
        ("<img src='/missing.png' alt=''>", "404"),
        ("<script src='/vendor/axe-core/README.md'></script>", "script:"),
    ],
)
def test_what_the_browser_complains_of_is_heard(
    browser: Browser, busy: Served, html: str, complaint: str
) -> None:
    """Inline styles and scripts, requests elsewhere and files that are missing make a page fail."""
    with watching(browser, busy.root) as watched:

        def with_fault(route: object) -> None:
            answer = route.fetch()  # type: ignore[attr-defined]
            body = answer.text().replace("</main>", f"{html}</main>")
            route.fulfill(response=answer, body=body)  # type: ignore[attr-defined]

        watched.page.route("**/status/docs", with_fault)
        watched.page.goto(busy.url("/docs"))
        for _ in range(100):  # what the browser tells may come after the page
            if any(complaint in one for one in watched.complaints):
                break
            watched.page.wait_for_timeout(100)
        assert any(complaint in one for one in watched.complaints), watched.complaints


def test_a_figure_above_its_budget_fails() -> None:
    """A budget is a limit, and what was measured is kept in either case."""
    figures = Figures()
    figures.note("nodes", 1500, most=1500)
    figures.check()
    figures.note("nodes", 1501, most=1500)
    with pytest.raises(AssertionError, match=r"nodes: 1501 , at most 1500.*body"):
        figures.check(["body"])
    figures.check()
    assert len(figures.lines()) == 2
