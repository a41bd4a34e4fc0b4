"""What an address in a setting may look like, so that browsers and this program read it alike."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*\Z")
_USUAL = {"https": 443, "http": 80}
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")


def check_issuer(variable: str, value: str) -> None:
    """Return if `value` is the address of a host, with nothing behind it. Raises ValueError."""
    parts = _split(value)
    if parts is None or parts.scheme not in _USUAL or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{variable} must be an http(s) address without query or fragment.")
    if parts.path:
        raise ValueError(f"{variable} must have no path and no trailing slash.")


def check_networks(variable: str, value: str) -> None:
    """Return if `value` is a list of addresses and networks, or empty. Raises ValueError."""
    for said in filter(None, (part.strip() for part in value.split(","))):
        try:
            ipaddress.ip_network(said, strict=False)
        except ValueError:
            msg = f"{variable} names networks as 10.0.0.0/8, separated by commas; {said!r} is none."
            raise ValueError(msg) from None


def check_web_address(variable: str, value: str) -> None:
    """Return if `value` is https, or http on loopback, without query or fragment, or empty.

    Raises ValueError with a sentence that names `variable`.
    """
    if not value:
        return
    parts = _split(value)
    if parts is None or not parts.hostname or not _is_plain(value, parts):
        msg = f"{variable} must be an address with a host as browsers write it, and no query or fragment."
        raise ValueError(msg)
    if not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
        msg = f"{variable} must be an https address, or http on loopback."
        raise ValueError(msg)


def check_store_address(variable: str, value: str) -> None:
    """The same of what stands before the query, in which a store names its apps. Raises ValueError."""
    check_web_address(variable, value.partition("?")[0] or value)


def check_origin(variable: str, value: str) -> None:
    """Return if `value` is such an address without a path, or empty. Raises ValueError."""
    check_web_address(variable, value)
    if value and urlsplit(value).path:
        raise ValueError(f"{variable} must have no path and no trailing slash.")


def host_of(address: str) -> str:
    """The host of an address, empty where it has none."""
    parts = _split(address)
    return (parts.hostname or "") if parts else ""


def is_address(host: str) -> bool:
    """Whether `host` is an IP address and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine: localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(address: str) -> SplitResult | None:
    """Its parts, None where it has none, or a port that does not exist."""
    try:
        parts = urlsplit(address)
        if parts.port == 0:
            return None
    except ValueError:
        return None
    return parts


def _is_plain(address: str, parts: SplitResult) -> bool:
    """Whether nothing in it is read one way here and another way in a browser."""
    is_written_out = address.isascii() and address.isprintable() and not set(address) & set(" \\?#@")
    # Browsers leave the usual port out.
    port = f":{parts.port}" if parts.port and parts.port != _USUAL.get(parts.scheme) else ""
    return is_written_out and _is_host(parts.hostname or "") and parts.netloc == _shown(parts) + port


def _is_host(host: str) -> bool:
    if is_address(host):
        return str(ipaddress.ip_address(host)) == host
    # Browsers take a name whose last part is a number for an IPv4 address.
    return len(host) <= 253 and bool(_HOST.match(host)) and not _NUMBER.match(host.rsplit(".", 1)[-1])


def _shown(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
