"""The console as a member's browser sees it: a site whose host's login believes a header, and an X."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import flask
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_statuspage import StatusPage
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members
from flask_statuspage.storage.accounts import Account
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.servers import x as fake
from tests.web.site import Site, SiteMaker

PAGE_URL = "https://status.acme.example/status"
ANN = "ann@acme.example"


@dataclass
class Console:
    """A site whose host's login believes the header ``X-Who``, and an X."""

    site: Site
    x: fake.FakeX

    def browser(self, who: str = ANN) -> Browser:
        return Browser(self, self.site.app.test_client(), who)

    def kept(self) -> tuple[list[Any], list[Any]]:
        return self.site.rows(Account), self.site.rows(Subscription)


@dataclass
class Browser:
    console: Console
    client: FlaskClient
    who: str

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(f"/status{path}", headers={"X-Who": self.who}, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.client.post(f"/status{path}", headers={"X-Who": self.who}, **options)

    def token(self) -> str:
        page = self.get("/admin/integrations").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found[1]

    def begin(self, **data: str) -> str:
        """Press the button; returns the address at X."""
        answer = self.post("/admin/x/connect", data={"csrf_token": self.token(), **data})
        assert answer.status_code == 303, answer.text
        return str(answer.location)

    def at_x(self, url: str) -> str:
        """Be asked by X; returns the path of ours that it leads back to."""
        answer = requests.get(url, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        back = answer.headers["Location"]
        assert back.startswith(f"{PAGE_URL}/admin/x/callback?")
        return back.removeprefix(PAGE_URL)

    def sign_in(self, **data: str) -> TestResponse:
        return self.get(self.at_x(self.begin(**data)))


def build(
    make_site: SiteMaker, x: fake.FakeX, *, role: Role = Role.ADMIN, **options: Any
) -> Console:
    """A site that may post to *x*, with one member."""
    page = StatusPage()
    page.member_loader(lambda: flask.request.headers.get("X-Who"))
    options.setdefault("STATUSPAGE_PAGE_URL", PAGE_URL)
    site = make_site(statuspage=page, **x.settings(**options))
    with site.app.app_context():
        members.add(current_session(), ANN, role=role, actor=None, actor_role=None)
        current_session().commit()
    return Console(site, x)
