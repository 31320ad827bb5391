"""What `doctor` says of mail: which way it leaves by, and whether that way works as for a mail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_mail
import flask_mailman
import pytest
from flask import Flask

from tests import apps
from tests.outgoing.peer import closed_port
from tests.servers import smtp as mail
from tests.servers.certificates import Certificate
from tests.servers.smtp import SmtpServer

SENDER = {"STATUSPAGE_EMAIL_FROM": "status@example.com"}


@pytest.fixture
def says(tmp_path: Path) -> Callable[..., str]:
    """The line about mail of a site with this configuration."""

    def run(prepare: Callable[[Flask], object] = lambda app: None, **config: Any) -> str:
        with apps.running(f"sqlite:///{tmp_path / 'site.db'}", **config) as app:
            prepare(app)
            output = app.test_cli_runner().invoke(args=["statuspage", "doctor"]).output
        (line,) = [line for line in output.splitlines() if " mail: " in line]
        return line.strip()

    return run


def test_no_way(says: Callable[..., str]) -> None:
    """A site without mail is fine, and is told so."""
    assert says() == "ok   mail: no way is configured; there is no email channel"


def test_a_mail_server(says: Callable[..., str], smtp: SmtpServer) -> None:
    """It is named with what protects it, or that nothing does."""
    url = f"smtp://127.0.0.1:{smtp.port}"
    line = says(STATUSPAGE_SMTP_URL=url, **SENDER)
    assert line == "ok   mail: by STATUSPAGE_SMTP_URL: 127.0.0.1 answers (not encrypted)"
    line = says(STATUSPAGE_SMTP_URL=f"{url}?starttls=1", **SENDER)
    assert line.startswith("FAIL mail: by STATUSPAGE_SMTP_URL:")
    line = says(STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{closed_port()}", **SENDER)
    assert line.startswith("FAIL mail: by STATUSPAGE_SMTP_URL:")


def test_starttls_and_login_are_tried(says: Callable[..., str], certificate: Certificate) -> None:
    """A certificate or a password that would stop each mail is found, and the password is not shown."""
    with mail.running(tls=certificate.server_context, users={"me": "hush"}) as server:
        end = f"127.0.0.1:{server.port}?starttls=1"
        ca = f"&ca={certificate.path}"
        line = says(STATUSPAGE_SMTP_URL=f"smtp://me:hush@{end}{ca}", **SENDER)
        assert line == "ok   mail: by STATUSPAGE_SMTP_URL: 127.0.0.1 answers (STARTTLS, logged in)"
        for url in (f"smtp://me:hush@{end}", f"smtp://me:hushhush@{end}{ca}"):
            line = says(STATUSPAGE_SMTP_URL=url, **SENDER)
            assert line.startswith("FAIL mail: by STATUSPAGE_SMTP_URL:")
            assert "hush" not in line
        assert server.messages == []


@pytest.mark.parametrize("library", [flask_mail, flask_mailman])
def test_the_sites_library(says: Callable[..., str], smtp: SmtpServer, library: Any) -> None:
    """It is asked as for a mail; without a sender nothing would leave."""
    name = {"flask_mail": "Flask-Mail", "flask_mailman": "Flask-Mailman"}[library.__name__]
    config = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": smtp.port}
    assert says(library.Mail, **config, **SENDER) == f"ok   mail: by {name}: 127.0.0.1 answers"
    assert says(library.Mail, **config) == (
        "FAIL mail: Neither STATUSPAGE_EMAIL_FROM nor MAIL_DEFAULT_SENDER is set."
    )
    config["MAIL_PORT"] = closed_port()
    assert says(library.Mail, **config, **SENDER).startswith(f"FAIL mail: by {name}: ")


def test_what_sends_nothing_says_so(says: Callable[..., str]) -> None:
    """A site that holds its mails back is told, as it may have forgotten."""
    line = says(flask_mail.Mail, MAIL_SUPPRESS_SEND=True, **SENDER)
    assert line.endswith("Flask-Mail: sends nothing, as MAIL_SUPPRESS_SEND or TESTING is set")
    line = says(flask_mailman.Mail, MAIL_BACKEND="locmem", **SENDER)
    assert line.endswith("Flask-Mailman: flask_mailman.backends.locmem.EmailBackend")


def test_a_registered_sender_is_not_tried(says: Callable[..., str]) -> None:
    """A mail to nobody cannot be made up; that there is one is told."""

    def register(app: Flask) -> None:
        app.extensions["statuspage"].owner.email_sender(lambda message: None)

    assert says(register, **SENDER) == "ok   mail: by the registered sender: not tried"
