"""What holds of every route of the console: rights, tokens, pages, and what strangers are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from flask_statuspage.domain.rights import NEEDED, Right
from flask_statuspage.domain.roles import Role
from flask_statuspage.web import admin
from tests.console import member
from tests.console.member import Member
from tests.web.site import Site, SiteMaker, build, sqlite_url

NOBODY = "00000000-0000-4000-8000-000000000000"
"""The id of nothing."""


@dataclass(frozen=True)
class Route:
    endpoint: str
    method: str
    right: Right

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


ROUTES = [Route(*route) for route in admin.routes()]

each_route = pytest.mark.parametrize("route", ROUTES, ids=str)


@pytest.fixture(scope="module")
def site(make_module_site: SiteMaker) -> Site:
    built = member.build(make_module_site)
    built.made("/components", name="API")
    return built


@pytest.fixture(scope="module")
def make_module_site(
    tmp_path_factory: pytest.TempPathFactory, migrated: Any
) -> Iterator[SiteMaker]:
    """One site for all of these: none of them may change anything."""
    made: list[Site] = []

    def make(**options: Any) -> Site:
        folder = tmp_path_factory.mktemp("console")
        made.append(build(sqlite_url(folder / "site.db"), migrated=migrated, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def url_of(app: Flask, route: Route) -> str:
    """The address of a route, where it names things of nothing."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == f"statuspage.console.{route.endpoint}":
            values = dict.fromkeys(rule.arguments, NOBODY)
            with app.test_request_context():
                built = rule.build(values)
                assert built is not None
                return built[1]
    raise AssertionError(route)


def posts(route: Route) -> bool:
    return route.method == "POST"


@each_route
def test_each_role_may_what_the_table_says(site: Site, route: Route) -> None:
    """Whoever lacks the right gets 403 and the name of the role that has it; whoever has it is let in."""
    before = site.contents()
    for role in Role:
        somebody = Member(site, f"{role.value}@acme.example")
        data = {"csrf_token": somebody.token(member.OWNER)} if posts(route) else None
        answer = somebody.open(url_of(site.app, route), route.method, data=data)
        if role.reaches(NEEDED[route.right]):
            assert answer.status_code in (200, 303, 400, 404, 409, 422), (role, answer.text)
            before = site.contents()
        else:
            assert answer.status_code == 403, role
            assert NEEDED[route.right].value in answer.text, role
            assert site.contents() == before, role


@each_route
def test_nobody_is_let_in(site: Site, route: Route) -> None:
    """Whoever is not signed in gets 401 and learns nothing of the page."""
    answer = Member(site, None).open(url_of(site.app, route), route.method)
    assert answer.status_code == 401
    assert answer.headers["Cache-Control"] == "no-store"


@each_route
def test_a_stranger_of_the_host_is_let_in_nowhere(site: Site, route: Route) -> None:
    """Whoever the host knows and the team does not gets 403."""
    answer = Member(site, "mallory@example.com").open(url_of(site.app, route), route.method)
    assert answer.status_code == 403


TOKENS = (None, "", "x", "\x00", "IjAwIg.aaaaaa.AAAA")


@pytest.mark.parametrize("route", [route for route in ROUTES if posts(route)], ids=str)
def test_no_token_is_a_failure(site: Site, route: Route) -> None:
    """Whatever stands for the token is refused, or the thing is not found. That it is refused where there is a thing,
    and that nothing is done then: tests/console/test_safety_forms.py."""
    owner = Member(site, member.OWNER)
    owner.token()
    url, before = url_of(site.app, route), site.contents()
    # Whom the host signs in has no account here.
    allowed = {400, 404} if NOBODY in url or "/account" in url else {400}
    for token in TOKENS:
        data = {"title": "x", "name": "x"} | ({} if token is None else {"csrf_token": token})
        assert owner.open(url, "POST", data=data).status_code in allowed, token
    assert site.contents() == before


SLUGS = ("nothing", "\x00", "%ed%a0%80", "x" * 10_000)


@each_route
def test_a_page_that_is_not_there(site: Site, route: Route) -> None:
    """A status page that does not exist is 404, never a failure."""
    owner, url = Member(site, member.OWNER), url_of(site.app, route)
    for slug in SLUGS:
        answer = owner.open(f"{url}?status_page={slug}", route.method)
        assert answer.status_code == 404, slug[:20]


def test_every_route_is_at_the_desk(site: Site) -> None:
    """No route of the console is beside the desk, where nobody looks at rights, but for those that do by themselves."""
    beside = {"x_callback"}  # tests/web/test_x_sign_in.py
    beside |= {"login", "enter", "logout"}  # nobody is there yet: tests/console/test_sign_in.py
    there = {
        rule.endpoint.rpartition(".")[2]
        for rule in site.app.url_map.iter_rules()
        if rule.endpoint.startswith("statuspage.console.")
    }
    assert there - beside == {route.endpoint for route in ROUTES}
