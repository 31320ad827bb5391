"""The OpenAPI document of a page: what :mod:`..documents.openapi` makes of the routes that there are."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version

from ..documents import catalogue
from ..documents.json_text import dumps
from ..documents.snapshot import Snapshot
from ..services import addresses
from ..state import current_settings


def describe(snapshot: Snapshot) -> bytes:
    """The description of *snapshot*'s page and of the manage API, as JSON."""
    settings = current_settings()
    mount = settings.page_url or addresses.mounted_url()
    page = snapshot.page
    return _described(
        page.name, page.url, mount if mount != page.url else None, settings.api_dialect
    )


# It takes a tenth of a second and depends on so little that a new version of the page seldom means another one.
@lru_cache(maxsize=32)
def _described(title: str, server_url: str, mount_url: str | None, dialect: str) -> bytes:
    from ..documents import openapi
    from .manage_api import operations
    from .signup_operation import OPERATION

    return dumps(
        openapi.build(
            title=title,
            server_url=server_url,
            mount_url=mount_url,
            documents=catalogue.documents(dialect).values(),
            operations=(*operations(), OPERATION),
            version=version("Flask-StatusPage"),
        )
    )
