"""Ask one target by the http probe, as a batch does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_statuspage.config import Settings
from flask_statuspage.domain.ids import new_id
from flask_statuspage.outgoing import Client
from flask_statuspage.probing import Finding, ProbeOrder, probes
from flask_statuspage.probing.http import HttpAsker
from flask_statuspage.storage.base import utc_now

LOOPBACK = Settings(allow_http_targets=True, allow_private_targets=True)
HTTP = probes["http"]


def order(
    url: str,
    *,
    timeout: float = 5.0,
    degraded_over_ms: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> ProbeOrder:
    return ProbeOrder(
        monitor_id=new_id(),
        region="eu",
        kind="http",
        target=url,
        timeout=timeout,
        degraded_over_ms=degraded_over_ms,
        options=options or {},
        asked_at=utc_now(),
    )


def ask(
    url: str,
    *,
    settings: Settings = LOOPBACK,
    timeout: float = 5.0,
    degraded_over_ms: int | None = None,
    client: Client | None = None,
    **options: Any,
) -> Finding:
    """
    :param client: instead of the site's own.
    """
    given = HTTP.check_options(options, settings)
    asked = order(url, timeout=timeout, degraded_over_ms=degraded_over_ms, options=given)
    if client is not None:
        return HttpAsker(client).ask(asked)
    with HTTP.open(settings) as asker:
        return asker.ask(asked)
