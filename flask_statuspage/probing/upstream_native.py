"""Read the ``summary.json`` or ``components.json`` of the native API, version 2: FacioTech's, and ours.

Source of the format: FacioTech's page on its public API. Only the documented fields need be there.
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
    """The page in *body*. ``components.json`` has no word for the page as a whole, and no name.

    :raises ValueError, flask_statuspage.errors.Invalid: where it is no such document.
    """
    root = opened(body)
    page = part(root, "page")
    word = part(root, "status").text("indicator")
    if word is None and "components" not in root.value:
        root.fail("components", "Is missing.")
    return UpstreamState(
        name=told(page, "name"),
        said=None if word is None else page_word(word),
        components=tuple(
            _component(row) for row in root.rows("components", at_most=MAX_COMPONENTS)
        ),
        news=newest_first(
            [
                *(_news(row) for row in _listed(root, "incidents")),
                *(
                    _news(row, status=ComponentStatus.UNDER_MAINTENANCE)
                    for row in _listed(root, "scheduled_maintenances")
                ),
            ]
        ),
        as_of=when(page, "updated_at"),
        url=page.text("url"),
    )


def _component(row: Node) -> UpstreamComponent:
    return UpstreamComponent(
        id=row.optional_id("id"),
        name=row.line("name", at_most=MAX_NAME),
        group=told(row, "group"),
        status=component_status(row.text("status")),
    )


def _listed(root: Node, name: str) -> list[Node]:
    rows = root.rows(name, at_most=MAX_INCIDENTS)
    return [row for row in rows if goes_on(row.text("status"))]


def _news(row: Node, *, status: ComponentStatus | None = None) -> UpstreamNews:
    affected = row.rows("components", at_most=MAX_COMPONENTS)
    about = [one.optional_id("id") or told(one, "name") for one in affected]
    return news(
        row,
        status=page_word(row.text("impact")) if status is None else status,
        about=about or [told(row, "component")],
        updates="updates",
        at=("started_at", "scheduled_start", "created_at"),
    )
