"""Which addresses a relying party may register; those that we call ourselves more strictly."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from idp.access.clients import ClientRefused
from idp.config import is_loopback

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_AUTHORITY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
_ORIGIN = re.compile(rf"https?://{_AUTHORITY}")


def is_origin(text: str) -> bool:
    """Whether `text` is scheme, host and port alone, as a header may name them.

    A host of RFC 3986 §3.2.2 may hold a semicolon or a comma, and a policy would read on after it: here it
    is a name of labels (RFC 1123 §2.1) or an IP literal.
    """
    return _ORIGIN.fullmatch(text) is not None


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
        or not is_origin(f"https://{parts.netloc}")
    ):
        msg = f"Not an acceptable address: {uri[:200]!r} (absolute, no fragment, no user part, no wildcard)."
        raise ClientRefused(msg)
    allowed_http = parts.scheme == "http" and not production and is_loopback(host)
    if parts.scheme != "https" and not allowed_http:
        msg = f"{uri[:200]!r} must be https" + ("." if production else ", or http on loopback.")
        raise ClientRefused(msg)


def is_on_host_of(uri: str, issuer: str) -> bool:
    """Whether `uri` leads to the host of `issuer`; on loopback, where many share it, to its port too."""
    given, ours = urlsplit(uri), urlsplit(issuer)
    if given.hostname and is_loopback(given.hostname):
        return given.netloc.lower() == ours.netloc.lower()
    return given.hostname == ours.hostname


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
