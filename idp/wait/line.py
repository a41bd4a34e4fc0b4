"""One connection: HTTP/1.1 (RFC 9112), GET without a body and nothing else.

A request that announces a body is refused and its connection closed, so nobody here has to agree with a
proxy on where one ends. Answers are given in the order of their requests.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast

from idp.wait.replies import Reply, refused

LONGEST_HEAD = 16_000
"""Bytes a request may have, and those behind it that wait for its answer."""
_REQUEST = re.compile(rb"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.([01])\Z")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*\Z")


class NotUnderstood(Exception):
    """The request cannot be answered, and what follows on its connection cannot be read."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status.phrase)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Request:
    """A request's head: `target` as it was sent, header names in lower case."""

    target: str
    headers: dict[str, str]
    keeps: bool


class Answering(Protocol):
    """Where a connection's requests go."""

    def opened(self, line: Line) -> bool:
        """Whether there is room for the connection."""
        ...

    def asked(self, request: Request, line: Line) -> None:
        """Answer `request`, now or later, by `line.answer`."""
        ...

    def closed(self, line: Line) -> None:
        """The connection is gone."""
        ...

    def written(self, reply: Reply, *, keeps: bool) -> bytes:
        """The bytes of an answer."""
        ...


def understood(head: bytes) -> Request:
    """The request whose head this is, without its empty line. Raises NotUnderstood."""
    first, *rest = head.split(b"\r\n")
    request = _REQUEST.match(first)
    if request is None:
        raise NotUnderstood(refused(HTTPStatus.BAD_REQUEST))
    headers: dict[str, str] = {}
    for line in rest:
        header = _HEADER.match(line)
        if header is None:
            raise NotUnderstood(refused(HTTPStatus.BAD_REQUEST))
        name, value = header[1].decode("ascii").lower(), header[2].decode("latin-1")
        if name in headers:
            # RFC 9110 §5.3, RFC 6265 §5.4; of a doubled host or length neither is then believed.
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise NotUnderstood(refused(HTTPStatus.BAD_REQUEST))
    if request[1] != b"GET":
        raise NotUnderstood(refused(HTTPStatus.METHOD_NOT_ALLOWED, allow="GET"))
    wishes = headers.get("connection", "").lower()
    keeps = request[3] == b"1" and "close" not in wishes
    return Request(request[2].decode("ascii"), headers, keeps)


class Line(asyncio.Protocol):
    """A connection. `idle_since` is by the loop's clock, None while a request is being answered.

    A request that begins starts that clock anew, its further bytes do not. `on_gone` is called if the
    connection goes before its answer.
    """

    __slots__ = ("_asked", "_door", "_keeps", "_sent", "_transport", "idle_since", "on_gone")

    def __init__(self, door: Answering) -> None:
        self._door = door
        self._sent = b""
        self._asked = False
        self._keeps = True
        self._transport: asyncio.Transport | None = None
        self.idle_since: float | None = None
        self.on_gone: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._be_idle()
        if not self._door.opened(self):
            self._keeps = False
            self.answer(refused(HTTPStatus.SERVICE_UNAVAILABLE, retry_after=5))

    def data_received(self, data: bytes) -> None:
        """More of a request, or the next one."""
        if not self._keeps:
            return
        if self.idle_since is not None and not self.is_beginning:
            self._be_idle()
        self._sent += data
        if self.idle_since is not None:
            self._begin()
        if len(self._sent) <= LONGEST_HEAD:
            return
        if self.idle_since is None or b"\r\n\r\n" in self._sent:
            self.abort()
        else:
            self._keeps = False
            self.answer(refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))

    def pause_writing(self) -> None:
        """Somebody asks and asks and does not read: he is let go."""
        self.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone."""
        self._keeps, self._transport = False, None
        if self.on_gone is not None:
            self.on_gone()
        self._door.closed(self)

    @property
    def is_beginning(self) -> bool:
        """Whether a request is still to come as a whole: the first one, or one of which a part is here."""
        return not self._asked or bool(self._sent)

    def answer(self, reply: Reply) -> None:
        """Answer the request in hand, and go on with the next."""
        self.on_gone = None
        if self._transport is None:
            return
        self._transport.write(self._door.written(reply, keeps=self._keeps))
        self._be_idle()
        if not self._keeps:
            self._transport.close()
        elif self._sent:
            asyncio.get_running_loop().call_soon(self._begin)

    def last(self) -> None:
        """Close with the answer of the request in hand, or now if there is none."""
        self._keeps = False
        if self.idle_since is not None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever was not read yet."""
        if self._transport is not None:
            self._transport.abort()

    def _be_idle(self) -> None:
        self.idle_since = asyncio.get_running_loop().time()

    def _begin(self) -> None:
        """Take up the next request, if it is there as a whole and none is in hand."""
        head, end, rest = self._sent.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if self.idle_since is None or not end or self._transport is None or self._transport.is_closing():
            return
        self._sent, self.idle_since, self._asked = rest, None, True
        try:
            request = understood(head)
        except NotUnderstood as reason:
            self._keeps = False
            self.answer(reason.reply)
            return
        self._keeps = request.keeps
        self._door.asked(request, self)
