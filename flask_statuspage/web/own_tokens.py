"""Routes that a host-wide CSRFProtect leaves alone."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_wtf.csrf import CSRFProtect

# Views that programs call without a CSRF token; none of them acts with the visitor's session (web/subscribe.py). And
# those of the console, which look at the token themselves: what was typed is not lost with it (web/admin/desk.py).
MACHINE_VIEWS = (
    "flask_statuspage.web.public.home",
    "flask_statuspage.web.documents._answer",
    "flask_statuspage.web.documents._no_document",
    "flask_statuspage.web.subscribe.subscribe",
    "flask_statuspage.web.own_subscription.confirm",
    "flask_statuspage.web.own_subscription.manage",
    "flask_statuspage.web.own_subscription.unsubscribe",
    "flask_statuspage.web.sms_inbound.receive",
    "flask_statuspage.web.heartbeat.receive",
    "flask_statuspage.web.manage_api.door.answer",
    "flask_statuspage.web.manage_api.door.missing",
    "flask_statuspage.web.admin.desk.answer",
    "flask_statuspage.web.admin.login.answer",
)


def exempt(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Keep a host-wide CSRFProtect away from the machine routes, whether it came before or after us.

    URL preprocessors run before any ``before_request``, and only for requests to this blueprint, so the host's own
    requests pay nothing.
    """
    protect: CSRFProtect | None = current_app.extensions.get("csrf")
    if protect is not None and MACHINE_VIEWS[0] not in protect._exempt_views:
        for view in MACHINE_VIEWS:
            protect.exempt(view)
