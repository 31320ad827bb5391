"""Whatever Apprise knows: one channel whose addresses are Apprise's URLs, for the site's team only.

Apprise opens its own connections, which are not the pinned ones of webhooks, and its plugins keep their own time. So it
sends in a process of its own (:mod:`.apprise_child`): a connection to what the site may not call is refused there when
it is opened, wherever an address, a look-up or a redirect leads, and one that hangs is ended with the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...config import Settings
from ...errors import Invalid
from ...outgoing import AddressPolicy, AddressRefused, vet_address, vet_url
from ..parcel import Failure, Outcome, Parcel
from . import apprise_child, posting
from .channel import Line

MAX_ADDRESS = 2048
IDLE_AT_MOST = 2
"""Processes that wait for another message. One takes some 50 MB and, to start, half a second of a core."""

KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""The rest stays here: secrets, and proxies and ``.netrc``, by which another way would be taken than was vetted."""


class AppriseChannel:
    """Read by people, but in a place of the team's own choosing, each message about the site that they run: it is not
    folded into digests."""

    name = "apprise"
    default_format = "text"
    needs_confirmation = False
    confirms_by_code = False
    members_only = True
    secret_address = True
    for_people = False
    replies = False
    target_seconds = 120.0
    parallel: int | None = 2

    def __init__(self) -> None:
        self._children = _Children()

    def available(self, settings: Settings) -> str | None:
        # Looked for, not imported: that takes hundreds of milliseconds.
        return None if find_spec("apprise") else "install Flask-StatusPage[apprise]."

    def normalise(self, address: str, settings: Settings) -> str:
        scheme, mark, rest = address.strip().partition("://")
        if not mark or not scheme.isascii() or len(address) > MAX_ADDRESS:
            raise Invalid.field(
                "address", "This is no Apprise address, such as discord://id/token."
            )
        address = f"{scheme.lower()}://{rest}"
        if not address.isprintable():
            raise Invalid.field("address", "The address must be printable.")
        for host in _hosts(address, settings):
            _vetted(vet_url, host, settings)
        return address

    def vet(self, address: str, settings: Settings) -> None:
        for host in _hosts(address, settings):
            _vetted(vet_address, host, settings)

    def endpoint(self, address: str) -> str:
        return f"{self.name} {address.partition('://')[0]}"

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        with self._children.wanted():
            yield AppriseLine(self._children, settings)


class AppriseLine:
    def __init__(self, children: _Children, settings: Settings) -> None:
        self._children = children
        self._settings = settings

    def send(self, parcel: Parcel) -> Outcome:
        started = time.monotonic()
        content = json.loads(parcel.body)
        order = {
            "url": parcel.address,
            "title": content["title"],
            "body": content["body"],
            "type": content["type"],
            "allow_private": self._settings.allow_private_targets,
            "seconds": parcel.policy.timeout,
        }
        answer = self._children.carry_out(order, seconds=parcel.policy.timeout)
        error, kind = _judged(answer)
        milliseconds = round((time.monotonic() - started) * 1000)
        return Outcome(error=error, kind=kind, milliseconds=milliseconds)


def _judged(answer: dict[str, bool]) -> tuple[str | None, Failure | None]:
    """Apprise tells only whether it sent, so all that it did not is worth another attempt."""
    if answer.get("sent"):
        return None, None
    if answer.get("late"):
        return posting.FAILURES["timeout"], Failure.TIMEOUT
    if answer.get("unknown"):
        return "Apprise does not take the address any more.", Failure.CHANNEL
    if answer.get("refused"):
        return posting.FAILURES["refused_address"], Failure.REFUSED_ADDRESS
    return "Apprise could not send it.", Failure.CHANNEL


def _hosts(address: str, settings: Settings) -> list[str]:
    try:
        service = apprise_child.load(address, allow_private=settings.allow_private_targets)
    except apprise_child.Refused as error:
        raise Invalid.field("address", str(error)) from None
    return apprise_child.typed_hosts(service)


def _vetted(judge: Any, host: str, settings: Settings) -> None:
    """Ports and schemes are the service's: SMTP, MQTT, whatever there is."""
    try:
        judge(f"https://{host}/", AddressPolicy(allow_private=settings.allow_private_targets))
    except AddressRefused as error:
        raise Invalid.field("address", str(error)) from error


class _Children:
    """The processes of all lines that are open, which take turns with them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._lines = 0

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """While somebody may want one, those that are done wait; with the last line they go."""
        with self._lock:
            self._lines += 1
        try:
            yield
        finally:
            with self._lock:
                self._lines -= 1
                leaving = [] if self._lines else self._idle
                self._idle = [] if leaving else self._idle
            for child in leaving:
                child.end()

    def carry_out(self, order: dict[str, Any], *, seconds: float) -> dict[str, bool]:
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or _Child()
        answer: dict[str, bool] = {}
        try:
            answer = child.carry_out(order, seconds=seconds)
        finally:
            with self._lock:
                # After a failure something of it may still be going on in there.
                stays = bool(answer.get("sent")) and len(self._idle) < IDLE_AT_MOST
                if stays:
                    self._idle.append(child)
            if not stays:
                child.end()
        return answer


class _Child:
    """One process; after :meth:`end` it is gone."""

    def __init__(self) -> None:
        found = find_spec("apprise")
        assert found is not None
        assert found.origin is not None
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        environment["HOME"] = os.devnull  # where there is no .netrc
        environment["PYTHONPATH"] = str(Path(found.origin).parents[1])
        self._process = subprocess.Popen(
            # -P: the folder of the script is no place for imports; a module there is named email.
            [sys.executable, "-P", apprise_child.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # an interrupt from the keyboard is for us
        )
        self._is_late = False

    def carry_out(self, order: dict[str, Any], *, seconds: float) -> dict[str, bool]:
        """What :mod:`.apprise_child` answers; ``late`` where it took longer than *seconds*, empty where it died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if line:
            answer: dict[str, bool] = json.loads(line)
            return answer
        return {"late": self._is_late}

    def _cut(self) -> None:
        self._is_late = True
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        with suppress(OSError):  # the pipe to one that died
            self._process.communicate()
