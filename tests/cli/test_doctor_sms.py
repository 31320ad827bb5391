"""What `doctor` says of texts; it sends none."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_statuspage import StatusPage
from flask_statuspage.cli.doctor import CHECKS, Fault

SETTINGS = {
    "STATUSPAGE_PAGE_URL": "https://status.example.com",
    "STATUSPAGE_SMS_ACCOUNT": "AC1",
    "STATUSPAGE_SMS_TOKEN": "hush",
    "STATUSPAGE_SMS_FROM": "+15005550006",
}
INBOUND = "https://status.example.com/sms/inbound"


def line(page: StatusPage | None = None, **config: Any) -> str:
    """The line of an app with *config*."""
    app = Flask("host")
    app.config.update(SECRET_KEY="a key for tests", **config)
    app.register_blueprint(page or StatusPage(), url_prefix="/status")
    with app.app_context():
        told = CHECKS["sms"]()
    assert "hush" not in told
    return told


def test_how_texts_are_sent() -> None:
    """Not at all, over Twilio, over another gateway, or by a function; and where answers come in."""
    assert "no SMS channel" in line()
    assert line(**SETTINGS) == f"by api.twilio.com; answers come in at {INBOUND}"
    inside = {**SETTINGS, "STATUSPAGE_SMS_URL": "http://10.0.0.1:8080/messages"}
    assert line(**inside).startswith("by 10.0.0.1;")
    page = StatusPage()
    page.sms_sender(lambda number, text: None)
    assert "STATUSPAGE_SMS_TOKEN" in line(page)
    assert line(page, **SETTINGS) == f"by the registered sender; answers come in at {INBOUND}"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/x", "http://user:hush@gateway.example/", "https://a.example/#x"]
)
def test_a_gateway_that_can_never_be_called(url: str) -> None:
    """What the guard refuses for everybody is a fault, told before the first text is lost."""
    with pytest.raises(Fault, match="STATUSPAGE_SMS_URL"):
        line(**{**SETTINGS, "STATUSPAGE_SMS_URL": url})


def test_half_a_gateway_is_a_fault() -> None:
    """A sender's number without an account: the line names what is missing."""
    with pytest.raises(Fault, match="STATUSPAGE_SMS_ACCOUNT, STATUSPAGE_SMS_TOKEN not set"):
        line(STATUSPAGE_SMS_FROM="+15005550006")
