"""Which IP addresses are public: the list of what may be reached is short, so that nothing is forgotten.

Sources: IANA's special-purpose registries for IPv4 and IPv6. Python's own `is_global` differs between its releases.
"""

from __future__ import annotations

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NOT_PUBLIC_V4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux takes 0.0.0.0 for itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a carrier's NAT; metadata of some clouds
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: a public number that only the machine's own cloud answers
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_V6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarks: special purposes
        "2001:db8::/32",
        "2002::/16",  # 6to4: another way to write an IPv4 address
        "3fff::/20",
    )
)
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network without IPv4 writes IPv4 addresses; the last 32 bits count."""


def is_public(address: Address) -> bool:
    """Whether anybody's machine on the internet may have it, and none of this network."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return False
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)
