"""``service/services/list/`` and ``service/put/<id>/<status>/``: eStatus.io's REST API.

Its document (https://estatus.io, "REST API") gives two paths and the header ``Authorization-Token``; what it leaves
open is decided here and told in ``docs/manage-api.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import request

from ...domain.rights import Right
from ...domain.status import ComponentStatus
from ...errors import Invalid
from ...services import components
from ...state import current_settings
from ...storage import components as stored
from ...storage.components import Component
from ..failures import WrongMethod
from .answering import told
from .call import Call
from .door import Door

STATUS = {status: status.value for status in ComponentStatus}
"""``{Status}`` in the path, and ``status`` of a service."""

_INSIDE = {word: status for status, word in STATUS.items()}

WRITES = ("POST", "PUT")


@dataclass(frozen=True, kw_only=True)
class ServiceAnswer:
    """A component as a service. ``group`` is the group's name, ``since`` when the status began."""

    id: UUID
    slug: str
    name: str
    status: str
    description: str
    group: str | None
    since: datetime


@dataclass(frozen=True, kw_only=True)
class ServicesAnswer:
    """All services of a status page, in its order."""

    services: list[ServiceAnswer]


def add_routes(door: Door) -> None:
    door.route("GET", "/service/services/list/", index, right=Right.SEE, answer=ServicesAnswer)
    write = partial(
        door.route,
        rule="/service/put/<ident>/<status>/",
        right=Right.TELL,
        answer=ServiceAnswer,
        also=(422,),
    )
    write("PUT", view=put)
    write("POST", view=post)
    write("GET", view=put_by_get, described=False)


def index(call: Call) -> dict[str, Any]:
    """List the services of the page, as scripts for eStatus ask for them.

    They are all in one answer. Their order is the page's.
    """
    rows = call.session.scalars(stored.of_page(call.page.id)).unique()
    return told(ServicesAnswer, {"services": [_described(row) for row in rows]})


def put(call: Call, ident: str, status: str) -> dict[str, Any]:
    """Set the status of a service, as scripts for eStatus do.

    What is sent as a body is not read. Statuses may be written as people read them: `Partial%20Outage` is
    `partial_outage`. In the answer, `status` is what shows: something else where a monitor or an incident says worse.
    """
    component = components.get(call.session, call.page, ident)
    components.set_status(call.session, call.page, component, _read(status), actor=call.actor)
    return _described(component)


def post(call: Call, ident: str, status: str) -> dict[str, Any]:
    """Set the status of a service with POST, for scripts for eStatus that cannot PUT.

    The same as with PUT.
    """
    return put(call, ident, status)


def put_by_get(call: Call, ident: str, status: str) -> dict[str, Any]:
    """Set the status of a service by reading it, which the site has to allow."""
    # Flask answers HEAD wherever it answers GET, and whatever sends HEAD only looks.
    if request.method != "GET" or not current_settings().estatus_get_writes:
        raise WrongMethod(request.method, WRITES)
    return put(call, ident, status)


def _described(component: Component) -> dict[str, Any]:
    group = component.group.name if component.group else None
    return told(ServiceAnswer, component, status=STATUS[component.status], group=group)


def _read(status: str) -> ComponentStatus:
    """What *status* stands for, in small letters or large, with ``_``, spaces, hyphens or ``+`` between its words.

    :raises Invalid: with all statuses that there are.
    """
    word = re.sub(r"[\s_+-]+", "_", status.strip()).casefold()
    if word not in _INSIDE:
        raise Invalid.field("status", f"Must be one of {', '.join(_INSIDE)}.")
    return _INSIDE[word]
