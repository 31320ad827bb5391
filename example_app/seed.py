"""What the status page shows, set up through its manage API as any script could do it.

Everything is looked up before it is made, so running it again changes nothing.
"""

from __future__ import annotations

from typing import Any

import requests

GROUPS = ("Website", "Services")

COMPONENTS = (
    {
        "slug": "portal",
        "name": "Customer portal",
        "description": "Signing in and the overview",
        "group": "Website",
    },
    {
        "slug": "billing",
        "name": "Billing",
        "description": "Invoices and payments",
        "group": "Services",
    },
    {
        "slug": "search",
        "name": "Search",
        "description": "Answers from the help centre",
        "group": "Services",
    },
)

HEALTH = {"portal": "/health", "billing": "/billing/health", "search": "/search/health"}
"""Where the portal tells how each component is."""

RECEIVER = "/webhooks/receiver"

# Two failures in a row, two seconds apart: a story that fits into a coffee break. The defaults, a
# check every minute and three failures, suit a real site better.
PACE = {"interval": 2, "timeout": 2, "failure_threshold": 2, "recovery_threshold": 2}


class ManageApi:
    """The manage API at *url*, with the key of an owner."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> ManageApi:
        return self

    def __exit__(self, *details: object) -> None:
        self._session.close()

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer to one request.

        :raises RuntimeError: with the API's own words when it refuses.
        """
        answer = self._session.request(method, f"{self._url}/{path}", json=body, timeout=10)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.text}")
        return answer.json() if answer.content else None

    def items(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.send("GET", f"{path}?per_page=100")["items"]
        return items


def seed(api: ManageApi, *, portal_url: str, secret: str, subscriber: str) -> None:
    """Components, monitors, a signed webhook to the portal's own receiver, and one subscriber."""
    groups = {group["name"] for group in api.items("component-groups")}
    for position, name in enumerate(GROUPS):
        if name not in groups:
            api.send("POST", "component-groups", {"name": name, "position": position})

    components = {component["slug"] for component in api.items("components")}
    for component in COMPONENTS:
        if component["slug"] not in components:
            api.send("POST", "components", component)

    subscribe(api, "email", subscriber)
    subscribe(api, "webhook", f"{portal_url}{RECEIVER}", secret=secret)

    targets = {monitor["slug"]: monitor["target"] for monitor in api.items("monitors")}
    for component in COMPONENTS:
        slug = component["slug"]
        target = portal_url + HEALTH[slug]
        if slug not in targets:
            monitor = {"slug": slug, "name": component["name"], "component": slug}
            api.send("POST", "monitors", {**monitor, "target": target, **PACE})
        elif targets[slug] != target:  # the portal has another port this time
            api.send("PATCH", f"monitors/{slug}", {"target": target})


def subscribe(api: ManageApi, channel: str, address: str, **more: str) -> None:
    """Subscribe *address*, which a member may do without a confirmation by mail."""
    known = {item["address"]: item["id"] for item in api.items("subscriptions")}
    for other in known:
        if other != address and channel == "webhook" and other.endswith(RECEIVER):
            api.send("DELETE", f"subscriptions/{known[other]}")  # the port of an earlier start
    if address not in known:
        api.send("POST", "subscriptions", {"channel": channel, "address": address, **more})
