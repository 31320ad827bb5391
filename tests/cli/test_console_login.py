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

    def run(*command: str, knows: bool = False, owner: bool = False, **config: Any) -> str:
        page = StatusPage()
        if knows:
            page.member_loader(lambda: None)
        url = f"sqlite:///{tmp_path / 'site.db'}"
        with apps.running(url, statuspage=page, **config) as app:
            if owner:
                add = ["statuspage", "member", "add", "ann@acme.example", "--role", "owner"]
                assert app.test_cli_runner().invoke(args=add).exit_code == 0
            return app.test_cli_runner().invoke(args=["statuspage", *command]).output

    return run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({**ON, **MAIL}, "sign in at https://status.example.com/admin/login by a link"),
        (ON, "cannot sign in yet, as no mail can be sent: STATUSPAGE_SMTP_URL is not set"),
        ({"knows": True}, "sign in to your site, then open https://status.example.com/admin/"),
        ({}, "Nobody can sign in yet: register your login"),
        (
            {**ON, **MAIL, "knows": True},
            "sign in to your site, then open https://status.example.com/admin/\nWhere your site's login does not know "
            "them: They sign in at https://status.example.com/admin/login by a link",
        ),
    ],
    ids=["by mail", "no mail", "by the host", "no login", "both"],
)
def test_adding_a_member(says: Callable[..., str], options: dict[str, Any], expected: str) -> None:
    """It says what they do next, or what is missing."""
    output = says("member", "add", "ann@acme.example", "--role", "owner", **options)
    assert "ann@acme.example is a member now: owner." in output
    assert expected in output


OWNED = {"owner": True}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {**ON, **MAIL, **OWNED},
            ["ok   console: members sign in at https://status.example.com/admin/login"],
        ),
        (
            {**ON, **OWNED},
            ["FAIL console: members sign in by a mailed link, and no mail can be sent"],
        ),
        ({"knows": True, **OWNED}, ["ok   console: members sign in by the site's login"]),
        ({"knows": True}, ["FAIL console:", "there is no owner", "member add"]),
        ({**ON, **MAIL}, ["FAIL console:", "there is no owner", "member add"]),
        (OWNED, ["FAIL console:", "there is no login", "STATUSPAGE_BUILTIN_LOGIN"]),
        ({}, ["--   console: nobody can open it", "there is no login", "there is no owner"]),
    ],
    ids=[
        "by mail",
        "no mail",
        "by the host",
        "host, no owner",
        "mail, no owner",
        "no login",
        "no console",
    ],
)
def test_doctor(says: Callable[..., str], options: dict[str, Any], expected: list[str]) -> None:
    """What is missing before anybody can sign in is a fault; where all of it is, nobody wants a console yet."""
    (line,) = [line for line in says("doctor", **options).splitlines() if " console: " in line]
    assert all(words in line for words in expected), line
