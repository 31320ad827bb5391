"""Addresses by class: what may never be called, with the edges of every block, and the neighbours that may.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries and the RFCs that they name; the metadata services
as the documentation of the clouds tells them.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

BLOCKS: dict[str, str] = {
    "this network": "0.0.0.0/8",
    "private, ten": "10.0.0.0/8",
    "carrier NAT": "100.64.0.0/10",
    "loopback": "127.0.0.0/8",
    "link-local": "169.254.0.0/16",
    "private, 172": "172.16.0.0/12",
    "protocol assignments": "192.0.0.0/24",
    "documentation 1": "192.0.2.0/24",
    "AS112": "192.31.196.0/24",
    "AMT": "192.52.193.0/24",
    "6to4 relay": "192.88.99.0/24",
    "private, 192": "192.168.0.0/16",
    "AS112, direct": "192.175.48.0/24",
    "benchmarking": "198.18.0.0/15",
    "documentation 2": "198.51.100.0/24",
    "documentation 3": "203.0.113.0/24",
    "multicast": "224.0.0.0/4",
    "reserved and broadcast": "240.0.0.0/4",
    "Azure's host agent": "168.63.129.16/32",
    "unspecified 6": "::/128",
    "loopback 6": "::1/128",
    "IPv4-compatible": "::/96",
    "IPv4-mapped": "::ffff:0:0/96",
    "SIIT": "::ffff:0:0:0/96",
    "NAT64": "64:ff9b::/96",
    "NAT64, local": "64:ff9b:1::/48",
    "discard-only": "100::/64",
    "dummy prefix": "100:0:0:1::/64",
    "protocol assignments 6": "2001::/23",
    "Teredo": "2001::/32",
    "PCP anycast": "2001:1::1/128",
    "TURN anycast": "2001:1::2/128",
    "DNS-SD anycast": "2001:1::3/128",
    "benchmarking 6": "2001:2::/48",
    "AMT 6": "2001:3::/32",
    "AS112 6": "2001:4:112::/48",
    "ORCHID": "2001:10::/28",
    "ORCHIDv2": "2001:20::/28",
    "drone remote ids": "2001:30::/28",
    "documentation 6": "2001:db8::/32",
    "6to4": "2002::/16",
    "AS112 6, direct": "2620:4f:8000::/48",
    "6bone": "3ffe::/16",
    "documentation 6, new": "3fff::/20",
    "segment routing": "5f00::/16",
    "before 2000::/3": "::/3",
    "after 2000::/3": "4000::/2",
    "far after 2000::/3": "8000::/1",
    "unique local": "fc00::/7",
    "link-local 6": "fe80::/10",
    "site-local": "fec0::/10",
    "multicast 6": "ff00::/8",
}

SINGLE: dict[str, str] = {
    "metadata, most clouds": "169.254.169.254",
    "metadata, AWS tasks": "169.254.170.2",
    "metadata, AWS pods": "169.254.170.23",
    "metadata, Tencent": "169.254.0.23",
    "metadata, Alibaba": "100.100.100.200",
    "metadata, Oracle": "192.0.0.192",
    "metadata, AWS over IPv6": "fd00:ec2::254",
    "metadata, AWS pods over IPv6": "fd00:ec2::23",
    "metadata, Google over IPv6": "fd20:ce::254",
    "metadata, Linode over IPv6": "fd00:a9fe:a9fe::1",
    "metadata, Scaleway over IPv6": "fd00:42::42",
    "metadata, OpenStack over IPv6": "fe80::a9fe:a9fe",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped metadata": "::ffff:169.254.169.254",
    "mapped public": "::ffff:8.8.8.8",
    "compatible loopback": "::127.0.0.1",
    "compatible public": "::8.8.8.8",
    "SIIT loopback": "::ffff:0:127.0.0.1",
    "SIIT public": "::ffff:0:8.8.8.8",
    "NAT64 loopback": "64:ff9b::127.0.0.1",
    "NAT64 metadata": "64:ff9b::169.254.169.254",
    "NAT64 public": "64:ff9b::8.8.8.8",
    "local NAT64 private": "64:ff9b:1::10.0.0.1",
    "6to4 loopback": "2002:7f00:1::1",
    "6to4 private": "2002:a00:1::1",
    "6to4 metadata": "2002:a9fe:a9fe::1",
    "Teredo of a private client": "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    "ISATAP loopback": "2606:4700::5efe:127.0.0.1",
    "ISATAP private": "2a00:1450:4001:831:0:5efe:10.0.0.1",
    "ISATAP private, unique": "2606:4700::200:5efe:10.0.0.1",
    "ISATAP public, unique": "2a00:1450:4001:831:200:5efe:8.8.8.8",
    "all hosts": "224.0.0.1",
    "multicast DNS": "224.0.0.251",
    "multicast DNS 6": "ff02::fb",
    "broadcast": "255.255.255.255",
    "Docker's bridge": "172.17.0.1",
    "Kubernetes' first service": "10.96.0.1",
}


def _outside(network: str) -> list[str]:
    """The addresses just before and just after a block."""
    block = ip_network(network)
    first, last = int(block[0]) - 1, int(block[-1]) + 1
    most = 2**block.max_prefixlen - 1
    kind = type(block[0])
    return [str(kind(one)) for one in (first, last) if 0 <= one <= most]


def _inside(network: str) -> list[str]:
    """First, second, a middle one, the one before the last, and the last of a block."""
    block = ip_network(network)
    size = block.num_addresses
    places = {0, 1, size // 3 * 2, size - 2, size - 1}
    return [str(block[place]) for place in sorted(places) if 0 <= place < size]


def _forbidden(address: str) -> bool:
    ip = ip_address(address)
    return any(
        ip.version == ip_network(one).version and ip in ip_network(one) for one in BLOCKS.values()
    )


FORBIDDEN: dict[str, str] = {
    **{one: name for name, block in BLOCKS.items() for one in _inside(block)},
    **{one: name for name, one in SINGLE.items()},
}
"""Addresses that are not public, with their class."""

NEIGHBOURS: list[str] = sorted(
    {one for block in BLOCKS.values() for one in _outside(block) if not _forbidden(one)}
)
"""Public addresses that stand just before or after a block."""

PUBLIC: list[str] = [
    *NEIGHBOURS,
    "1.1.1.1",
    "8.8.8.8",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:831::200e",
    # Beside what an ISATAP interface looks like.
    "2606:4700::5eff:7f00:1",
    "2606:4700::100:5eff:a00:1",
]
