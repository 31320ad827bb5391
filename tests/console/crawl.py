"""Whoever goes wherever links lead: every page of the console and of the public site, and every form on them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from flask_statuspage.web import admin
from tests.console.furnished import BEGUN, BY_LINK, GUARDED, NOWHERE, tested
from tests.console.member import OWNER, Member
from tests.web.site import Site

ROOT = "http://localhost"
MACHINERY = ("csrf_token", "status_page", "left_out")
SAMPLES = {
    "slug": "sample",
    "identity": "sample@acme.example",
    "address": "sample@acme.example",
    "email": "sample@acme.example",
    "target": NOWHERE,
}
"""What is typed into fields that must not stay empty and take not any text; others take :data:`SAMPLE`."""

SAMPLE = "Sample"

FURNISH = (
    "No page that an owner comes to by links leads there. Make the thing that it is about in "
    "tests/console/furnished.py, or link to it from a page of the console."
)


@dataclass(frozen=True)
class Control:
    """A field of a form. ``choices`` are what a select, a box or radio buttons can send."""

    name: str
    kind: str
    value: str
    is_required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        """Whether somebody can type anything into it, or forge it where it is hidden."""
        return self.kind in (*TEXTUAL, "hidden") and self.name not in MACHINERY

    @property
    def sample(self) -> str:
        """What is typed where it must not stay empty."""
        if self.kind in DATED:
            later = datetime.now(UTC) + timedelta(days=2)
            return later.strftime(DATED[self.kind])
        if self.kind == "number":
            return "60"
        if self.kind in ("email", "url"):
            return {"email": "sample@acme.example", "url": f"{NOWHERE}/sample"}[self.kind]
        return SAMPLES.get(self.name, SAMPLE)


TEXTUAL = ("text", "textarea", "search", "url", "email", "tel", "password")
DATED = {"date": "%Y-%m-%d", "datetime-local": "%Y-%m-%dT%H:%M", "time": "%H:%M"}


@dataclass(frozen=True)
class Form:
    """A form on the page at ``page``, as *who* sees it."""

    who: str
    page: str
    action: str
    method: str
    controls: tuple[Control, ...]
    place: Place

    @property
    def names(self) -> set[str]:
        return {control.name for control in self.controls}

    @property
    def free(self) -> list[Control]:
        return [control for control in self.controls if control.is_free]

    def values(self) -> MultiDict[str, str]:
        """What it sends where only what must be filled in is; the last one of its buttons is pressed."""
        sent: MultiDict[str, str] = MultiDict()
        for control in self.controls:
            if control.kind == "button":
                continue
            value = control.value
            if not value and control.is_required and control.kind != "box":
                value = control.sample
            if value or control.kind != "box":
                sent.add(control.name, value)
        buttons = [control for control in self.controls if control.kind == "button"]
        if buttons:
            sent.add(buttons[-1].name, buttons[-1].value)
        return sent


@dataclass(frozen=True)
class Place:
    """Where a URL leads: a route, and what its address names."""

    endpoint: str
    arguments: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.endpoint


@dataclass
class Found:
    """What a crawl came to: pages by their URLs, forms, and the places that links lead to."""

    pages: dict[str, str] = field(default_factory=dict)
    forms: list[Form] = field(default_factory=list)
    places: dict[Place, str] = field(default_factory=dict)

    def add(self, other: Found) -> Found:
        self.pages |= other.pages
        self.forms += other.forms
        self.places |= other.places
        return self

    @property
    def posting(self) -> list[Form]:
        return [form for form in self.forms if form.method == "POST"]


def everywhere(site: Site, slug: str | None = None, *, most: int = 1000) -> Found:
    """The whole console about one status page, as owners come to it who are in different states."""
    query = f"?status_page={slug}" if slug else ""
    found = crawl(Member(site, OWNER), f"{site.prefix}/admin/{query}", slug=slug, most=most)
    for url in tested(site, slug)[:most]:
        found.add(crawl(Member(site, OWNER), url, far=False))
    if slug is None:
        for who in (BEGUN, GUARDED):
            found.add(crawl(Member(site, who), f"{site.prefix}/admin/account", far=False))
        hidden = f"{site.prefix}/admin/settings?status_page={BY_LINK}"
        found.add(crawl(Member(site, OWNER), hidden, far=False))
    return found


def crawl(
    somebody: Member,
    start: str,
    *,
    slug: str | None = None,
    far: bool = True,
    within: str = "",
    most: int = 1000,
) -> Found:
    """Go from *start* wherever links lead within the console and about the same status page.

    :param far: else only *start* is looked at.
    :param most: so many pages of one route are looked at.
    :param within: the beginning of the paths that are followed, if that is not the console.
    """
    site, found, ahead = somebody.site, Found(), [start]
    inside = within or f"{site.prefix}/admin"
    seen, counted = set(ahead), Counter[str]()
    while ahead:
        url = ahead.pop(0)
        where = place(site, url)
        counted[where.endpoint] += 1
        if counted[where.endpoint] > most:
            continue
        answer = somebody.open(url)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            assert answer.status_code < 500, (url, answer.text)
            found.places[where] = url
            continue
        found.pages[url], found.places[where] = answer.text, url
        tree = parsed(answer.text)
        found.forms += forms_in(site, somebody.who or "", url, tree)
        for to in _onward(site, url, tree, found.forms) if far else ():
            if to in seen or not urlsplit(to).path.startswith(inside):
                continue
            if not within and (about(to) != slug or "/api/v1/" in to):
                continue
            seen.add(to)
            ahead.append(to)
    return found


def _onward(site: Site, url: str, tree: Element, forms: list[Form]) -> Iterator[str]:
    """Where the links of a page lead, what its filters can show, and what is shown to whoever loads an answer anew."""
    for link in tree.iter("a"):
        if to := _path(url, link.get("href", "")):
            yield to
    for form in forms:
        if form.page != url:
            continue
        if form.method == "POST" and place(site, form.action).endpoint == form.place.endpoint:
            yield form.action
        if form.method == "GET":
            blank = {c.name: c.value for c in form.controls if c.kind == "hidden"}
            for control in form.controls:
                for value in control.choices:
                    query = urlencode({**blank, control.name: value})
                    yield f"{form.action.partition('?')[0]}?{query}"


def about(url: str) -> str | None:
    """The status page that the address names."""
    return dict(parse_qsl(urlsplit(url).query)).get("status_page")


def parsed(html: str) -> Element:
    tree: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return tree


def place(site: Site, url: str, method: str = "GET") -> Place:
    parts = urlsplit(url)
    try:
        endpoint, arguments = site.app.url_map.bind("localhost").match(parts.path, method)
    except HTTPException:
        return Place("nothing", (("path", parts.path),))
    found = {name: str(value) for name, value in arguments.items() if value is not None}
    return Place(str(endpoint).removeprefix("statuspage.console."), tuple(sorted(found.items())))


def forms_in(site: Site, who: str, page: str, tree: Element) -> list[Form]:
    """The forms of a page, one for each address that their buttons lead to."""
    found = []
    for node in tree.iter("form"):
        method = node.get("method", "get").upper()
        controls = tuple(_controls(node))
        actions = [node.get("action", "")]
        actions += [one.get("formaction", "") for one in node.iter("button")]
        ways = dict.fromkeys(action.partition("#")[0] for action in actions if action)
        for action in ways or [""]:
            url = _path(page, action) or page
            where = place(site, url, method)
            found.append(Form(who, page, url, method, controls, where))
    return found


def _controls(form: Element) -> Iterator[Control]:
    radios: dict[str, list[Element]] = {}
    for node in form.iter():
        name, kind = node.get("name", ""), node.get("type", "text")
        required = "required" in node.attrib
        if not name:
            continue
        if node.tag == "textarea":
            text = "".join(node.itertext()).removeprefix("\n")
            yield Control(name, "textarea", text, required)
        elif node.tag == "select":
            options = [one.get("value", "") for one in node.iter("option")]
            chosen = [o.get("value", "") for o in node.iter("option") if "selected" in o.attrib]
            yield Control(name, "select", (chosen or options or [""])[0], required, tuple(options))
        elif node.tag == "button":
            yield Control(name, "button", node.get("value", ""))
        elif node.tag == "input" and kind == "radio":
            radios.setdefault(name, []).append(node)
        elif node.tag == "input" and kind == "checkbox":
            value = node.get("value", "on")
            is_on = "checked" in node.attrib
            yield Control(name, "box", value if is_on else "", required, (value,))
        elif node.tag == "input":
            yield Control(name, kind, node.get("value", ""), required)
    for name, nodes in radios.items():
        on = [node.get("value", "on") for node in nodes if "checked" in node.attrib]
        options = tuple(node.get("value", "on") for node in nodes)
        yield Control(name, "select", (on or [options[0]])[0], True, options)


def _path(base: str, href: str) -> str | None:
    """Where *href* leads within this site; None: elsewhere."""
    whole = urlsplit(urljoin(ROOT + base, href))
    if f"{whole.scheme}://{whole.netloc}" != ROOT:
        return None
    return whole.path + (f"?{whole.query}" if whole.query else "")


def unreached(site: Site, found: Found) -> list[str]:
    """Routes of the desk to which no link and no form leads."""
    reached = {(str(where), "GET") for where in found.places}
    reached |= {(str(form.place), "POST") for form in found.posting}
    return [
        f"{method} {endpoint}: {FURNISH}"
        for endpoint, method, _ in admin.routes()
        if (endpoint, method) not in reached
    ]


def again(site: Site, form: Form) -> Form | None:
    """The same form as its page shows it now; None where it is gone."""
    answer = Member(site, form.who).open(form.page)
    now = forms_in(site, form.who, form.page, parsed(answer.text))
    return next((one for one in now if (one.place, one.method) == (form.place, form.method)), None)


def send(
    browser: Member, form: Form, changes: Mapping[str, Any] | None = None, **headers: str
) -> TestResponse:
    """Send *form* with a token of *browser*, and *changes*; None leaves a field out."""
    sent = form.values()
    if "csrf_token" in form.names and "csrf_token" not in (changes or {}):
        sent["csrf_token"] = browser.token(path="/account")  # a small page
    for name, value in (changes or {}).items():
        sent.poplist(name)
        if value is not None:
            sent.add(name, value)
    named = {"X-Who": browser.who} if browser.who else {}
    options = {"data": sent} if form.method == "POST" else {"query_string": sent}
    url = form.action if form.method == "POST" else form.action.partition("?")[0]
    return browser.client.open(url, method=form.method, headers={**named, **headers}, **options)


class Whole:
    """A furnished site, what there is to be found in it, and its database as it was when that was found."""

    def __init__(self, site: Site, found: Found) -> None:
        self.site, self.found = site, found
        self._path = site.app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
        self._kept = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self._path)) as live:
            live.backup(self._kept)

    def restore(self) -> None:
        """Take the database back to how it was."""
        with closing(sqlite3.connect(self._path)) as live:
            self._kept.backup(live)

    def close(self) -> None:
        self._kept.close()

    def forms(self, endpoint: str) -> list[Form]:
        """The forms that post to *endpoint*."""
        found = [form for form in self.found.posting if form.place.endpoint == endpoint]
        assert found, f"POST {endpoint}: {FURNISH}"
        return found
