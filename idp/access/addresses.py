"""Which addresses a relying party may register; those that we call ourselves more strictly."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from idp.access.clients import ClientRefused
from idp.config import is_loopback


def check_uri(uri: str, *, production: bool) -> None:
    """Return if an address may be registered: absolute, exact, https (http on loopback in demo).

    Raises ClientRefused.
    """
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}*')
    if (
        not plain
        or not host
        or parts.fragment
        or "#" in uri
        or "@" in parts.netloc
        or len(uri) > 2000
        or len(host) > 253
    ):
        msg = f"Not an acceptable address: {uri[:200]!r} (absolute, no fragment, no user part, no wildcard)."
        raise ClientRefused(msg)
    allowed_http = parts.scheme == "http" and not production and is_loopback(host)
    if parts.scheme != "https" and not allowed_http:
        msg = f"{uri[:200]!r} must be https" + ("." if production else ", or http on loopback.")
        raise ClientRefused(msg)


def check_outside(uri: str) -> None:
    """Return if an address we are to call ourselves does not name this network.

    A host name is resolved, and checked again, at each call. Raises ClientRefused.
    """
    host = urlsplit(uri).hostname or ""
    try:
        inside = not ipaddress.ip_address(host).is_global
    except ValueError:
        inside = is_loopback(host) or host.endswith(".localhost")
    if inside:
        raise ClientRefused(f"{uri[:200]!r} must be an address on the public network: it is called.")
