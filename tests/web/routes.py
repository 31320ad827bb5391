"""Every route of the manage API with what it takes: the one table that the tests walk."""

from __future__ import annotations

from typing import Any

from flask_statuspage.domain.rights import NEEDED, Right

RIGHTS: dict[tuple[str, str], Right] = {
    ("GET", "/pages"): Right.SEE,
    ("POST", "/pages"): Right.CONFIGURE,
    ("GET", "/pages/<ident>"): Right.SEE,
    ("PATCH", "/pages/<ident>"): Right.CONFIGURE,
    ("DELETE", "/pages/<ident>"): Right.CONFIGURE,
    ("POST", "/pages/<ident>/rotate-link"): Right.CONFIGURE,
    ("GET", "/component-groups"): Right.SEE,
    ("POST", "/component-groups"): Right.ARRANGE,
    ("GET", "/component-groups/<ident>"): Right.SEE,
    ("PATCH", "/component-groups/<ident>"): Right.ARRANGE,
    ("DELETE", "/component-groups/<ident>"): Right.ARRANGE,
    ("PUT", "/component-groups/order"): Right.ARRANGE,
    ("GET", "/components"): Right.SEE,
    ("POST", "/components"): Right.ARRANGE,
    ("GET", "/components/<ident>"): Right.SEE,
    ("PATCH", "/components/<ident>"): Right.ARRANGE,
    ("DELETE", "/components/<ident>"): Right.ARRANGE,
    ("PUT", "/components/<ident>/status"): Right.TELL,
    ("PUT", "/components/order"): Right.ARRANGE,
    ("GET", "/components/<ident>/history"): Right.SEE,
    ("GET", "/monitors"): Right.SEE,
    ("POST", "/monitors"): Right.WATCH,
    ("GET", "/monitors/<ident>"): Right.SEE,
    ("PATCH", "/monitors/<ident>"): Right.WATCH,
    ("DELETE", "/monitors/<ident>"): Right.WATCH,
    ("POST", "/monitors/<ident>/run"): Right.WATCH,
    ("POST", "/monitors/<ident>/pause"): Right.WATCH,
    ("POST", "/monitors/<ident>/resume"): Right.WATCH,
    ("POST", "/monitors/<ident>/rotate-token"): Right.WATCH,
    ("GET", "/monitors/<ident>/checks"): Right.SEE,
    ("GET", "/monitors/<ident>/series"): Right.SEE,
    ("GET", "/incidents"): Right.SEE,
    ("POST", "/incidents"): Right.TELL,
    ("GET", "/incidents/<ident>"): Right.SEE,
    ("PATCH", "/incidents/<ident>"): Right.TELL,
    ("POST", "/incidents/<ident>/updates"): Right.TELL,
    ("POST", "/incidents/<ident>/resolve"): Right.TELL,
    ("DELETE", "/incidents/<ident>"): Right.TELL,
    ("PATCH", "/incidents/<ident>/updates/<update_ident>"): Right.TELL,
    ("DELETE", "/incidents/<ident>/updates/<update_ident>"): Right.TELL,
    ("POST", "/incidents/<ident>/reopen"): Right.TELL,
    ("POST", "/incidents/<ident>/postmortem"): Right.TELL,
    ("GET", "/maintenances"): Right.SEE,
    ("POST", "/maintenances"): Right.TELL,
    ("GET", "/maintenances/<ident>"): Right.SEE,
    ("PATCH", "/maintenances/<ident>"): Right.TELL,
    ("DELETE", "/maintenances/<ident>"): Right.TELL,
    ("POST", "/maintenances/<ident>/start"): Right.TELL,
    ("POST", "/maintenances/<ident>/complete"): Right.TELL,
    ("POST", "/maintenances/<ident>/cancel"): Right.TELL,
    ("POST", "/maintenances/<ident>/updates"): Right.TELL,
    ("PATCH", "/maintenances/<ident>/updates/<update_ident>"): Right.TELL,
    ("DELETE", "/maintenances/<ident>/updates/<update_ident>"): Right.TELL,
    ("GET", "/templates"): Right.SEE,
    ("POST", "/templates"): Right.TELL,
    ("GET", "/templates/<ident>"): Right.SEE,
    ("PATCH", "/templates/<ident>"): Right.TELL,
    ("DELETE", "/templates/<ident>"): Right.TELL,
    ("POST", "/templates/<ident>/render"): Right.SEE,
    ("GET", "/subscriptions"): Right.READERS,
    ("POST", "/subscriptions"): Right.READERS,
    ("GET", "/subscriptions/<ident>"): Right.READERS,
    ("PATCH", "/subscriptions/<ident>"): Right.READERS,
    ("DELETE", "/subscriptions/<ident>"): Right.READERS,
    ("POST", "/subscriptions/<ident>/test"): Right.READERS,
    ("POST", "/subscriptions/<ident>/enable"): Right.READERS,
    ("POST", "/subscriptions/<ident>/disable"): Right.READERS,
    ("POST", "/subscriptions/<ident>/rotate-secret"): Right.READERS,
    ("GET", "/recipients"): Right.TELL,
    ("GET", "/deliveries"): Right.DELIVERIES,
    ("GET", "/deliveries/<ident>"): Right.DELIVERIES,
    ("GET", "/deliveries/<ident>/attempts"): Right.DELIVERIES,
    ("POST", "/deliveries/<ident>/redeliver"): Right.DELIVERIES,
    ("POST", "/deliveries/redeliver"): Right.DELIVERIES,
    ("GET", "/audit"): Right.AUDIT,
    ("GET", "/members"): Right.TEAM,
    ("POST", "/members"): Right.TEAM,
    ("GET", "/members/<ident>"): Right.TEAM,
    ("PATCH", "/members/<ident>"): Right.TEAM,
    ("DELETE", "/members/<ident>"): Right.TEAM,
    ("GET", "/tokens"): Right.TEAM,
    ("POST", "/tokens"): Right.TEAM,
    ("GET", "/tokens/<ident>"): Right.TEAM,
    ("PATCH", "/tokens/<ident>"): Right.TEAM,
    ("DELETE", "/tokens/<ident>"): Right.TEAM,
    ("GET", "/service/services/list/"): Right.SEE,
    ("PUT", "/service/put/<ident>/<status>/"): Right.TELL,
    ("POST", "/service/put/<ident>/<status>/"): Right.TELL,
}
"""Every route and the right that it needs."""

UNDESCRIBED = {("GET", "/service/put/<ident>/<status>/"): Right.TELL}
"""What answers only where a setting lets it, and is told to nobody."""

ROUTES = {route: NEEDED[right].value for route, right in RIGHTS.items()}
"""Every route and the smallest role that may use it."""

SMALLEST: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/components/<ident>/status"): {"status": "operational"},
    ("PATCH", "/maintenances/<ident>/updates/<update_ident>"): {"body": "Mended"},
    ("POST", "/incidents/<ident>/postmortem"): {"body": "Why"},
}
"""The smallest body of routes that need more than an empty one."""


def smallest(method: str, path: str) -> dict[str, Any] | None:
    """A body that *method* on *path* takes; None where there is none."""
    return None if method in ("GET", "DELETE") else SMALLEST.get((method, path), {})
