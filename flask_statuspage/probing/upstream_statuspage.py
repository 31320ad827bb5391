"""Read the ``summary.json`` of a Statuspage, and of those that publish themselves in its shape.

Source of the format: the public v2 documents of Statuspage. incident.io publishes the same; Instatus writes its words
in capitals without underscores and lists ``activeIncidents`` and ``activeMaintenances`` beside a page with a status.
"""

from __future__ import annotations

from ..domain.foreign import Node
from ..domain.source_page import MAX_COMPONENTS, MAX_INCIDENTS, MAX_NAME
from ..domain.status import ComponentStatus
from ..domain.upstream import (
    UpstreamComponent,
    UpstreamNews,
    UpstreamState,
    component_status,
    page_word,
)
from .upstream_document import goes_on, newest_first, news, opened, part, told, when


def read(body: bytes) -> UpstreamState:
    """The page in *body*.

    :raises ValueError, flask_statuspage.errors.Invalid: where it is no such document.
    """
    root = opened(body)
    page = part(root, "page")
    word = part(root, "status").text("indicator") or page.text("status")
    if word is None and "components" not in root.value:
        root.fail("components", "Is missing.")
    rows = root.rows("components", at_most=MAX_COMPONENTS)
    groups = {row.id(): row.line("name", at_most=MAX_NAME) for row in rows if _is_group(row)}
    return UpstreamState(
        name=told(page, "name"),
        said=None if word is None else page_word(word),
        components=tuple(_component(row, groups) for row in rows if not _is_group(row)),
        news=newest_first(
            [
                *(_news(row) for row in _listed(root, "incidents", "activeIncidents")),
                *(
                    _news(row, status=ComponentStatus.UNDER_MAINTENANCE)
                    for row in _listed(root, "scheduled_maintenances", "activeMaintenances")
                ),
            ]
        ),
        as_of=when(page, "updated_at"),
        url=page.text("url"),
    )


def _is_group(row: Node) -> bool:
    return row.value.get("group") is True


def _component(row: Node, groups: dict[str, str]) -> UpstreamComponent:
    within = row.value.get("group")
    name = told(part(row, "group"), "name") if isinstance(within, dict) else None
    return UpstreamComponent(
        id=row.id(),
        name=row.line("name", at_most=MAX_NAME),
        group=name or groups.get(row.optional_id("group_id") or ""),
        status=component_status(row.text("status")),
    )


def _listed(root: Node, *names: str) -> list[Node]:
    rows = [row for name in names for row in root.rows(name, at_most=MAX_INCIDENTS)]
    return [row for row in rows if goes_on(row.text("status"))]


def _news(row: Node, *, status: ComponentStatus | None = None) -> UpstreamNews:
    affected = row.rows("components", at_most=MAX_COMPONENTS)
    return news(
        row,
        status=page_word(row.text("impact")) if status is None else status,
        about=[one.optional_id("id") or told(one, "name") for one in affected],
        updates="incident_updates",
        at=("started_at", "scheduled_for", "created_at", "started", "start"),
    )
