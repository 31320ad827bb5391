"""Packages of the extra ``probes``, imported when a monitor first needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import Invalid


def needed(module: str, *, field: str) -> Any:
    """The *module*, such as ``dns.resolver``.

    :raises Invalid: naming *field*, if its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        message = "Needs a package that is missing: install Flask-StatusPage[probes]."
        raise Invalid.field(field, message) from error
