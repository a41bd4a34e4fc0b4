"""Who the peer really is, behind proxies that were named, and behind no others.

X-Forwarded-For and -Proto are believed only from the networks in ``IDP_TRUSTED_PROXIES``; from
anybody else they are dropped, so that no header moves a counter or a cookie. X-Forwarded-Host is
never believed: the issuer is a setting.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """WSGI middleware that sets REMOTE_ADDR and the scheme from headers of trusted peers only."""

    def __init__(self, app: Callable[..., Iterable[bytes]], networks: list[Network]) -> None:
        self._app = app
        self._networks = networks

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass the request on with its true peer."""
        forwarded_for = environ.pop("HTTP_X_FORWARDED_FOR", "")
        forwarded_proto = environ.pop("HTTP_X_FORWARDED_PROTO", "")
        environ.pop("HTTP_X_FORWARDED_HOST", None)
        peer = parse_address(environ.get("REMOTE_ADDR", ""))
        if peer and self._trusts(peer):
            environ["REMOTE_ADDR"] = str(self._client(forwarded_for, peer))
            if forwarded_proto in {"http", "https"}:
                environ["wsgi.url_scheme"] = forwarded_proto
        return self._app(environ, start_response)

    def _client(self, forwarded_for: str, peer: Address) -> Address:
        """The nearest address that no trusted proxy speaks for, read from the right."""
        nearest = peer
        for part in reversed(forwarded_for.split(",")[-20:]):
            address = parse_address(part.strip())
            if address is None:
                return nearest
            nearest = address
            if not self._trusts(address):
                return nearest
        return nearest

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks if network.version == address.version)


def parse_address(text: str) -> Address | None:
    """The IP address in `text`, IPv4 inside IPv6 unwrapped; None when it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
