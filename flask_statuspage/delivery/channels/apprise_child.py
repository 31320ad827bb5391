"""A process that sends by Apprise: what connects, opens files or hangs in it is not in ours.

Run as a script it reads one order a line and writes one answer a line, both JSON. An order has ``url title body type
allow_private seconds``; the answer tells ``sent``, or why not: ``unknown`` (the address means nothing to Apprise here),
``refused`` (it wanted something that is not allowed). As a module it reads addresses, for :mod:`.apprise`.

It must start fast, so it imports nothing of this package but the one file that knows public addresses, and that by its
path.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LOCAL = frozenset({"blink1", "dbus", "deltachat", "glib", "gnome", "macosx", "syslog", "windows"})
"""Apprise's modules that act on this machine or start programs on it, instead of sending."""

FILES = frozenset(
    {"attach", "cert", "certfile", "config", "key_file", "keyfile", "subfile", "template"}
)
"""Options by which a plugin reads a file of this machine."""

RUNS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})
CHANGES = frozenset(
    {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod"}
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

READABLE = (
    "/etc/ssl",
    "/etc/pki",
    "/etc/mime.types",
    "/usr/share",
    "/usr/lib",
    "/dev/null",
    "/dev/urandom",
)
"""What may be read beside Python's own files: certificates, zones, kinds of files."""


class Refused(Exception):
    """An address that cannot be used; ``str()`` is a sentence for whoever typed it."""


def load(url: str, *, allow_private: bool) -> Any:
    """The Apprise service (``apprise.NotifyBase``) of *url*. Nothing is sent or looked up.

    :param allow_private: also what acts on this machine.
    :raises Refused: saying what is wrong; never with a part of *url*.
    """
    apprise = _library()
    asset = apprise.AppriseAsset(
        app_id="Flask-StatusPage",
        async_mode=False,
        storage_mode="memory",
        service_timeout=0,  # the process is ended instead
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    with _silence():
        try:
            service = apprise.Apprise.instantiate(url, asset=asset)
        except Exception:  # of some plugin's own reading of an address
            service = None
    if service is None:
        raise Refused("Apprise does not know such an address, or needs a package for it.")
    _, is_own, plugin = type(service).__module__.partition("apprise.plugins.")
    if not is_own or (plugin.partition(".")[0] in LOCAL and not allow_private):
        raise Refused("Such an address acts on the machine that sends; it cannot be used here.")
    parts = vars(service).values()
    named = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    if named & FILES or any(
        isinstance(part, apprise.AppriseAttachment) and len(part) for part in parts
    ):
        raise Refused("An address must not name a file, such as a template or a key.")
    service.redirects = False  # an address may ask for them
    return service


@cache
def _library() -> Any:
    """The package ``apprise`` with all its plugins, which it reads when the first address is."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of modules that some plugin imports, which are nothing to us
        import apprise

        with _silence():
            apprise.Apprise.instantiate("json://localhost")
    return apprise


def typed_hosts(service: Any) -> list[str]:
    """The hosts that somebody typed, of a service that has none of its own."""
    if not all("{host}" in template for template in service.templates):
        return []
    hosts = [service.host, getattr(service, "smtp_host", None)]
    return [host for host in hosts if host]


@contextmanager
def _silence() -> Iterator[None]:
    """Let Apprise log nothing of this thread meanwhile: it would be the address."""
    me, log = threading.get_ident(), logging.getLogger("apprise")

    def is_other(record: logging.LogRecord) -> bool:
        return record.thread != me

    log.addFilter(is_other)
    try:
        yield
    finally:
        log.removeFilter(is_other)


class Guard:
    """An audit hook (PEP 578) that lets through what sending needs, while an order is carried out."""

    def __init__(self) -> None:
        self.active = False
        self.allow_private = False
        self.has_refused = False
        roots = [sys.prefix, sys.base_prefix, *sys.path, *READABLE]
        roots += [os.environ.get("SSL_CERT_FILE", ""), os.environ.get("REQUESTS_CA_BUNDLE", "")]
        self._readable = tuple(os.path.realpath(root) for root in roots if root)
        self._ranges = _ranges()

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.active and not self._permits(event, args):
            self.has_refused = True
            raise PermissionError(f"{event} is not allowed")

    def _permits(self, event: str, args: tuple[Any, ...]) -> bool:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            return self._may_call(args[1])
        if event == "open":
            return self._may_open(*args[:3])
        return event not in CHANGES and (event not in RUNS or self.allow_private)

    def _may_call(self, address: Any) -> bool:
        if address is None:
            return True  # of a socket that is connected already
        if not isinstance(address, tuple):
            return self.allow_private  # a socket of this machine
        try:
            ip = ip_address(address[0])
        except ValueError:
            return False  # a name, which would be looked up behind our back
        is_private = self.allow_private and self._ranges.is_private(ip)
        return bool(self._ranges.is_public(ip) or is_private)

    def _may_open(self, path: Any, mode: Any, flags: Any) -> bool:
        if not isinstance(path, str | bytes):
            return True  # one that is open already
        if isinstance(flags, int) and flags & WRITES:
            return False
        place = os.path.realpath(os.fsdecode(path))
        return any(place == root or place.startswith(root + os.sep) for root in self._readable)


@cache
def _ranges() -> Any:
    path = Path(__file__).parents[2] / "outgoing" / "ranges.py"
    spec = importlib.util.spec_from_file_location("ranges", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def carry_out(order: dict[str, Any], guard: Guard) -> dict[str, bool]:
    """Send one message; never raises."""
    apprise = _library()
    guard.allow_private, guard.has_refused = order["allow_private"], False
    guard.active = True
    try:
        service = load(order["url"], allow_private=order["allow_private"])
        # Each of them ends after the process was ended: of two clocks only one tells what happened.
        service.socket_connect_timeout = service.socket_read_timeout = order["seconds"] + 1
        sender = apprise.Apprise(asset=service.asset)
        sender.add(service)
        sent = sender.notify(
            title=order["title"],
            body=order["body"],
            notify_type=order["type"],
            body_format=apprise.NotifyFormat.TEXT,
        )
        return {"sent": bool(sent), "refused": guard.has_refused}
    except Refused:
        return {"sent": False, "unknown": True, "refused": guard.has_refused}
    except Exception:
        return {"sent": False, "refused": guard.has_refused}
    finally:
        guard.active = False


def main() -> None:
    # What a plugin prints must not look like an answer.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        logging.getLogger("apprise").disabled = True
        guard = Guard()
        sys.addaudithook(guard)
        for line in sys.stdin.buffer:
            answers.write(json.dumps(carry_out(json.loads(line), guard)) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
