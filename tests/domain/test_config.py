"""``STATUSPAGE_*`` keys: what each takes, and how a wrong one is told."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import certifi
import pytest
from flask import Flask

from flask_statuspage.config import PREFIX, Settings
from flask_statuspage.config_reading import SECRETS
from flask_statuspage.errors import ConfigError
from tests.servers.authority import Authority

MAIL = {
    "STATUSPAGE_SMTP_URL": "smtp://mail.example.com",
    "STATUSPAGE_EMAIL_FROM": "a@example.com",
    "STATUSPAGE_SMS_ACCOUNT": "AC0",
    "STATUSPAGE_SMS_TOKEN": "token",
    "STATUSPAGE_SMS_FROM": "Acme",
}

RIGHT: dict[str, list[tuple[Any, Any]]] = {
    "PAGE_NAME": [("Acme", "Acme"), ("  Acme ", "Acme"), ("", "Status"), (None, "Status")],
    "PAGE_URL": [
        ("https://status.example.com/", "https://status.example.com"),
        ("http://localhost:5000/status", "http://localhost:5000/status"),
    ],
    "TIME_ZONE": [("Europe/Berlin", "Europe/Berlin")],
    "LOCALES": [("de", ("de",)), ("fr, en,fr", ("fr", "en")), (["ja"], ("ja",))],
    "BASE_TEMPLATE": [("site.html", "site.html")],
    "HEADING_LEVEL": [(2, 2), ("2", 2)],
    "API_DIALECT": [("statuspage", "statuspage")],
    "FRAME_ANCESTORS": [
        ("self, https://WWW.example.com/", ("'self'", "https://www.example.com")),
        ("'none'", ("'none'",)),
        (["https://*.example.com:8443", "*"], ("https://*.example.com:8443", "*")),
    ],
    "MIRROR_DIR": [(" /srv/mirror ", "/srv/mirror")],
    "REDIS_URL": [("redis://localhost:6379/0", "redis://localhost:6379/0")],
    "SMTP_URL": [
        ("smtps://u:p@mail.example.com", "smtps://u:p@mail.example.com"),
        (
            "smtp://m.example?starttls=1&ca=/etc/ca.pem",
            "smtp://m.example?starttls=1&ca=/etc/ca.pem",
        ),
    ],
    "EMAIL_FROM": [("Acme <a@example.com>", "Acme <a@example.com>")],
    "SMS_URL": [("https://sms.example.com/send", "https://sms.example.com/send")],
    "SMS_ACCOUNT": [("AC1", "AC1")],
    "SMS_TOKEN": [("token", "token")],
    "SMS_FROM": [("+15005550006", "+15005550006")],
    "SMS_SEGMENTS": [(1, 1), ("10", 10)],
    "SMS_REGION": [("de", "DE")],
    "SLACK_HOSTS": [("chat.example.com", ("chat.example.com",))],
    "X_CLIENT_ID": [("id", "id")],
    "X_CLIENT_SECRET": [("secret", "secret")],
    "X_API_URL": [("https://x.example.com/", "https://x.example.com")],
    "X_AUTHORIZE_URL": [("https://x.example.com/authorize", "https://x.example.com/authorize")],
    "NOTICES_PER_HOUR": [(1, 1), ("1000", 1000)],
    "ALLOW_HTTP_TARGETS": [(True, True), ("on", True), ("0", False), (" False ", False)],
    "ESTATUS_GET_WRITES": [(True, True), ("on", True), ("0", False), (" False ", False)],
    "BUILTIN_LOGIN": [(True, True), ("on", True), ("0", False), (" False ", False)],
    "ALLOW_PRIVATE_TARGETS": [("yes", True), ("no", False), (1, True)],
    "TARGET_PORTS": [("443, 8443", (443, 8443)), ([443], (443,)), (8443, (8443,))],
    "CA_FILE": [(certifi.where(), certifi.where())],
    "SECRET_KEYS": [("new,old", ("new", "old")), (["new"], ("new",))],
    "AUTO_INCIDENTS": [("draft", "draft"), ("off", "off")],
    "REMIND_BEFORE": [("1440,60", (1440, 60)), ([], ()), (30, (30,))],
    "PARTIAL_OUTAGE_WEIGHT": [(0, 0.0), ("0.5", 0.5), (1, 1.0)],
    "UPTIME_DAYS": [("30", 30), (366, 366), (7.0, 7)],
    "REGIONS": [("eu,us-east", ("eu", "us-east")), (["default"], ("default",))],
    "REFERENCE_TARGETS": [
        ("http://a.example/,https://b.example/x", ("http://a.example", "https://b.example/x"))
    ],
    "MIN_CHECK_INTERVAL": [(1, 1), ("60", 60)],
    "CHECK_RETENTION_DAYS": [(1, 1)],
    "DELIVERY_RETENTION_DAYS": [(1, 1), ("3650", 3650)],
    "WEBHOOK_SIGNUP": [("approval", "approval")],
    "SIGNUPS_PER_HOUR": [(1, 1)],
    "API_RATE": [(0, 0), ("60", 60)],
    "WORKER_THREADS": [(256, 256)],
    "CALLS_PER_ENDPOINT": [(1, 1), ("16", 16)],
    "LEASE_SECONDS": [(3600, 3600)],
}

WRONG: dict[str, list[Any]] = {
    "PAGE_NAME": ["   ", 5, ["Acme"]],
    "PAGE_URL": ["status.example.com", "ftp://a.example", "https://", "https://a.example/?q=1"],
    "TIME_ZONE": ["Mars/Olympus", "Europe", "../../etc/passwd", 1, "\x00"],
    "LOCALES": ["tlh", [], ["de", 1], 1, "de-AT"],
    "BASE_TEMPLATE": [" ", 1],
    "HEADING_LEVEL": [0, 3, "two", True, 1.5, float("inf"), float("nan")],
    "API_DIALECT": ["atlassian", True, "Native"],
    "FRAME_ANCESTORS": [
        *([], "www.example.com", "https://a.example;script-src *", "https://a.example b", 1),
        *("ftp://a.example", "https://a.example/path", "https://*", "unsafe-inline"),
    ],
    "MIRROR_DIR": [" ", 1, [], "mirror", "./mirror", "~/mirror"],
    "REDIS_URL": ["localhost:6379", "http://localhost", "redis://host:port"],
    "SMTP_URL": [
        *("mail.example.com", "http://mail.example.com", "smtp://host:99999"),
        *("smtp://host?startls=1", "smtp://host?starttls=maybe", "smtps://host?ca=ca.pem"),
        *("smtp://u:p%C3%A4@host", "smtp://host?starttls="),
    ],
    "EMAIL_FROM": ["nobody", "@", "a@", "Acme <a@b", "a@example.com\r\nBcc: b@example.com", 1],
    "SMS_URL": ["sms.example.com", "smtp://sms.example.com", 1],
    "SMS_ACCOUNT": [" ", 1],
    "SMS_TOKEN": [" ", 1],
    "SMS_FROM": [" ", 1],
    "SMS_SEGMENTS": [0, 11, "few", True],
    "SMS_REGION": ["Germany", "D", 49, "49"],
    "SLACK_HOSTS": [[""], [1], 1, "https://hooks.slack.com/", "a b"],
    "X_CLIENT_ID": [" ", 1],
    "X_CLIENT_SECRET": [" ", 1],
    "X_API_URL": ["api.x.com", "ftp://x.example.com", "https://x.example.com/?q=1"],
    "X_AUTHORIZE_URL": ["x.com", "https://x.example.com/#a"],
    "NOTICES_PER_HOUR": [0, 1001, "many", True],
    "ALLOW_HTTP_TARGETS": ["maybe", 2, []],
    "ESTATUS_GET_WRITES": ["maybe", 2, []],
    "BUILTIN_LOGIN": ["maybe", 2, []],
    "ALLOW_PRIVATE_TARGETS": ["ja", 1.5],
    "TARGET_PORTS": ["http", "0", "443;80", [443, None], 70000, True, {"a": 1}],
    "CA_FILE": ["ca.pem", "/nowhere/ca.pem", "/", __file__, "\x00", 5],
    "SECRET_KEYS": ["a,,b", [5], [""]],
    "AUTO_INCIDENTS": ["on", True, "Publish"],
    "REMIND_BEFORE": ["soon", "0", [0], 44641, True, {"a": 1}],
    "PARTIAL_OUTAGE_WEIGHT": [-0.1, 1.1, "much", True, float("nan")],
    "UPTIME_DAYS": [0, 367, "30.5", float("inf")],
    "REGIONS": ["Not A Region", "eu,eu", ["x" * 41], 5],
    "REFERENCE_TARGETS": ["ftp://a.example", "https://a.example/?q=1", 5],
    "MIN_CHECK_INTERVAL": [0, 3601, "soon"],
    "CHECK_RETENTION_DAYS": [0, -1, "forever"],
    "DELIVERY_RETENTION_DAYS": [0, 3651, "for ever", True, 1.5],
    "WEBHOOK_SIGNUP": ["yes", 1],
    "SIGNUPS_PER_HOUR": [0, 100_001],
    "API_RATE": [-1, 1_000_001, "none"],
    "WORKER_THREADS": [0, 257, "many"],
    "CALLS_PER_ENDPOINT": [0, 257, "few"],
    "LEASE_SECONDS": [14, 3601, [60]],
}

FIELDS = {item.name.upper(): item for item in fields(Settings)}


def test_every_key_is_tried_below() -> None:
    """A new key is not forgotten in the lists of right and wrong values."""
    assert set(RIGHT) == set(WRONG) == set(FIELDS)


@pytest.mark.parametrize(
    ("name", "raw", "parsed"),
    [(name, raw, parsed) for name, cases in RIGHT.items() for raw, parsed in cases],
)
def test_right_value_is_parsed(name: str, raw: Any, parsed: Any) -> None:
    """Values come as Python has them or as the text of an environment variable."""
    settings = Settings.from_config({**MAIL, PREFIX + name: raw})
    assert getattr(settings, name.lower()) == parsed


@pytest.mark.parametrize(
    ("name", "raw"), [(name, raw) for name, values in WRONG.items() for raw in values]
)
def test_wrong_value_is_refused(name: str, raw: Any) -> None:
    """The error names the key, shows the value, and says what is allowed."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_config({**MAIL, PREFIX + name: raw})
    error = caught.value
    assert (error.key, error.allowed) == (PREFIX + name, FIELDS[name].metadata["allowed"])
    assert error.key in str(error)
    assert error.allowed in str(error)
    if "@" not in str(raw) and name not in SECRETS:
        assert repr(raw) in str(error)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("SMTP_URL", "smtp://user:hunter2@mail.example.com:port"),
        ("SMTP_URL", "user:hunter2@mail.example.com:587"),
        ("SMTP_URL", "smtp://user:hunter2//@mail.example.com:port"),
        ("SMTP_URL", "smtp://user:p@hunter2@mail.example.com:port"),
        ("REDIS_URL", "http://:hunter2@redis.example.com/0"),
        ("PAGE_URL", "ftp://user:hunter2@status.example.com"),
        ("SECRET_KEYS", "hunter2,,old"),
        ("SECRET_KEYS", ["hunter2", 5]),
    ],
)
def test_password_is_not_shown(name: str, raw: object) -> None:
    """What is secret in a wrong value reaches neither the error's text nor its attributes."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_config({PREFIX + name: raw})
    assert "hunter2" not in f"{caught.value}{caught.value.value}"
    if isinstance(raw, str) and "@" in raw:
        assert "example.com" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("STATUSPAGE_SMPT_URL", "did you mean STATUSPAGE_SMTP_URL?"),
        ("STATUSPAGE_PAGENAME", "did you mean STATUSPAGE_PAGE_NAME?"),
        ("STATUSPAGE_QQQQ", "the README lists them all."),
    ],
)
def test_unknown_key_is_refused_with_a_hint(key: str, hint: str) -> None:
    """A misspelt key stops the start and the error names the key that was probably meant."""
    with pytest.raises(ConfigError, match="is not a setting") as caught:
        Settings.from_config({key: "x"})
    assert (caught.value.key, caught.value.allowed) == (key, hint)


def test_other_extensions_keys_are_left_alone() -> None:
    """Only keys with the prefix are looked at."""
    assert Settings.from_config({"SMTP_URL": 5, "XSTATUSPAGE_A": 1}) == Settings()


def test_mail_server_needs_a_sender() -> None:
    """A mail server without STATUSPAGE_EMAIL_FROM is refused at the start, not at the first mail."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_config({"STATUSPAGE_SMTP_URL": "smtp://mail.example.com"})
    assert caught.value.key == "STATUSPAGE_EMAIL_FROM"


def test_the_sites_own_sender_is_enough() -> None:
    """Where the site has said who its mails come from, ours need no other."""
    config = {
        "STATUSPAGE_SMTP_URL": "smtp://mail.example.com",
        "MAIL_DEFAULT_SENDER": "a@example.com",
    }
    assert Settings.from_config(config).email_from is None


def test_defaults_are_written_back() -> None:
    """After the start a host finds every key in its config, and its own values unchanged."""
    app = Flask(__name__)
    app.config["STATUSPAGE_UPTIME_DAYS"] = "30"
    Settings.from_config(app.config)
    assert {key for key in app.config if key.startswith(PREFIX)} == {PREFIX + n for n in FIELDS}
    assert app.config["STATUSPAGE_UPTIME_DAYS"] == "30"
    assert app.config["STATUSPAGE_WORKER_THREADS"] == 16


@pytest.mark.parametrize("name", list(FIELDS))
def test_key_documents_itself(name: str) -> None:
    """Each key has a sentence and a description of what is allowed, and its default is allowed."""
    metadata = FIELDS[name].metadata
    assert metadata["doc"].endswith(".")
    assert metadata["allowed"]
    default = FIELDS[name].default
    if default not in (None, ()):
        assert metadata["parse"](default) == default


def test_a_file_that_trusts_nothing_is_no_file_of_authorities(tmp_path: Path) -> None:
    """A list of revoked certificates alone can be read, but nobody is trusted by it; beside one it harms nothing."""
    authority = Authority(tmp_path)
    revoked = Path(authority.revoke_nothing())
    with pytest.raises(ConfigError, match="STATUSPAGE_CA_FILE"):
        Settings.from_config({"STATUSPAGE_CA_FILE": str(revoked)})
    revoked.write_bytes(revoked.read_bytes() + Path(authority.path).read_bytes())
    assert Settings.from_config({"STATUSPAGE_CA_FILE": str(revoked)}).ca_file == str(revoked)
