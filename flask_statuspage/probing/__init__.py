"""Ask the world: probes by kind. A new one is one file with a :class:`Probe` and one line here."""

from __future__ import annotations

from ..registry import Registry
from . import http
from .probe import CheckResult, Probe, ProbeOrder

probes: Registry[Probe] = Registry(
    "flask_statuspage.probes",
    {
        "http": http.HttpProbe(),
    },
)

__all__ = ["CheckResult", "Probe", "ProbeOrder", "probes"]
