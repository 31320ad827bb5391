"""What one must know to send a form: most can be sent as they are, with samples where something is required."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import unescape
from re import search

from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_statuspage.domain import totp
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import SecondFactor
from flask_statuspage.web import admin
from tests.console.crawl import Form, Whole, send
from tests.console.member import Member

POSTS = list(dict.fromkeys(e for e, method, _ in admin.routes() if method == "POST"))
"""Every endpoint of the console that does something for a member."""

LINES = "channel,address\nemail,sample@acme.example\n"
"""A file that brings somebody in."""

TELL = "Say in tests/console/knowing.py what this form needs to be accepted."


def needed(whole: Whole, form: Form) -> dict[str, str]:
    """The values besides those that the form has, with which it is accepted."""
    known = KNOWN.get(form.place.endpoint)
    return known(whole, form) if known else {}


def accepted(whole: Whole, endpoint: str) -> tuple[Form, TestResponse]:
    """A form for *endpoint* that is accepted, and the answer; the database is as that left it."""
    for form in whole.forms(endpoint):
        whole.restore()
        answer = send(Member(whole.site, form.who), form, needed(whole, form))
        if answer.status_code in (200, 303):
            return form, answer
    raise AssertionError(f"POST {endpoint}: {answer.status_code}. {TELL}\n{answer.text}")


def _a_status(whole: Whole, form: Form) -> dict[str, str]:
    first = next(name for name in sorted(form.names) if name.startswith("status."))
    return {first: "partial_outage"}


def _shown(whole: Whole, form: Form) -> str:
    """What the page asks one to type."""
    html = Member(whole.site, form.who).open(form.page).text
    found = search(r'<strong class="sp-theirs"><bdi>(.*?)</bdi>', html)
    assert found
    return unescape(found[1])


def _its_title(whole: Whole, form: Form) -> dict[str, str]:
    return {"title": _shown(whole, form)}


def _its_name(whole: Whole, form: Form) -> dict[str, str]:
    return {"name": _shown(whole, form)}


def _some_lines(whole: Whole, form: Form) -> dict[str, str]:
    """Those of a file, with the mark by which the page knows that it was looked at."""
    typed = {"text": LINES, "state": "active"}
    looked_at = send(Member(whole.site, form.who), form, {**typed, "check": "yes"})
    found = search(r'name="seen" value="([^"]+)"', looked_at.text)
    assert found, looked_at.text
    return {**typed, "seen": unescape(found[1]), "import": "yes"}


def _a_code(whole: Whole, form: Form) -> dict[str, str]:
    with whole.site.app.app_context():
        factors = current_session().scalars(select(SecondFactor))
        secret = next(one.secret for one in factors if one.member.identity == form.who)
    return {"code": totp.code(secret, int(time.time()) // totp.SECONDS)}


KNOWN: dict[str, Callable[[Whole, Form], dict[str, str]]] = {
    "dashboard": _a_status,
    "incident_delete": _its_title,
    "maintenance_delete": _its_title,
    "monitor_delete": _its_name,
    "subscribers_import": _some_lines,
    "factor_confirm": _a_code,
    "factor_renew": _a_code,
    "factor_off": _a_code,
    "page_new": lambda whole, form: {"slug": "sample-page"},
    "incident_update": lambda whole, form: {"body": "We still look."},
}
