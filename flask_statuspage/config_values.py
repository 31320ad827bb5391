"""How the text or value of one configuration key is read. What is not allowed raises, mostly ``ValueError``."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    return words[str(value).strip().lower()]


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def absolute(value: Any) -> str:
    # A relative one would be another folder for each process.
    path = text(value)
    if not os.path.isabs(path):
        raise ValueError
    return path


def authorities(value: Any) -> str:
    path = absolute(value)
    # Tried now: what is wrong with the file would else be told by the first monitor or message that needs it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=path)
    if not context.cert_store_stats()["x509"]:
        raise ValueError  # a list of revoked ones alone can be read as well, and trusts nothing
    return path


def integer(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if isinstance(value, bool) or int(value) != float(value) or not low <= int(value) <= high:
            raise ValueError
        return int(value)

    return parse


def region_names(value: Any) -> tuple[str, ...]:
    names = many(text)(value)
    if not names or not all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names):
        raise ValueError
    if len(set(names)) < len(names) or max(map(len, names)) > 40:
        raise ValueError
    return tuple(names)


def share(value: Any) -> float:
    if isinstance(value, bool) or not 0 <= float(value) <= 1:
        raise ValueError
    return float(value)


def choice(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError
        return str(value)

    return parse


def url(*schemes: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        whole = text(value)
        parts = urlsplit(whole)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError
        _ = parts.port  # raises ValueError when it is no number
        # Not `geturl()`: it takes the slashes from unix:///path, which has no host.
        return parts.scheme + whole[len(parts.scheme) :]

    return parse


def smtp_url(value: Any) -> str:
    whole = url("smtp", "smtps")(value)
    parts = urlsplit(whole)
    if not unquote(f"{parts.username}{parts.password}").isascii():
        raise ValueError  # smtplib could not log in with it
    # A misspelt option must not send passwords and addresses in clear.
    for name, given in parse_qs(parts.query, keep_blank_values=True).items():
        {"starttls": flag, "ca": absolute}[name](given[-1])
    return whole


def page_url(value: Any) -> str:
    parts = urlsplit(url("http", "https")(value))
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return parts.geturl().rstrip("/")


def zone(value: Any) -> str:
    return ZoneInfo(text(value)).key


def host(value: Any) -> str:
    name = text(value).lower()
    if not re.fullmatch(r"[a-z0-9.\-]+", name):
        raise ValueError
    return name


def frame_ancestor(value: Any) -> str:
    """As the policy ``frame-ancestors`` writes it: keywords in quotes, origins bare."""
    name = text(value).lower().strip("'")
    if name == "*":
        return name
    if name in ("self", "none"):
        return f"'{name}'"
    if not re.fullmatch(
        r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:(\d{1,5}|\*))?", name.rstrip("/")
    ):
        raise ValueError  # anything else could end the directive and begin another one
    return name.rstrip("/")


def region(value: Any) -> str:
    country = text(value)
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise ValueError
    return country.upper()


def email(value: Any) -> str:
    whole = text(value)
    local, _, domain = parseaddr(whole)[1].rpartition("@")
    is_open = whole.count("<") != whole.count(">")
    if not local or not domain or is_open or any(mark in whole for mark in "\r\n"):
        raise ValueError
    return whole


def some(parse: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    """At least one, each once."""

    def parse_some(value: Any) -> tuple[Any, ...]:
        found = tuple(dict.fromkeys(many(parse)(value)))
        if not found:
            raise ValueError
        return found

    return parse_some


def many(parse: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def parse_all(value: Any) -> tuple[Any, ...]:
        items = value.split(",") if isinstance(value, str) else value
        items = (
            [items] if isinstance(items, int) else items
        )  # one number, as from_prefixed_env reads it
        return tuple(parse(item.strip() if isinstance(item, str) else item) for item in items)

    return parse_all
