"""A site without a login of its own, a mail server, and browsers that sign in by mailed links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import flask
from werkzeug.test import TestResponse

from flask_statuspage import StatusPage
from flask_statuspage.domain.roles import Role
from flask_statuspage.jobs import tasks
from flask_statuspage.services import members
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import Member as Row
from tests.console.member import PAGE_URL, Form, Member, forms_of
from tests.servers.smtp import Mail, SmtpServer
from tests.web.site import Site, SiteMaker


@dataclass
class Club:
    """The site and its mail."""

    site: Site
    smtp: SmtpServer

    def browser(self) -> Guest:
        return Guest(self)

    def send(self) -> int:
        """Let a worker send what waits."""
        with self.site.app.app_context():
            return tasks.run("letters")

    def row(self, identity: str) -> Any:
        return next(row for row in self.site.rows(Row) if row.identity == identity)

    def change(self, work: Any) -> Any:
        """Do something in a transaction of its own."""
        with self.site.app.app_context():
            done = work(current_session())
            current_session().commit()
            return done


class Guest(Member):
    """A browser of somebody whom the host does not know."""

    def __init__(self, club: Club) -> None:
        super().__init__(club.site, None)
        self.club = club

    def ask(self, email: str, path: str = "/login") -> TestResponse:
        """Ask for a link."""
        return self.send(self.form(path, "Send me a link"), email=email)

    def mailed(self, email: str, **options: Any) -> str:
        """Ask for a link, and take its path out of the mail."""
        assert self.ask(email, **options).status_code == 200
        assert self.club.send() == 1
        return path_in(self.club.smtp.messages[-1])

    def form_at(self, path: str) -> Form:
        found = forms_of(self.open(path).text)
        return next(form for form in found if "Sign in" in form.words)

    def sign_in(self, email: str, **options: Any) -> TestResponse:
        """The whole way; returns the answer to the button."""
        return self.send(self.form_at(self.mailed(email, **options)))


def build(make_site: SiteMaker, smtp: SmtpServer, **options: Any) -> Club:
    """A site with a member of each role who signs in by a mailed link."""
    settings = {
        "statuspage": StatusPage(),
        "STATUSPAGE_PAGE_URL": PAGE_URL,
        "STATUSPAGE_BUILTIN_LOGIN": True,
        "STATUSPAGE_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
    }
    site = make_site(**settings | options)
    with site.app.app_context():
        for role in Role:
            members.add(
                current_session(),
                f"{role.value}@acme.example",
                role=role,
                actor=None,
                actor_role=None,
            )
        current_session().commit()
    return Club(site, smtp)


def url_in(mail: Mail) -> str:
    """The link in the text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    found = re.search(r"https?://\S+/admin/\S*", part.get_content())
    assert found, part.get_content()
    return found[0]


def path_in(mail: Mail) -> str:
    return urlsplit(url_in(mail)).path


def kept(browser: Member) -> dict[str, Any]:
    """What is in the browser's session."""
    with browser.client.session_transaction() as session:
        return dict(session)


def host_with_a_cart(app: flask.Flask) -> None:
    """A host that keeps something of its own in the session."""

    @app.get("/cart")
    def cart() -> str:
        flask.session["cart"] = ["a book"]
        return "kept"
