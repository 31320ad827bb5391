"""What the command line says of signing in to the console: to whoever adds a member, and in `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage import StatusPage
from tests import apps

MAIL = {"STATUSPAGE_SMTP_URL": "smtp://127.0.0.1:9", "STATUSPAGE_EMAIL_FROM": "a@acme.example"}
ON = {"STATUSPAGE_BUILTIN_LOGIN": True}


@pytest.fixture
def says(tmp_path: Path) -> Callable[..., str]:
    """What a command prints on a site with this configuration."""

    def run(*command: str, knows: bool = False, **config: Any) -> str:
        page = StatusPage()
        if knows:
            page.member_loader(lambda: None)
        url = f"sqlite:///{tmp_path / 'site.db'}"
        with apps.running(url, statuspage=page, **config) as app:
            return app.test_cli_runner().invoke(args=["statuspage", *command]).output

    return run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({**ON, **MAIL}, "sign in at https://status.example.com/admin/login by a link"),
        (ON, "cannot sign in yet, as no mail can be sent: STATUSPAGE_SMTP_URL is not set"),
        ({"knows": True}, "sign in to your site, then open https://status.example.com/admin/"),
        ({}, "Nobody can sign in yet: register your login"),
    ],
    ids=["by mail", "no mail", "by the host", "no login"],
)
def test_adding_a_member(says: Callable[..., str], options: dict[str, Any], expected: str) -> None:
    """It says what they do next, or what is missing."""
    output = says("member", "add", "ann@acme.example", "--role", "owner", **options)
    assert "ann@acme.example is a member now: owner." in output
    assert expected in output


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({**ON, **MAIL}, "ok   console: members sign in at https://status.example.com/admin/login"),
        (ON, "FAIL console: members sign in by a mailed link, and no mail can be sent"),
        ({"knows": True}, "ok   console: members sign in by the site's login"),
        ({}, "ok   console: has no login, so nobody can open it"),
    ],
    ids=["by mail", "no mail", "by the host", "no login"],
)
def test_doctor(says: Callable[..., str], options: dict[str, Any], expected: str) -> None:
    """A login that cannot work is a fault; a console without one is told of."""
    assert expected in says("doctor", **options)
