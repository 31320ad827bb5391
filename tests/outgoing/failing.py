"""Calls that are expected to fail, or to take so long."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flask_statuspage.outgoing import Client, SendFailed


def failure(client: Client, url: str, **options: Any) -> SendFailed:
    """Send, expect a failure and return it."""
    options.setdefault("timeout", 5)
    with pytest.raises(SendFailed) as caught:
        client.send("GET", url, **options)
    return caught.value


@contextlib.contextmanager
def lasting(least: float, most: float) -> Iterator[None]:
    """Require the block to take between so many seconds."""
    started = time.monotonic()
    yield
    assert least <= time.monotonic() - started <= most
