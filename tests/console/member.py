"""Members before the console: a host whose login believes the header ``X-Who``, and browsers that know their forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from typing import Any

import flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from flask_statuspage import StatusPage
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.session import current_session
from tests.web.site import Site, SiteMaker

PAGE_URL = "https://status.acme.example/status"

VIEWER, EDITOR, ADMIN, OWNER = (f"{role.value}@acme.example" for role in Role)
"""A member of each role."""


def build(make_site: SiteMaker, **options: Any) -> Site:
    """A site with a member of each role."""
    page = StatusPage()
    page.member_loader(lambda: flask.request.headers.get("X-Who"))
    options.setdefault("STATUSPAGE_PAGE_URL", PAGE_URL)
    site = make_site(statuspage=page, **options)
    with site.app.app_context():
        for role in Role:
            row = members.add(
                current_session(),
                f"{role.value}@acme.example",
                role=role,
                actor="command line",
                actor_role=None,
            )
            row.last_seen_at = (
                utc_now()
            )  # else each one's first look is written down, which tests count
        current_session().commit()
    return site


@dataclass
class Form:
    """A form as it stands on a page: where it posts, and what it would post if nobody touched it."""

    action: str
    fields: MultiDict[str, str]
    words: str


class Member:
    """A browser of somebody who is signed in as *who*; None: of nobody."""

    def __init__(self, site: Site, who: str | None = EDITOR) -> None:
        self.site = site
        self.who = who
        self.client: FlaskClient = site.app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.open(f"{self.site.prefix}/admin{path}", **options)

    def open(self, url: str, method: str = "GET", **options: Any) -> TestResponse:
        headers = {"X-Who": self.who} if self.who else {}
        return self.client.open(url, method=method, headers=headers, **options)

    def post(self, path: str, data: Mapping[str, Any], **options: Any) -> TestResponse:
        """Post *data* as it is, with a token that counts."""
        body = MultiDict(data)
        body.setdefault("csrf_token", self.token())
        return self.open(f"{self.site.prefix}/admin{path}", method="POST", data=body, **options)

    def token(self, who: str | None = None, path: str = "/") -> str:
        """A token that counts in this browser's session.

        :param who: the member who is shown a form, if the one of this browser sees none.
        :param path: the page that it is taken from.
        """
        keep, self.who = self.who, who or self.who
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        self.who = keep
        assert found
        return unescape(found[1])

    def forms(self, path: str) -> list[Form]:
        return forms_of(self.get(path).text)

    def form(self, path: str, words: str) -> Form:
        """The form of the page whose button or legend has *words*."""
        found = [form for form in self.forms(path) if words in form.words]
        assert found, f"no form with {words!r} on {path}"
        return found[0]

    def send(self, form: Form, **changes: Any) -> TestResponse:
        """Press the button of *form*, with some fields filled in otherwise; None leaves one out, a list is several."""
        fields = MultiDict(form.fields)
        for name, value in changes.items():
            fields.poplist(name)
            values: Iterable[Any] = value if isinstance(value, list) else [value]
            for one in values:
                if one is not None:
                    fields.add(name, str(one))
        return self.open(form.action, method="POST", data=fields)

    def follow(self, answer: TestResponse) -> TestResponse:
        """The page that a redirect leads to."""
        assert answer.status_code == 303, answer.text
        return self.open(answer.headers["Location"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.open: Form | None = None
        self.area: str | None = None
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form" and given.get("method") == "post":
            self.open = Form(given["action"], MultiDict(), "")
            self.forms.append(self.open)
        if self.open is None:
            return
        name = given.get("name")
        if tag == "input" and name:
            if given.get("type") in ("checkbox", "radio") and "checked" not in given:
                return
            self.open.fields.add(name, given.get("value", "on"))
        elif tag == "textarea" and name:
            self.area, self.text = name, ""
        elif tag == "select" and name:
            self.select, self.options = name, []
        elif tag == "option" and self.select:
            self.options.append((given.get("value", ""), "selected" in given))

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.text += data
        elif self.open is not None:
            self.open.words += data

    def handle_endtag(self, tag: str) -> None:
        if self.open is None:
            return
        if tag == "textarea" and self.area is not None:
            self.open.fields.add(self.area, self.text.removeprefix("\n"))
            self.area = None
        elif tag == "select" and self.select is not None:
            chosen = [value for value, selected in self.options if selected]
            if self.options:
                self.open.fields.add(self.select, (chosen or [self.options[0][0]])[0])
            self.select = None
        elif tag == "form":
            self.open = None


def forms_of(html: str) -> list[Form]:
    """The forms of a page that post."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms
