"""Which network a client is in: addresses are shortened before anything keeps them.

Source: C16.1: of IPv4 the last 8 bits go, of IPv6 the last 80.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from litestar.connection import ASGIConnection

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


def network_of(connection: ASGIConnection[Any, Any, Any, Any], proxies: int) -> str | None:
    """The shortened address of whoever sent a request through `proxies` proxies of our own.

    Each proxy appends whom it was called by to X-Forwarded-For; what stands further left is anybody's claim.
    """
    address = connection.client.host if connection.client else None
    if proxies:
        sent = ",".join(connection.headers.getall("x-forwarded-for", [])).split(",")
        if len(sent) >= proxies and sent[-proxies].strip():
            address = sent[-proxies].strip()
    return shortened(address)
