"""Two status pages of one site: nothing of one is shown, changed or named by what is about the other one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from flask_statuspage.web.manage_api import operations
from tests.console.crawl import Found, Place, Whole, everywhere, send
from tests.console.furnished import OTHER
from tests.console.knowing import needed
from tests.console.member import OWNER, Member
from tests.web.routes import smallest
from tests.web.site import API, Site


@pytest.fixture(scope="module")
def theirs(whole: Whole) -> Found:
    """What links and forms about the second page lead to."""
    whole.restore()
    return everywhere(whole.site, OTHER)


def about(url: str, slug: str | None = None) -> str:
    """The same address, about the page at the root, or about another one."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "status_page"]
    if slug:
        query.append(("status_page", slug))
    return parts.path + (f"?{urlencode(query)}" if query else "")


def only(theirs: Found, ours: Found) -> dict[Place, str]:
    """Places of things that the second page alone has. Members and keys belong to the site."""
    named = set(ours.places) | {form.place for form in ours.posting}
    return {
        where: url for where, url in theirs.places.items() if where.arguments and where not in named
    }


def test_pages_of_another_page_are_not_found(whole: Whole, theirs: Found) -> None:
    """Every page about a thing of the second status page is 404 where the first one is asked for, and the reverse."""
    owner = Member(whole.site, OWNER)
    foreign = only(theirs, whole.found)
    kinds = {where.endpoint for where in foreign}
    assert kinds == {where.endpoint for where in only(whole.found, theirs)}
    assert len(kinds) > 10
    assert {"monitor", "subscriber", "integration", "integration_tested", "delivery"} <= kinds
    assert {owner.open(about(url)).status_code for url in foreign.values()} == {404}
    own = [about(url, OTHER) for url in only(whole.found, theirs).values()]
    assert {owner.open(url).status_code for url in own} == {404}
    mine = [about(url, OTHER) for url in foreign.values()]
    assert {owner.open(url).status_code for url in mine} == {200}


def test_forms_of_another_page_do_nothing(whole: Whole, theirs: Found) -> None:
    """Each form about a thing of the second status page, sent about the first one, is 404 and changes nothing."""
    own = {form.place for form in whole.found.posting}
    foreign = {
        form.place: form
        for form in theirs.posting
        if form.place.arguments and form.place not in own
    }
    kinds = {where.endpoint for where in foreign}
    assert kinds == {
        where.endpoint
        for where in own
        if where.arguments and where not in {form.place for form in theirs.posting}
    }
    owner, token = Member(whole.site, OWNER), {"status_page": ""}
    token["csrf_token"] = owner.token()
    known = {where: needed(whole, form) for where, form in foreign.items()}
    before = whole.site.contents()
    for where, form in foreign.items():
        data = {**form.values(), **known[where], **token}
        answer = owner.open(about(form.action), "POST", data=data)
        assert answer.status_code == 404, (str(where), answer.text)
    assert whole.site.contents() == before


def test_things_within_things_of_another_page(whole: Whole, theirs: Found) -> None:
    """Where an address names two things, both must be of the page, and of each other."""
    site, owner = whole.site, Member(whole.site, OWNER)
    own = list(_deep(whole.found))
    foreign = list(_deep(theirs))
    kinds = {where.endpoint for where, _ in own}
    assert kinds == {where.endpoint for where, _ in foreign}
    assert kinds
    token = {"csrf_token": owner.token(), "body": "Forged", "created_at": "2026-01-01T00:00"}
    before, tried = site.contents(), 0
    for where, method in {(one.endpoint, method): (one, method) for one, method in own}.values():
        (first, mine), (last, _) = where.arguments[0], where.arguments[-1]
        alike = [one for one, _ in own if one.endpoint == where.endpoint]
        siblings = [one for one in alike if one.arguments[0] != where.arguments[0]]
        strangers = [one for one, _ in foreign if one.endpoint == where.endpoint]
        for other in (siblings[0], strangers[0]):
            arguments = {first: mine, last: dict(other.arguments)[last]}
            url = _url(site, where.endpoint, arguments, method)
            answer = owner.open(url, method, data=token if method == "POST" else None)
            assert answer.status_code == 404, (url, answer.text)
            tried += 1
    assert tried >= 8
    assert site.contents() == before


def _deep(found: Found) -> Iterator[tuple[Place, str]]:
    """Places that two things are named for, with the method."""
    places = [(where, "GET") for where in found.places]
    places += [(form.place, "POST") for form in found.posting]
    for where, method in dict.fromkeys(places):
        if len([name for name, _ in where.arguments if name != "way"]) > 1:
            yield where, method


def _url(site: Site, endpoint: str, arguments: dict[str, str], method: str) -> str:
    adapter = site.app.url_map.bind("localhost")
    return adapter.build(f"statuspage.console.{endpoint}", arguments, method=method)


def test_choices_of_another_page_are_refused(whole: Whole, theirs: Found) -> None:
    """What a form of the first page lets one choose, it takes of the first page only."""
    own = _choices(whole.found)
    foreign = _choices(theirs)
    tried = set()
    for (endpoint, name), (form, values) in own.items():
        strange = foreign.get((endpoint, name), (form, set()))[1] - values
        for value in sorted(strange):
            whole.restore()
            owner = Member(whole.site, form.who)
            before = whole.site.contents()
            answer = send(owner, form, {**needed(whole, form), name: value})
            assert answer.status_code in (404, 409, 422), (endpoint, name, value, answer.text)
            assert whole.site.contents() == before, (endpoint, name, value)
            tried.add((endpoint, name))
    assert {
        ("service", "group"),
        ("incident_edit", "monitor"),
        ("template", "components"),
        ("monitor_edit", "component"),
        ("monitor_edit", "depends_on"),
        ("monitor_edit", "template"),
        ("subscriber", "components"),
        ("integration", "components"),
    } <= tried


def _choices(found: Found) -> dict[tuple[str, str], tuple[Any, set[str]]]:
    """What each field of each form can be set to, with one form that has it."""
    choices: dict[tuple[str, str], tuple[Any, set[str]]] = {}
    for form in found.posting:
        for control in form.controls:
            if control.choices:
                key = (form.place.endpoint, control.name)
                choices.setdefault(key, (form, set()))[1].update(control.choices)
    return choices


OF_THE_SITE = ("/pages", "/members", "/tokens")
ROUTED = [
    one
    for one in operations()
    if "<ident>" in one.path and not one.path.removeprefix(API).startswith(OF_THE_SITE)
]


@pytest.mark.parametrize("operation", ROUTED, ids=lambda one: f"{one.method} {one.path}")
def test_the_manage_api_finds_nothing_of_another_page(whole: Whole, operation: Any) -> None:
    """Every operation on a thing of the second page is 404 where the first one is meant, and changes nothing."""
    rule = operation.path.removeprefix(API)
    kind = f"/{rule.split('/')[1]}"
    whole.restore()
    site = whole.site
    listed = "/components" if kind == "/service" else kind
    things = site.ask("GET", f"{listed}?status_page={OTHER}").get_json()["items"]
    assert things, f"Make one for the second page in tests/console/furnished.py: {listed}"
    before = site.contents()
    body = smallest(operation.method, rule)
    for thing in things:
        path = rule.replace("<ident>", thing["id"]).replace("<status>", "major_outage")
        if "<update_ident>" in path:
            path = path.replace("<update_ident>", thing["updates"][0]["id"])
        answer = site.ask(operation.method, path, body)
        assert answer.status_code == 404, (path, answer.text)
        assert site.contents() == before
