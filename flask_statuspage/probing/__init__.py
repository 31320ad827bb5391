"""Ask the world: probes by kind. A new one is one file with a :class:`Probe` and one line here."""

from __future__ import annotations

from ..registry import Registry
from . import callable, dns, heartbeat, http, ping, tcp, tls, traffic, upstream
from .probe import CheckResult, Finding, Probe, ProbeOptions, ProbeOrder

probes: Registry[Probe] = Registry(
    "flask_statuspage.probes",
    {
        "callable": callable.CallableProbe(),
        "heartbeat": heartbeat.HeartbeatProbe(),
        "http": http.HttpProbe(),
        "tcp": tcp.TcpProbe(),
        "tls": tls.TlsProbe(),
        "dns": dns.DnsProbe(),
        "ping": ping.PingProbe(),
        "traffic": traffic.TrafficProbe(),
        "upstream": upstream.UpstreamProbe(),
    },
    of=Probe,
)

__all__ = ["CheckResult", "Finding", "Probe", "ProbeOptions", "ProbeOrder", "probes"]
