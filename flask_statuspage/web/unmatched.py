"""Addresses below a page that no route answers, and methods that a route of ours does not: errors of ours.

Flask asks no blueprint about either, since none of its routes was matched. A route for all that is left would answer,
but hide what the router says about methods, slashes and the host's own routes below the same prefix. So the router
has its say first, and only what it found nothing for is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, Request, current_app
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.routing import MapAdapter, Rule

from ..errors import NotFound, StatusPageError
from ..state import current_state
from ..storage.session import current_session
from . import visits
from .failures import WrongMethod
from .manage_api import MANAGE
from .manage_api.door import REST
from .mounts import lineage
from .storable import is_storable

Found = tuple[Rule, dict[str, Any]]

_SLASHES = re.compile("/{2,}")


def refuse() -> None:
    """The app's ``before_request`` function: raises for what is ours, and leaves the rest to the host.

    A page that is mounted without a prefix has no paths of its own beside its routes: what is unknown there is the
    host's to answer.

    :raises NotFound: for an address below a mount.
    :raises WrongMethod: for another method than those of a route of ours.
    :raises Unauthorized: for a method that nobody knows, below the manage API and without a key.
    """
    asked = visits.request_object()
    missed = asked.routing_exception
    if not isinstance(missed, NoRoute | MethodNotAllowed):
        return  # nearly always: this is asked for each request of the host
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    adapter = app.create_url_adapter(asked)
    if adapter is None:
        return
    if isinstance(missed, MethodNotAllowed):
        allowed = list(missed.valid_methods or ())
        if not allowed:
            return
        found = _matched(adapter, asked.path, method=allowed[0])
        if found is None or not _is_ours(app, found[0]):
            return
        rest = _matched(adapter, asked.path, method="OPTIONS")
        if rest is not None and rest[0].endpoint.endswith(f".{MANAGE}.{REST}"):
            # It answers methods that the path has not; which ones that has it knows itself.
            _belongs_to(asked, rest)
            app.view_functions[rest[0].endpoint](**rest[1])
        _belongs_to(asked, found)
        raise WrongMethod(asked.method, allowed)
    found = _page_above(app, adapter, asked.path)
    if found is not None:
        _belongs_to(asked, found)
        raise NotFound("address", asked.path)


def refuse_as_page(asked: Request) -> None:
    """For a POST to what the router took for the address of a page.

    Pages are posted to at their own address, so that a fixed path beside them, such as ``/metrics``, seems to be one
    where it has no POST itself.

    :raises WrongMethod: when the address is a fixed one of ours.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    adapter = app.create_url_adapter(asked)
    found = _matched(adapter, asked.path, method="GET") if adapter is not None else None
    if found is not None and found[0].endpoint != asked.endpoint and _is_ours(app, found[0]):
        _belongs_to(asked, found)
        raise WrongMethod(asked.method, found[0].methods or ())


def _belongs_to(asked: Request, found: Found) -> None:
    """Let Flask ask our blueprint from here on, and look at who asks as before any route of a page.

    :raises NotFound: when there is no such page, none for this visitor, or none can be looked for.
    """
    asked.url_rule, asked.view_args = found
    if "page_slug" not in found[1] or visits.endpoint_of(asked) in visits.OWN_SECRET:
        return
    slug = found[1]["page_slug"]
    try:
        if slug is not None and not is_storable(slug):
            raise NotFound("page", slug)
        visits.require(current_state().documents.snapshot(current_session, slug).page, asked)
    except (StatusPageError, SQLAlchemyError) as error:
        raise NotFound("page", slug or "/") from error


def _page_above(app: Flask, adapter: MapAdapter, path: str) -> Found | None:
    """The home of the page that *path* lies below: of the one that its first part names, else of the one at the root
    of the mount; None: it lies below no mount."""
    parts = _SLASHES.sub("/", path).split("/")
    for home in _homes(app):
        depth = home.rule.count("/")
        if depth < 2 or len(parts) <= depth:  # the first slash is the root's
            continue
        for number in (depth + 1, depth):
            found = _matched(adapter, "/".join(parts[:number]) + "/", method="GET")
            if found is not None and found[0].endpoint == home.endpoint:
                return found
    return None


def _homes(app: Flask) -> Iterator[Rule]:
    """The address of each mount, but for those with a variable in their prefix: only the host knows what that means."""
    for mount in current_state().mounts:
        for rule in app.url_map.iter_rules(f"{mount}.home"):
            if rule.defaults and rule.arguments == {"page_slug"}:
                yield rule


def _matched(adapter: MapAdapter, path: str, *, method: str) -> Found | None:
    try:
        rule, values = adapter.match(path, method, return_rule=True)
    except HTTPException:  # a redirect is one, too
        return None
    return rule, dict(values)


def _is_ours(app: Flask, rule: Rule) -> bool:
    names = lineage(rule.endpoint)
    return any(home.endpoint.rpartition(".")[0] in names for home in _homes(app))
