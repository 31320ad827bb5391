"""The manage API: one small file for each resource, all through one door (:mod:`.door`)."""

from __future__ import annotations

from flask import Blueprint

from ...documents.operation import Operation
from ...services.addresses import MANAGE_API
from . import (
    audit,
    components,
    deliveries,
    estatus,
    groups,
    incidents,
    maintenances,
    members,
    monitors,
    pages,
    recipients,
    subscriptions,
    templates,
    tokens,
)
from .door import Door

RESOURCES = (
    pages,
    groups,
    components,
    monitors,
    incidents,
    maintenances,
    subscriptions,
    recipients,
    templates,
    deliveries,
    members,
    tokens,
    audit,
    estatus,
)


MANAGE = "manage"
"""The name of its blueprint."""


def make_blueprint() -> Blueprint:
    """A fresh blueprint with every route; a child of each status page blueprint."""
    return _door().blueprint


def operations() -> tuple[Operation, ...]:
    """What every route does, for :func:`flask_statuspage.documents.openapi.build`."""
    return tuple(_door().operations)


def _door() -> Door:
    door = Door(Blueprint(MANAGE, __name__, url_prefix=MANAGE_API))
    for resource in RESOURCES:
        resource.add_routes(door)
    door.close()
    return door
