"""Calls to addresses that clients registered: to the public network alone, and never for long.

An address was checked when it was registered, and may still point somewhere it should not: a host
that resolves to an address inside this network is never called. What is checked is what is
connected to, so that a name which answers differently the second time (DNS rebinding) gains
nothing. No redirect is followed, no proxy used, no connection kept; a server that dribbles meets
the deadline, and one that pours the limit.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from idp.adapters.networks import is_outside

_FAULTS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
)


class NotOutside(httpx2.TransportError):
    """The host does not resolve to the public network; the sentence names no address."""


class OutsideTransport(httpx2.BaseTransport):
    """How httpx2 calls an address of a client: at most `seconds` in all, at most `longest` octets of answer.

    `inside_allowed` lets addresses of this machine and network be called (demo mode).
    """

    def __init__(self, *, inside_allowed: bool, seconds: float, longest: int) -> None:
        self._inside_allowed = inside_allowed
        self._seconds = seconds
        self._longest = longest
        self._tls = httpcore2.default_ssl_context()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The whole answer. Raises httpx2.TransportError."""
        route = _Route(self._inside_allowed, time.monotonic() + self._seconds)
        try:
            with (
                httpcore2.ConnectionPool(self._tls, network_backend=route, max_connections=1) as pool,
                pool.stream(
                    request.method,
                    str(request.url),
                    headers=request.headers.raw,
                    content=request.read(),
                    extensions={"timeout": dict.fromkeys(("connect", "read", "write"), self._seconds)},
                ) as answer,
            ):
                body = _within(self._longest, answer.iter_stream())
                # Nothing is unpacked: what is packed has no known length.
                headers = [pair for pair in answer.headers if pair[0].lower() != b"content-encoding"]
                return httpx2.Response(answer.status, headers=headers, content=body)
        except _FAULTS as fault:
            raise httpx2.TransportError(type(fault).__name__) from fault


@dataclass(frozen=True, slots=True)
class _Route(httpcore2.NetworkBackend):
    """Connects to the address it has checked, and stops at `deadline` (monotonic seconds)."""

    inside_allowed: bool
    deadline: float

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore2's signature; the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first address of `host` where somebody answers."""
        *others, last = self._checked(host, port)
        for address in others:
            # A name may stand for an address of either kind while its server listens on one of them.
            with suppress(httpcore2.ConnectError):
                return self._connected(address, port, local_address, socket_options)
        return self._connected(last, port, local_address, socket_options)

    def _connected(
        self, address: str, port: int, local_address: str | None, socket_options: Iterable[Any] | None
    ) -> _Stream:
        stream = httpcore2.SyncBackend().connect_tcp(
            address, port, _left(self.deadline), local_address, socket_options or ()
        )
        return _Stream(stream, self.deadline)

    def _checked(self, host: str, port: int) -> list[str]:
        # The system's resolver knows no deadline, and takes as long as the servers of the name like.
        answer: Future[list[str]] = Future()
        threading.Thread(target=_resolve, args=(answer, host, port), daemon=True).start()
        try:
            found = answer.result(_left(self.deadline))
        except (OSError, UnicodeError):
            raise NotOutside("the host name does not resolve, or not in time") from None
        if not self.inside_allowed and not all(map(is_outside, found)):
            raise NotOutside("the host resolves to an address inside this network")
        return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Stream(httpcore2.NetworkStream):
    """A connection each of whose steps ends at the deadline."""

    inner: httpcore2.NetworkStream
    deadline: float

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see connect_tcp
        """What has come."""
        return self.inner.read(max_bytes, _left(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - see connect_tcp
        """Send all of it."""
        self.inner.write(buffer, _left(self.deadline))

    def close(self) -> None:
        """Hang up."""
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - see connect_tcp
    ) -> httpcore2.NetworkStream:
        """The same connection in TLS, for the name that was asked for."""
        stream = self.inner.start_tls(ssl_context, server_hostname, _left(self.deadline))
        return _Stream(stream, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore2 asks of a connection."""
        return self.inner.get_extra_info(info)


def _resolve(answer: Future[list[str]], host: str, port: int) -> None:
    try:
        entries = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
        answer.set_result([str(entry[4][0]) for entry in entries])
    except (OSError, UnicodeError) as fault:
        answer.set_exception(fault)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left


def _within(longest: int, chunks: Iterable[bytes]) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > longest:
            raise httpx2.TransportError("the answer is too long")
    return body
