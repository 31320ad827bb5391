"""A public status page, its API, monitors, incidents and notifications inside a Flask site."""

from __future__ import annotations

from .extension import StatusPage, statuspage
from .storage.base import include_name

__all__ = ["StatusPage", "include_name", "statuspage"]
