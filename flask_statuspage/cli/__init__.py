"""``flask statuspage …``. Every command ends with one line and exit code 1 when something is wrong, no traceback."""

from __future__ import annotations

from . import database, doctor, team, work  # noqa: F401  # registers the commands
from .group import StatusPageGroup, statuspage_cli

__all__ = ["StatusPageGroup", "statuspage_cli"]
