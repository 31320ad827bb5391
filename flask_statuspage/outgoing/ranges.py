"""Which IP addresses are public, and which are private in the ordinary sense.

Source: the IANA special-purpose registries (``iana-ipv4-special-registry``,
``iana-ipv6-special-registry``; RFC 6890). The lists are ours and not those behind
:attr:`ipaddress.IPv4Address.is_global`, because those change with the Python version and let
through multicast, embedded IPv4 addresses and the 6bone.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address


def is_public(ip: IPAddress | str) -> bool:
    """Tell whether an address is an ordinary one of the public internet.

    A string that is not an address raises :exc:`ValueError`.
    """
    ip = ip_address(ip)
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _SPECIAL_V4)
    if ip.scope_id or ip not in _GLOBAL_UNICAST or any(ip in n for n in _SPECIAL_V6):
        return False
    # ISATAP (RFC 5214) ends in [02]00:5efe and an IPv4 address. The other ways to carry one
    # (mapped, compatible, SIIT, NAT64, 6to4, Teredo) have prefixes that are refused above.
    return (int(ip) >> 32) & 0xFDFFFFFF != 0x00005EFE


def is_private(ip: IPAddress) -> bool:
    """Tell whether an address is loopback or private and may be called by who is allowed to.

    Link-local addresses are not among them, nor are cloud metadata services: those hand out
    credentials to whoever can open a connection.
    """
    if any(ip in network for network in _METADATA):
        return False
    if isinstance(ip, IPv4Address):
        return any(ip in network for network in _PRIVATE_V4)
    return not ip.scope_id and any(ip in network for network in _PRIVATE_V6)


_SPECIAL_V4 = (
    IPv4Network("0.0.0.0/8"),  # this network
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),  # carrier NAT
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),  # link-local, metadata services
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments
    IPv4Network("192.0.2.0/24"),  # documentation
    IPv4Network("192.31.196.0/24"),  # AS112
    IPv4Network("192.52.193.0/24"),  # AMT
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("192.168.0.0/16"),
    IPv4Network("192.175.48.0/24"),  # AS112
    IPv4Network("198.18.0.0/15"),  # benchmarking
    IPv4Network("198.51.100.0/24"),  # documentation
    IPv4Network("203.0.113.0/24"),  # documentation
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv4Network("240.0.0.0/4"),  # reserved, broadcast
    IPv4Network("168.63.129.16/32"),  # Azure's host agent: a public number that leads inside
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_V6 = (
    IPv6Network("2001::/23"),  # IETF assignments: Teredo, ORCHID, benchmarking, AMT, AS112
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("2620:4f:8000::/48"),  # AS112
    IPv6Network("3ffe::/16"),  # the former 6bone
    IPv6Network("3fff::/20"),  # documentation
)
_PRIVATE_V4 = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
)
_PRIVATE_V6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
# What clouds keep inside private ranges. The one at 169.254.169.254 is link-local.
_METADATA = (
    IPv4Network("100.100.100.200/32"),  # Alibaba
    IPv6Network("fd00:ec2::/32"),  # AWS: metadata (::254), credentials of pods (::23)
    IPv6Network("fd00:42::42/128"),  # Scaleway
    IPv6Network("fd00:a9fe:a9fe::1/128"),  # Linode
    IPv6Network("fd20:ce::254/128"),  # Google
)
