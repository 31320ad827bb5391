"""Secrets among a monitor's options: kept apart and encrypted, shown as a mask, put back when a check is made.

Whoever sends the mask back keeps what is stored, so that what was read can be written again. They do not where the
monitor would ask somebody else from then on: a member who may not read a secret must not have it sent to a place of
their own either.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row

from ..errors import FieldError, Invalid, SetupError
from ..probing import Probe
from ..storage.encryption import reveal, seal
from ..storage.monitors import Monitor

logger = logging.getLogger(__name__)

MASK = "********"
"""Stands for a secret wherever options are shown."""

DEEPEST = 50

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Kept:
    """What is stored of a monitor before it is changed: its secrets by dotted path, and whom it asks."""

    kind: str = ""
    target: str = ""
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)


NOTHING = Kept()


def kept(monitor: Monitor) -> Kept:
    return Kept(monitor.kind, monitor.target, secrets(monitor))


def secrets(monitor: Monitor) -> dict[str, Any]:
    """The secrets of *monitor* by their dotted path; none where the app's keys do not open them."""
    try:
        return _opened(monitor)
    except SetupError:
        logger.warning("status page: the secrets of monitor %s cannot be opened", monitor.slug)
        return {}


def complete(monitor: Monitor | Row[Any]) -> Mapping[str, Any]:
    """The options of *monitor* with their secrets.

    :raises SetupError: when none of the app's keys opens them.
    """
    if monitor.secrets is None:
        return monitor.options
    return dict(_put_back(monitor.options, _opened(monitor), ()))


def unmasked(monitor: Monitor, probe: Probe, before: Kept) -> dict[str, Any]:
    """The options of *monitor* as they were given, with what is stored in the place of each mask.

    :raises Invalid: naming each option whose secret must be given.
    """
    masked = [path for path, value in _secrets_in(monitor.options, probe) if value == MASK]
    moved = (before.kind, origin(before.target)) != (monitor.kind, origin(monitor.target))
    errors = []
    for path in map(".".join, masked):
        if path not in before.secrets:
            message = "This stands for a secret, and none is stored. Give the secret itself."
            errors.append(FieldError(f"options.{path}", message))
        elif moved:
            errors.append(
                FieldError(f"options.{path}", "Give it again: it was for another address.")
            )
    if errors:
        raise Invalid(*errors)
    found = {".".join(path): before.secrets[".".join(path)] for path in masked}
    return dict(_put_back(monitor.options, found, ()))


def keep_apart(monitor: Monitor, probe: Probe, options: Mapping[str, Any], before: Kept) -> None:
    """Let *monitor* have *options*, whose secrets are stored apart from them."""
    found = {".".join(path): value for path, value in _secrets_in(options, probe)}
    monitor.options = dict(_put_back(options, dict.fromkeys(found, MASK), ()))
    if found != before.secrets or bool(found) != bool(monitor.secrets):
        monitor.secrets = seal(json.dumps(found)) if found else None


def mark(monitor: Monitor) -> str:
    """A print of the secrets as they are stored: another one once they were changed. It tells nothing else of them."""
    # They are sealed another way each time.
    return hashlib.sha256((monitor.secrets or "").encode()).hexdigest()[:20]


def are_replaced(monitor: Monitor, probe: Probe, options: Mapping[str, Any]) -> bool:
    """Whether *options*, as somebody gives them, have a secret that is another one than is stored, or lack one."""
    before = secrets(monitor)
    given = {".".join(path): value for path, value in _secrets_in(options, probe)}
    after = {path: before.get(path) if one == MASK else one for path, one in given.items()}
    return bool(changed(before, after))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The dotted paths of the secrets that differ."""
    return sorted(
        path for path in {*before, *after} if before.get(path, MASK) != after.get(path, MASK)
    )


def origin(target: str) -> tuple[object, ...]:
    """Whom *target* names: scheme, host and port of a URL; anything else is its own."""
    try:
        parts = urlsplit(target)
        if not parts.hostname:
            return (target,)
        scheme = parts.scheme.lower()
        return scheme, parts.hostname.removesuffix("."), parts.port or _PORTS.get(scheme)
    except ValueError:
        return (target,)


def _opened(monitor: Monitor | Row[Any]) -> dict[str, Any]:
    text = reveal(monitor.secrets)
    return {} if text is None else dict(json.loads(text))


def _secrets_in(
    value: object, probe: Probe, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each secret with its path. What is empty is none.

    :raises Invalid: when *value* is nested without end.
    """
    if len(path) > DEEPEST:
        raise Invalid.field("options", "Is nested too deeply.")
    if path and probe.is_secret(path):
        if value not in (None, "", [], {}):
            yield path, value
        return
    for key, item in _items(value):
        yield from _secrets_in(item, probe, (*path, key))


def _put_back(value: Any, found: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """A copy of *value* with what *found* has for a dotted path in its place."""
    if path and (dotted := ".".join(path)) in found:
        return found[dotted]
    if isinstance(value, Mapping):
        return {key: _put_back(item, found, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_put_back(item, found, (*path, key)) for key, item in _items(value)]
    return value


def _items(value: object) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, list):
        return ((str(number), item) for number, item in enumerate(value))
    return ()
