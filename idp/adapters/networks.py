"""Which IP addresses are on the public network: asked when an address is registered, and at each call."""

from __future__ import annotations

import ipaddress

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# All that IANA gives out for the public network. Outside of it lie fec0::/10, which RFC 3879 gave up,
# 64:ff9b:1::/48 (RFC 8215), ::ffff:0:0:0/96 (RFC 2765) and 5f00::/16 (RFC 9602).
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_FOR_DOCUMENTS = ipaddress.ip_network("3fff::/20")  # RFC 9637


def is_outside(address: str) -> bool:
    """Whether an IP address is on the public network, also when it wraps another one.

    Raises ValueError for what is no IP address.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6:
        wrapped = found.ipv4_mapped or found.sixtofour
        # NAT64 (RFC 6052 §2.1), and the IPv4-compatible form that RFC 4291 §2.5.5.1 deprecates.
        if found in _TRANSLATED or not int(found) >> 32:
            wrapped = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if wrapped:
            return is_outside(str(wrapped))
        if found not in _GIVEN_OUT or found in _FOR_DOCUMENTS:
            return False
    return found.is_global and not found.is_multicast
