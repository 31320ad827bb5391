"""How often a key of the manage API may ask, and an address be wrong about one."""

from __future__ import annotations

from typing import Any

from flask_statuspage.storage.rates import Rates
from flask_statuspage.web.manage_api.limits import WRONG_KEYS
from tests.web.queries import Queries
from tests.web.site import API, Site, SiteMaker
from tests.web.test_manage_api import problem


def stopped(site: Site, now: float) -> None:
    """Let the limits' clock stand still."""
    site.app.extensions["statuspage"].rates = Rates(None, clock=lambda: now)


def test_a_key_has_so_many_requests(make_site: SiteMaker) -> None:
    """Each answer says how many are left; beyond them it is 429 until the minute is over, for this key alone."""
    site = make_site(STATUSPAGE_API_RATE=3)
    stopped(site, 620.5)
    for left in (2, 1, 0):
        path = "/components" if left else "/components/nothing"  # what fails counts, too
        answer = site.ask("GET", path)
        assert answer.headers["RateLimit-Policy"] == '"key";q=3;w=60'
        assert answer.headers["RateLimit"] == f'"key";r={left};t=40'
    before = site.contents()
    refused = site.ask("POST", "/components", {"name": "API"})
    assert "3 times a minute" in problem(refused, 429)["detail"]
    assert refused.headers["Retry-After"] == "40"
    assert refused.headers["RateLimit"] == '"key";r=0;t=40'
    problem(site.get("/metrics", headers={"Authorization-Token": site.key()}), 429)
    assert site.contents() == before
    assert site.ask("GET", "/components", role="admin").status_code == 200
    stopped(site, 660.0)
    assert site.ask("GET", "/components").status_code == 200


def test_no_limit(make_site: SiteMaker) -> None:
    """With 0 nothing is counted and nothing said."""
    site = make_site(STATUSPAGE_API_RATE=0)
    answer = site.ask("GET", "/components")
    assert answer.status_code == 200
    assert not {"RateLimit", "RateLimit-Policy"} & set(answer.headers.keys())


def test_counting_costs_no_query(site: Site) -> None:
    """The database does not hear of it."""
    site.ask("GET", "/components")
    with Queries(site) as queries:
        site.ask("GET", "/pages")
    assert len(queries.sent) == 3  # the key, how many pages there are, and which


def test_an_address_may_not_guess_on(site: Site) -> None:
    """After so many wrong keys nothing from there is looked up but keys that work there; other addresses go on."""
    stopped(site, 600.0)
    site.ask("GET", "/pages")
    admin = site.key("admin")

    def asked(key: str, address: str) -> Any:
        return site.get(
            f"{API}/pages",
            headers={"Authorization-Token": key},
            environ_overrides={"REMOTE_ADDR": address},
        )

    for number in range(WRONG_KEYS):
        # One household has one /64.
        problem(asked(f"sp_{number}", f"2001:db8::{number:x}"), 401)
    with Queries(site) as queries:
        refused = asked("sp_x", "2001:db8::ffff")
    assert queries.sent == []
    problem(refused, 429)
    assert refused.headers["Retry-After"] == "60"
    problem(asked(admin, "2001:db8::1"), 429)
    assert asked(site.key(), "2001:db8::1").status_code == 200
    assert asked(admin, "2001:db8:0:1::1").status_code == 200
    assert asked(admin, "2001:db8::1").status_code == 200
    stopped(site, 660.0)
    problem(asked("sp_x", "2001:db8::ffff"), 401)


def test_no_key_at_all_is_no_guess(site: Site) -> None:
    """Who sends none costs no look into the database, and does not stop their neighbours."""
    for _ in range(WRONG_KEYS + 1):
        problem(site.get(f"{API}/pages"), 401)
    assert site.ask("GET", "/pages").status_code == 200
