"""Relying parties as receivers: where back-channel logout tokens go.

The address was registered by an administrator, and may still point somewhere it should not: in
production a host that resolves to this network's own addresses is never called. Redirects are not
followed, and nobody is waited for longer than a few seconds.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import httpx2

_SECONDS = 5.0
# OpenID Connect Back-Channel Logout 1.0 §2.8: done; 400 also from those who were signed out already.
_DONE = frozenset({200, 204, 400})


class NotReached(Exception):
    """The relying party did not take the message now; the sentence holds no secret."""


class RelyingParties:
    """Posts logout tokens. `inside_allowed` lets addresses of this machine be called (demo mode)."""

    def __init__(self, *, inside_allowed: bool, transport: httpx2.BaseTransport | None = None) -> None:
        self._inside_allowed = inside_allowed
        self._http = httpx2.Client(timeout=_SECONDS, follow_redirects=False, transport=transport)

    def post_logout_token(self, address: str, token: str) -> None:
        """Deliver one logout token. Raises NotReached when it has to be tried again."""
        parts = urlsplit(address)
        if not self._inside_allowed:
            _check_outside(parts.hostname or "", parts.port or 443)
        try:
            answer = self._http.post(address, data={"logout_token": token})
        except httpx2.HTTPError as fault:
            raise NotReached(type(fault).__name__) from None
        if answer.status_code not in _DONE:
            raise NotReached(f"answered {answer.status_code}")

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()


def _check_outside(host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
    except OSError:
        raise NotReached("the host name does not resolve") from None
    for *_rest, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise NotReached("the host resolves to an address inside this network")
