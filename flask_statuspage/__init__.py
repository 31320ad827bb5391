"""A public status page, its API, monitors, incidents and notifications inside a Flask site."""

from __future__ import annotations

from .errors import Degraded
from .extension import StatusPage, statuspage
from .storage.base import include_name

__all__ = ["Degraded", "StatusPage", "include_name", "statuspage"]
