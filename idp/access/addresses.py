"""Which addresses a relying party may register: none of them leads into the network this runs in."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from idp.access.clients import ClientRefused
from idp.adapters.networks import is_outside
from idp.config import is_loopback

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_AUTHORITY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
_ORIGIN = re.compile(rf"https?://{_AUTHORITY}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that no public network knows: RFC 6761 §6.3, RFC 6762 §3 and its appendix G, RFC 8375, ICANN's name
# for private use, under which clouds keep what they tell their machines, and clusters' names for services.
_INSIDE_NAMES = (
    *(".localhost", ".localdomain", ".localdomain4", ".localdomain6", ".local", ".internal", ".intranet"),
    *(".private", ".corp", ".home", ".lan", ".home.arpa", ".svc"),
)


def is_origin(text: str) -> bool:
    """Whether `text` is scheme, host and port alone, as a header may name them.

    A host of RFC 3986 §3.2.2 may hold a semicolon or a comma, and a policy would read on after it: here it
    is a name of labels (RFC 1123 §2.1) or an IP literal.
    """
    return _ORIGIN.fullmatch(text) is not None


def check_uri(uri: str, *, production: bool, field: str = "") -> None:
    """Return if an address may be registered: absolute, exact, https (http on loopback in demo).

    Raises ClientRefused about `field`.
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
        or _is_number_in_disguise(host)
    ):
        raise ClientRefused(
            f"Not an acceptable address: {uri[:200]!r} (absolute, no fragment, no user part, no wildcard).",
            zh=f"「{uri[:200]}」不是可以登记的地址。请填写完整的地址，不带 # 片段、用户名和通配符。",
            field=field,
        )
    allowed_http = parts.scheme == "http" and not production and is_loopback(host)
    if parts.scheme != "https" and not allowed_http:
        raise ClientRefused(
            f"{uri[:200]!r} must be https" + ("." if production else ", or http on loopback."),
            zh=f"「{uri[:200]}」应以 https:// 开头{'' if production else '；只有本机地址可以用 http://'}。",
            field=field,
        )


def is_on_host_of(uri: str, issuer: str) -> bool:
    """Whether `uri` leads to the host of `issuer`; on loopback, where many share it, to its port too."""
    try:
        given, ours = urlsplit(uri), urlsplit(issuer)
    except ValueError:
        # What is no address is refused as such.
        return False
    if given.hostname and is_loopback(given.hostname):
        return given.netloc.lower() == ours.netloc.lower()
    return given.hostname == ours.hostname


def check_outside(uri: str, *, field: str = "") -> None:
    """Return if an address does not name this network: what we call, and where we send browsers.

    A name without a dot is known inside alone. A host name that we call is resolved, and checked again, at
    each call. Raises ClientRefused about `field`.
    """
    host = urlsplit(uri).hostname or ""
    try:
        inside = not is_outside(host)
    except ValueError:
        inside = "." not in host or f".{host}".endswith(_INSIDE_NAMES)
    if inside:
        raise ClientRefused(
            f"{uri[:200]!r} must be an address on the public network.",
            zh=f"「{uri[:200]}」指向内部网络。请填写公网上的地址。",
            field=field,
        )


def _is_number_in_disguise(host: str) -> bool:
    """Whether browsers read `host` as an IPv4 address though it does not look like one: 2130706433, 0x7f.1.

    The WHATWG URL standard takes a name whose last label is a number for an address (§3.5, ends in a number).
    """
    if ":" in host or not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False
