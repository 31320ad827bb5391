"""Every public document of a page, each once: routes, mirror, OpenAPI and the page ``docs`` read this list.

A new document is one module and one entry here. Other packages offer theirs as entry points of the group
``flask_statuspage.documents``, each a :class:`~.document.Document`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from types import ModuleType
from typing import Any, get_type_hints

from ..domain.ids import RESERVED_SLUGS, is_slug
from ..registry import Registry
from ..translation import said
from . import badge, incident_csv, native_api, statuspage_api, theme
from .document import ATOM, CALENDAR, CSS, CSV, JSON, PAGE, RSS, SVG, Document
from .json_text import dumps
from .snapshot import Snapshot

GROUP = "flask_statuspage.documents"

ENDPOINTS = frozenset(
    [
        "home",
        "history",
        "incident",
        "maintenance",
        "maintenance_ics",
        "component",
        "live",
        "widget",
        "widget_js",
        "widget_json",
        "docs",
        "openapi",
        "subscribe",
        "confirm",
        "manage",
        "unsubscribe",
        "static",
    ]
)
"""Names that pages and files have."""

logger = logging.getLogger(__name__)

_JSON = (
    ("status", "status", said("The status of the page as a whole.")),
    (
        "summary",
        "summary",
        said("Status, components, open incidents and scheduled maintenance at once."),
    ),
    (
        "components",
        "components",
        said("All components with their status and what was measured of them."),
    ),
    (
        "incidents",
        "incidents",
        said("All incidents, the newest 50 first; earlier ones by `?page=`."),
    ),
    ("incidents/unresolved", "unresolved_incidents", said("Only the incidents that are open.")),
    (
        "scheduled-maintenances",
        "scheduled_maintenances",
        said("All maintenance that is planned or going on, and the latest that is over."),
    ),
    (
        "scheduled-maintenances/upcoming",
        "upcoming_maintenances",
        said("Maintenance that has not begun."),
    ),
    ("scheduled-maintenances/active", "active_maintenances", said("Maintenance that is going on.")),
)
"""Path below ``api/v2/``, the function of each dialect's module, and what the document holds."""


@cache
def documents(dialect: str = "native") -> dict[str, Document]:
    """All documents by their names, which are endpoints too.

    :param dialect: whose JSON stands at ``api/v2/``: ``native`` or ``statuspage``. The paths are the same in both.
    """
    found = {name: one for name, one in _registry.items() if name in _OWN or _is_fit(name, one)}
    if dialect == "statuspage":
        for path, _, _ in _JSON:
            name = _endpoint(path)
            other = found[f"statuspage_{name}"]
            found[name] = replace(other, name=name, paths=found[name].paths)
    return found


def _json(dialect: ModuleType, prefix: str, folder: str) -> list[Document]:
    made = []
    for path, function_name, says in _JSON:
        function = getattr(dialect, function_name)
        made.append(
            Document(
                name=prefix + _endpoint(path),
                paths=(f"{folder}{path}.json",),
                content_type=JSON,
                render=partial(_as_json, function),
                says=says,
                model=get_type_hints(function)["return"],
                parameters=(PAGE,) if path == "incidents" else (),
                paged=path == "incidents",
            )
        )
    return made


def _endpoint(path: str) -> str:
    return path.replace("/", "_").replace("-", "_") + "_json"


def _as_json(function: Callable[[Snapshot], Any], snapshot: Snapshot) -> bytes:
    return dumps(function(snapshot))


# The libraries behind these cost more to import than all else here: who asks for the first feed pays for it.
def _rss(snapshot: Snapshot) -> bytes:
    from . import feeds

    return feeds.rss(snapshot)


def _atom(snapshot: Snapshot) -> bytes:
    from . import feeds

    return feeds.atom(snapshot)


def _calendar(snapshot: Snapshot) -> bytes:
    from . import calendar

    return calendar.calendar(snapshot)


_LISTS = (
    (
        ("feed", "feed.xml", RSS, _rss),
        said("Incidents and maintenance as RSS 2.0."),
        said("Incidents and maintenance as RSS 2.0, of one component."),
    ),
    (
        ("atom", "feed.atom", ATOM, _atom),
        said("Incidents and maintenance as Atom."),
        said("Incidents and maintenance as Atom, of one component."),
    ),
    (
        ("calendar", "calendar.ics", CALENDAR, _calendar),
        said("Maintenance and incidents as iCalendar."),
        said("Maintenance and incidents as iCalendar, of one component."),
    ),
    (
        ("csv", "incidents.csv", CSV, incident_csv.document),
        said("All incidents as CSV, the newest first."),
        said("All incidents as CSV, the newest first, of one component."),
    ),
)


def _lists() -> list[Document]:
    """What lists incidents and maintenance, for the page and for each component."""
    made = []
    for (name, file, content_type, render), says, says_of_one in _LISTS:
        feed = ("feed",) if name == "feed" else ()
        here = Document(
            name=name,
            paths=(f"api/{file}", *feed),
            content_type=content_type,
            render=render,
            says=says,
            lists_incidents=True,
            stream=incident_csv.stream if name == "csv" else None,
        )
        below = "components/<component_slug>/"
        made += [
            here,
            replace(
                here,
                name=f"component_{name}",
                # Written in any of these ways by people who know the page's own path.
                paths=(
                    f"{below}{file}",
                    *(f"{below}{alias}" for alias in feed),
                    f"{below}api/{file}",
                    f"api/{below}{file}",
                ),
                says=says_of_one,
                of_component=True,
            ),
        ]
    return made


def _badges() -> list[Document]:
    below = "api/v2/components/<component_slug>/"
    label, style, days = badge.LABEL, badge.STYLE, badge.DAYS
    one = partial(Document, content_type=SVG)
    return [
        one(
            name="badge",
            paths=("api/v2/badge.svg",),
            render=badge.badge,
            says=said("The status of the page as a badge."),
            parameters=(label, style),
        ),
        one(
            name="component_status_badge",
            paths=(f"{below}status.svg",),
            render=badge.component_status,
            says=said("The status of a component as a badge."),
            parameters=(label, style),
            of_component=True,
        ),
        one(
            name="component_uptime_badge",
            paths=(f"{below}uptime.svg",),
            render=badge.component_uptime,
            says=said("The uptime of a component as a badge."),
            parameters=(days, label, style),
            of_component=True,
        ),
        one(
            name="component_response_badge",
            paths=(f"{below}response.svg",),
            render=badge.component_response,
            says=said("The latest response time of a component as a badge."),
            parameters=(label, style),
            of_component=True,
        ),
    ]


_OWN = {
    document.name: document
    for document in (
        *_json(native_api, "", "api/v2/"),
        *_lists(),
        *_badges(),
        *_json(statuspage_api, "statuspage_", "statuspage/api/v2/"),
        Document(
            name="theme",
            paths=("theme.css",),
            content_type=CSS,
            render=theme.stylesheet,
            says="The page's colours as a stylesheet.",
        ),
    )
}
_registry: Registry[Document] = Registry(GROUP, _OWN)

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*|<component_slug>")


def _is_fit(name: str, offered: object) -> bool:
    """Whether what another package offers can be served beside ours; what cannot is logged and left out."""
    wrong = None
    if not isinstance(offered, Document) or offered.name != name:
        wrong = "it is no Document of that name"
    elif not re.fullmatch("[a-z][a-z0-9_]*", name) or name in ENDPOINTS:
        wrong = "that name is taken, or is none in lower case"
    elif taken := {path for own in _OWN.values() for path in own.paths} & set(offered.paths):
        wrong = f"{', '.join(sorted(taken))} is ours"
    elif not offered.paths or not all(_is_free(path) for path in offered.paths):
        wrong = "a path must begin with a segment that no page's slug can be, such as 'api/…', and be plain"
    if wrong:
        logger.error("status page: the document %r of another package is left out: %s", name, wrong)
    return wrong is None


def _is_free(path: str) -> bool:
    first, *rest = path.split("/")
    plain = all(_SEGMENT.fullmatch(part) for part in (first, *rest))
    return plain and (first in RESERVED_SLUGS or not is_slug(first)) and path != "api/openapi.json"
