"""Where a Redis is, as ``IDP_REDIS_URL`` says it, and the way there.

=============================================  ====================================================
redis://[[user]:password@]host[:6379][/db]     TCP
rediss://…                                     the same under TLS; the server shows a certificate
unix://[[user]:password@]/path[?db=1]          a socket of this machine
=============================================  ====================================================

The names behind the question mark are redis-py's, which `idp wait` uses: ``db``, ``client_name``, and under
TLS ``ssl_ca_certs``, ``ssl_certfile`` with ``ssl_keyfile``, ``ssl_check_hostname`` and ``ssl_cert_reqs``.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_NO_ADDRESS = "IDP_REDIS_URL must be redis://…, rediss://… or unix://…"
_PORT = 6379
_MOST_DIGITS = 5
_OF_ALL = frozenset({"db", "client_name"})
_OF_TLS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname", "ssl_cert_reqs"})
_NO = frozenset({"0", "f", "false", "n", "no"})  # what redis-py takes for one


@dataclass(frozen=True, slots=True)
class Address:
    """A Redis, and as whom it is spoken to."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None
    greeting: tuple[tuple[str | bytes | int, ...], ...] = field(repr=False)
    """The commands a connection begins with."""

    def connect(self, *, within: float) -> socket.socket:
        """A connection, open within so many seconds, and every wait on it as long. Raises OSError."""
        if self.path:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.settimeout(within)
                line.connect(self.path)
            except OSError:
                line.close()
                raise
            return line
        line = socket.create_connection((self.host, self.port), timeout=within)
        try:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return self.tls.wrap_socket(line, server_hostname=self.host) if self.tls else line
        except OSError:
            line.close()
            raise


def parse_address(url: str) -> Address:
    """What `url` names. Raises ValueError with a sentence that repeats nothing secret."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
        host = unquote(parts.hostname or "localhost")
        host.encode("idna")  # a name that is none is no OSError later
    except ValueError:
        raise ValueError(_NO_ADDRESS) from None
    is_path = parts.scheme == "unix"
    if not url.startswith(("redis://", "rediss://", "unix://")) or (is_path and not parts.path):
        raise ValueError(_NO_ADDRESS)
    options = _options(parts)
    return Address(
        host="" if is_path else host,
        port=0 if is_path else port,
        path=unquote(parts.path) if is_path else "",
        tls=_tls(options) if parts.scheme == "rediss" else None,
        greeting=_greeting(parts, options),
    )


def _options(parts: SplitResult) -> dict[str, str]:
    """What stands behind the question mark. Raises ValueError."""
    said = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(said)
    if len(options) < len(said):
        raise ValueError("IDP_REDIS_URL names something twice behind its question mark.")
    known = _OF_ALL | (_OF_TLS if parts.scheme == "rediss" else frozenset())
    if not options.keys() <= known:
        # Not which: where nobody wrote a question mark of the password as %3F, it is a piece of that.
        names = ", ".join(sorted(known))
        raise ValueError(f"IDP_REDIS_URL may name nothing behind its question mark but: {names}.")
    return options


def _greeting(parts: SplitResult, options: Mapping[str, str]) -> tuple[tuple[str | bytes | int, ...], ...]:
    said: list[tuple[str | bytes | int, ...]] = []
    if parts.username or parts.password:
        user = (unquote(parts.username),) if parts.username else ()
        said.append(("AUTH", *user, unquote(parts.password or "")))
    # Redis names the number in the path, a socket has its own path there; the option goes before both.
    named = options.get("db") or ("" if parts.scheme == "unix" else parts.path.strip("/"))
    if named and not (named.isascii() and named.isdecimal() and len(named) <= _MOST_DIGITS):
        raise ValueError("IDP_REDIS_URL must name the database by its number.")
    if database := int(named or 0):
        said.append(("SELECT", database))
    if name := options.get("client_name"):
        said.append(("CLIENT", "SETNAME", name))
    return tuple(said)


def _tls(options: Mapping[str, str]) -> ssl.SSLContext:
    wanted = options.get("ssl_cert_reqs", "required")
    if wanted not in {"required", "none"}:
        raise ValueError("IDP_REDIS_URL: ssl_cert_reqs is required, or none.")
    try:
        trusted = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
        if certificate := options.get("ssl_certfile"):
            trusted.load_cert_chain(certificate, options.get("ssl_keyfile"))
    except OSError as unusable:
        raise ValueError(f"A certificate of IDP_REDIS_URL cannot be used: {unusable.strerror}.") from None
    if wanted == "none" or options.get("ssl_check_hostname", "true").lower() in _NO:
        trusted.check_hostname = False
    if wanted == "none":
        trusted.verify_mode = ssl.CERT_NONE
    return trusted
