"""Who changed what, to be looked through."""

from __future__ import annotations

from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR
from tests.web.queries import Queries
from tests.web.site import Site


def test_what_was_changed_is_told_with_both_values(site: Site, enter: Enter) -> None:
    """Each entry says who, what, and each field before and after."""
    site.made("/components", name="API")
    site.ask("PATCH", "/components/api", {"name": "<b>REST</b>"})
    page = enter(ADMIN).get("/audit").text
    assert "change component" in page
    assert "<bdi>key owner</bdi>" in page
    assert "&lt;b&gt;REST&lt;/b&gt;" in page
    assert "<b>REST" not in page


def test_it_is_looked_through(site: Site, enter: Enter) -> None:
    """By who, what and day; what is no day narrows nothing."""
    site.made("/components", name="Lookup")
    enter(EDITOR).post("/services/new", {"name": "Billing"})
    ann = enter(ADMIN)
    mine = ann.get(f"/audit?actor={EDITOR}&subject=component").text
    assert "Billing" in mine
    assert "Lookup" not in mine
    assert "Nothing was found." in ann.get("/audit?until=2020-01-01").text
    assert "Lookup" in ann.get("/audit?since=2020-01-01").text
    for hostile in ("x", "9999-12-31", "%00", "-1"):
        assert ann.get(f"/audit?since={hostile}&until={hostile}&page={hostile}").status_code == 200


def test_a_long_list_has_pages(site: Site, enter: Enter) -> None:
    """Twenty-five at a time, the newest first; the way on keeps what was looked for."""
    ann = enter(ADMIN)
    with Queries(site) as few:
        ann.get("/audit")
    for number in range(30):
        site.made("/components", name=f"C{number}")
    with Queries(site) as many:
        first = ann.get("/audit?subject=component").text
    assert len(many.sent) == len(few.sent)
    assert "C29" in first
    assert "C2<" not in first
    assert "page=2" in first
    assert "subject=component" in first
    assert ">C2<" in ann.get("/audit?subject=component&page=2").text
