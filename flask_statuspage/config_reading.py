"""How one ``STATUSPAGE_*`` value is read, and what is said of a wrong one; :mod:`.config` has the keys themselves."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from .errors import ConfigError

PREFIX = "STATUSPAGE_"

SECRETS = frozenset({"SECRET_KEYS", "SMS_TOKEN", "X_CLIENT_SECRET"})
"""Keys whose values no error shows."""


def parse(key: str, raw: Any, default: Any, metadata: Mapping[str, Any]) -> Any:
    """The value of *key* as its field has it; *default* where nothing is said.

    :param metadata: of the field: ``parse``, and ``allowed`` in words.
    :raises ConfigError: without the value itself where that is a secret.
    """
    if raw is None or raw == "":
        return default
    try:
        return metadata["parse"](raw)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        # ZoneInfoNotFoundError is a KeyError; a zone named after a folder raises OSError; infinity overflows.
        raise ConfigError(key, _shown(key, raw), metadata["allowed"]) from error


def refuse_unknown(config: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """:raises ConfigError: for a ``STATUSPAGE_*`` key that is none of *known*, with the nearest one that is."""
    for key in config:
        if key.startswith(PREFIX) and key not in known:
            # Without the prefix, which alone would make every key a near one.
            names = [name.removeprefix(PREFIX) for name in known]
            near = difflib.get_close_matches(key.removeprefix(PREFIX), names, n=1, cutoff=0.6)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "the README lists them all."
            raise ConfigError.unknown(key, hint)


def _shown(key: str, raw: Any) -> Any:
    """*raw* without what must not reach a log: keys, and what stands before the @ of a URL, even a broken one."""
    if key.removeprefix(PREFIX) in SECRETS:
        return "…"
    if not isinstance(raw, str) or "@" not in raw:
        return raw
    head, _, host = raw.rpartition("@")
    scheme, slashes, _ = head.partition("//")
    return f"{scheme}//…@{host}" if slashes else f"…@{host}"
