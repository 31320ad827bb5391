"""``STATUSPAGE_*`` configuration, read once into a frozen :class:`Settings`.

Each field below is one key. Its metadata holds the parser, what is allowed (for the error message) and the
sentence of the README's table, so that code, error and documentation cannot drift apart.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from .errors import ConfigError

PREFIX = "STATUSPAGE_"

MAX_REMINDER = 60 * 24 * 31
"""The earliest reminder of a maintenance, in minutes before its start."""


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    return words[str(value).strip().lower()]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _absolute(value: Any) -> str:
    # A relative one would be another folder for each process.
    if not os.path.isabs(text := _text(value)):
        raise ValueError
    return text


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if isinstance(value, bool) or int(value) != float(value) or not low <= int(value) <= high:
            raise ValueError
        return int(value)

    return parse


def _share(value: Any) -> float:
    if isinstance(value, bool) or not 0 <= float(value) <= 1:
        raise ValueError
    return float(value)


def _choice(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError
        return str(value)

    return parse


def _url(*schemes: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        text = _text(value)
        parts = urlsplit(text)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError
        _ = parts.port  # raises ValueError when it is no number
        # Not `geturl()`: it takes the slashes from unix:///path, which has no host.
        return parts.scheme + text[len(parts.scheme) :]

    return parse


def _page_url(value: Any) -> str:
    parts = urlsplit(_url("http", "https")(value))
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return parts.geturl().rstrip("/")


def _zone(value: Any) -> str:
    return ZoneInfo(_text(value)).key


def _email(value: Any) -> str:
    text = _text(value)
    if "@" not in text or any(mark in text for mark in "\r\n"):
        raise ValueError
    return text


def _many(parse: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def parse_all(value: Any) -> tuple[Any, ...]:
        items = value.split(",") if isinstance(value, str) else value
        items = (
            [items] if isinstance(items, int) else items
        )  # one number, as from_prefixed_env reads it
        return tuple(parse(item.strip() if isinstance(item, str) else item) for item in items)

    return parse_all


def _key(default: Any, parse: Callable[[Any], Any], *, allowed: str, doc: str) -> Any:
    return field(default=default, metadata={"parse": parse, "allowed": allowed, "doc": doc})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one app. Times are seconds unless the name says otherwise."""

    page_name: str = _key(
        "Status", _text, allowed="a text", doc="Name of the default page until it is given one."
    )
    page_url: str | None = _key(
        None,
        _page_url,
        allowed="an http(s) URL without query or fragment",
        doc="Public URL of the default page. Links in mails and webhooks start with it.",
    )
    time_zone: str = _key(
        "UTC",
        _zone,
        allowed="an IANA time zone name such as 'UTC' or 'Europe/Berlin'",
        doc="Zone in which pages print times.",
    )
    base_template: str = _key(
        "statuspage/base.html",
        _text,
        allowed="the name of a template",
        doc="The template that all pages extend: blocks `title`, `head`, `content`.",
    )
    heading_level: int = _key(
        1,
        _integer(1, 2),
        allowed="1 or 2",
        doc="Level of a page's main heading; 2 inside a host's page.",
    )
    api_dialect: str = _key(
        "native",
        _choice("native", "statuspage"),
        allowed="'native' or 'statuspage'",
        doc="Whose JSON stands at `api/v2/`. Statuspage's is also at `statuspage/api/v2/`, always.",
    )
    mirror_dir: str | None = _key(
        None,
        _absolute,
        allowed="an absolute path",
        doc="Folder in which the workers keep all public documents and pages as files, see Mirror.",
    )
    redis_url: str | None = _key(
        None,
        _url("redis", "rediss", "unix"),
        allowed="a redis://, rediss:// or unix:// URL",
        doc="Redis for RQ. Without it, `flask statuspage run` does the same work in threads.",
    )
    smtp_url: str | None = _key(
        None,
        _url("smtp", "smtps"),
        allowed="smtp://user:password@host:port (`?starttls=1` for STARTTLS) or smtps://…",
        doc="Mail server. Without it there is no email channel.",
    )
    email_from: str | None = _key(
        None,
        _email,
        allowed="an email address, with a display name if wanted",
        doc="Sender of mails.",
    )
    allow_http_targets: bool = _key(
        False,
        _flag,
        allowed="true or false",
        doc="Let webhooks and monitors use plain http (port 80).",
    )
    allow_private_targets: bool = _key(
        False,
        _flag,
        allowed="true or false",
        doc="Let webhooks and monitors reach private and loopback addresses, on any port. "
        "Whoever may add one can then reach your network.",
    )
    target_ports: tuple[int, ...] = _key(
        (443,),
        _many(_integer(1, 65535)),
        allowed="port numbers, such as '443,8443'",
        doc="Ports that webhooks and monitors may use.",
    )
    secret_keys: tuple[str, ...] = _key(
        (),
        _many(_text),
        allowed="one or more long random texts, newest first",
        doc="Keys under which stored secrets are encrypted and links are signed, newest first. "
        "Without it the app's `SECRET_KEY` (and `SECRET_KEY_FALLBACKS`) serve.",
    )
    auto_incidents: str = _key(
        "publish",
        _choice("publish", "draft", "off"),
        allowed="'publish', 'draft' or 'off'",
        doc="What happens when a monitor with `open_incident` goes down: an incident is published, "
        "kept as a draft, or not opened.",
    )
    remind_before: tuple[int, ...] = _key(
        (1440, 60),
        _many(_integer(1, MAX_REMINDER)),
        allowed="minutes, such as '1440,60'; an empty list for none",
        doc="When subscribers are reminded of a maintenance, in minutes before it begins, "
        "unless it says otherwise itself.",
    )
    partial_outage_weight: float = _key(
        0.3,
        _share,
        allowed="a number from 0 to 1",
        doc="How much of a partial outage counts as downtime.",
    )
    uptime_days: int = _key(
        90, _integer(1, 366), allowed="1 to 366", doc="Window of `uptime_percent`, in days."
    )
    check_retention_days: int = _key(
        30,
        _integer(1, 3650),
        allowed="1 to 3650",
        doc="Days for which single check results are kept.",
    )
    delivery_retention_days: int = _key(
        90,
        _integer(1, 3650),
        allowed="1 to 3650",
        doc="Days for which events and finished deliveries are kept with their attempts.",
    )
    webhook_signup: str = _key(
        "open",
        _choice("open", "approval", "closed"),
        allowed="'open', 'approval' or 'closed'",
        doc="Whether a visitor's webhook is active at once, after a member enables it, or never.",
    )
    signups_per_hour: int = _key(
        20,
        _integer(1, 100_000),
        allowed="1 to 100000",
        doc="Sign-ups per hour from one network address.",
    )
    worker_threads: int = _key(
        16,
        _integer(1, 256),
        allowed="1 to 256",
        doc="Threads of one worker: how many probes or deliveries are in flight.",
    )
    calls_per_endpoint: int = _key(
        8,
        _integer(1, 256),
        allowed="1 to 256",
        doc="Deliveries that may be in flight to one host and port, over all workers. Slow endpoints get fewer.",
    )
    lease_seconds: int = _key(
        60,
        _integer(40, 3600),
        allowed="40 to 3600",
        doc="How long a claimed delivery stays with its worker before another may take it.",
    )

    @classmethod
    def from_config(cls, config: MutableMapping[str, Any]) -> Settings:
        """Read every ``STATUSPAGE_*`` key of a Flask config and write the defaults back.

        :raises ConfigError: for an unknown key or a value that is not allowed.
        """
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        _refuse_unknown(config, known)
        values: dict[str, Any] = {}
        for key, item in known.items():
            raw = config.setdefault(key, item.default)
            values[item.name] = _parse(key, raw, item.default, item.metadata)
        settings = cls(**values)
        if settings.smtp_url and not settings.email_from:
            raise ConfigError(
                PREFIX + "EMAIL_FROM", None, "an email address, as STATUSPAGE_SMTP_URL is set"
            )
        return settings


def _parse(key: str, raw: Any, default: Any, metadata: Mapping[str, Any]) -> Any:
    if raw is None or raw == "":
        return default
    try:
        return metadata["parse"](raw)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        # ZoneInfoNotFoundError is a KeyError; a zone named after a folder raises OSError; infinity overflows.
        raise ConfigError(key, _shown(key, raw), metadata["allowed"]) from error


def _shown(key: str, raw: Any) -> Any:
    """*raw* without what must not reach a log: keys, and what stands before the @ of a URL, even a broken one."""
    if key == PREFIX + "SECRET_KEYS":
        return "…"
    if not isinstance(raw, str) or "@" not in raw:
        return raw
    head, _, host = raw.rpartition("@")
    scheme, slashes, _ = head.partition("//")
    return f"{scheme}//…@{host}" if slashes else f"…@{host}"


def _refuse_unknown(config: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key in config:
        if key.startswith(PREFIX) and key not in known:
            # Without the prefix, which alone would make every key a near one.
            names = [name.removeprefix(PREFIX) for name in known]
            near = difflib.get_close_matches(key.removeprefix(PREFIX), names, n=1, cutoff=0.6)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "the README lists them all."
            raise ConfigError.unknown(key, hint)
