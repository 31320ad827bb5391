"""``flask statuspage …``. Every command ends with one line and exit code 1 when something is wrong, no traceback."""

from __future__ import annotations

from .group import StatusPageGroup, statuspage_cli

__all__ = ["StatusPageGroup", "statuspage_cli"]
