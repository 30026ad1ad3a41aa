"""Addresses of clients are shortened before anything keeps them.

Source: C16.1: of IPv4 the last 8 bits go, of IPv6 the last 80.
"""

from __future__ import annotations

import ipaddress

_KEPT = {4: 24, 6: 48}


def shortened(address: str | None) -> str | None:
    """`203.0.113.7` -> `203.0.113.0`, `2001:db8:1:2::3` -> `2001:db8:1::`; None for what is no address."""
    if not address:
        return None
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    network = ipaddress.ip_network((parsed.packed, _KEPT[parsed.version]), strict=False)
    return str(network.network_address)
