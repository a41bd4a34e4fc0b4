"""Which address is asked, and what may be asked of it.

Whatever cannot be a ticket of the caller's (a malformed id, no cookie) is answered here and never reaches
the store.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.store_ear import StoreEar
from idp.config import Settings
from idp.crypto import same
from idp.proof.polls import Polls
from idp.proof.ticket_record import State, is_id
from idp.wait.line import Line, Request
from idp.wait.replies import Reply, Writer, packed, refused, told
from idp.wait.room import INTERVAL, Room, Told
from idp.web.cookie_names import WAIT, named, sent_in

LONGEST_WAIT = 25.0
"""Seconds a browser is held at most: proxies cut off what is silent for a minute, some sooner."""
IDLE_SECONDS = 65.0
"""How long a connection may stay without a further request."""
HEAD_SECONDS = 10.0
"""How long a connection may take for its first request, and for each one that it has begun."""
_ADDRESS = "/scan/wait/"
_AGAIN = 5
UNKNOWN = Reply(HTTPStatus.NOT_FOUND, packed({"state": "unknown"}))
_TOO_OFTEN = Reply(
    HTTPStatus.TOO_MANY_REQUESTS, packed({"interval": INTERVAL}), (("Retry-After", f"{INTERVAL:.0f}"),)
)


class Door:
    """Where connections arrive: at most `most_lines` of them."""

    def __init__(self, settings: Settings, room: Room, ear: StoreEar, *, most_lines: int) -> None:
        self._room = room
        self._ear = ear
        self._most_lines = most_lines
        self._host = urlsplit(settings.issuer).netloc
        self._cookie = named(WAIT, settings)
        self._metrics_token = settings.metrics_token.get_secret_value()
        self._writer = Writer(settings)
        self._polls = Polls()
        self._lines: set[Line] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._closing = False
        self.emptied = asyncio.Event()

    def opened(self, line: Line) -> bool:
        """Whether there is room for the connection."""
        self._lines.add(line)
        return len(self._lines) <= self._most_lines

    def closed(self, line: Line) -> None:
        """The connection is gone."""
        self._lines.discard(line)
        self._tell_emptied()

    def written(self, reply: Reply, *, keeps: bool) -> bytes:
        """The bytes of an answer."""
        return self._writer.written(reply, keeps=keeps)

    def asked(self, request: Request, line: Line) -> None:
        """Answer `request`, now or later."""
        if self._closing:
            line.last()
        path, _mark, query = request.target.partition("?")
        if path == "/healthz":
            line.answer(told({"status": "ok"}))
        elif path == "/readyz":
            self._later(line)
        elif path == "/metrics":
            line.answer(self._metrics(request))
        elif request.headers.get("host") != self._host:
            line.answer(refused(HTTPStatus.MISDIRECTED_REQUEST))
        elif path.startswith(_ADDRESS):
            self._wait(path.removeprefix(_ADDRESS), query, request, line)
        else:
            line.answer(refused(HTTPStatus.NOT_FOUND))

    def close_idle(self) -> None:
        """Close the connections on which nobody has asked for long, or read his last answer."""
        now = asyncio.get_running_loop().time()
        for line in list(self._lines):
            longest = HEAD_SECONDS if line.is_beginning else IDLE_SECONDS
            if line.idle_since is not None and line.idle_since < now - longest:
                line.abort()

    def close(self) -> None:
        """Close each connection, once its answer is given."""
        self._closing = True
        for line in list(self._lines):
            line.last()
        self._tell_emptied()

    def _tell_emptied(self) -> None:
        if self._closing and not self._lines:
            self.emptied.set()

    def _wait(self, ticket: str, query: str, request: Request, line: Line) -> None:
        secret = sent_in(request.headers.get("cookie", ""), self._cookie)
        if not secret or not is_id(ticket):
            line.answer(UNKNOWN)
            return
        if not self._polls.allow(ticket, secret, now=datetime.now(UTC)):
            line.answer(_TOO_OFTEN)
            return
        try:
            asked = parse_qs(query, max_num_fields=20)
        except ValueError:
            line.answer(refused(HTTPStatus.BAD_REQUEST))
            return
        known = _state(asked.get("state", [""])[0])
        seconds = _seconds(asked.get("seconds", [""])[0])
        waiter = self._room.wait(ticket, secret, known, seconds, partial(_tell, line))
        if not waiter.done:
            line.on_gone = partial(self._room.leave, waiter)

    def _metrics(self, request: Request) -> Reply:
        token, sent = self._metrics_token, request.headers.get("authorization", "")
        if not token or not same(sent, f"Bearer {token}"):
            return refused(HTTPStatus.NOT_FOUND)
        return Reply(HTTPStatus.OK, generate_latest(), kind=CONTENT_TYPE_LATEST)

    def _later(self, line: Line) -> None:
        task = asyncio.get_running_loop().create_task(self._ready(line))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _ready(self, line: Line) -> None:
        parts: dict[str, Any] = {"store": True, "subscription": self._ear.listening}
        try:
            await self._ear.ping()
        except StoreUnavailable:
            parts["store"] = False
        ready = all(parts.values()) and not self._closing
        reply = told({"status": "ok" if ready else "unavailable", **parts})
        if not ready:
            reply = Reply(HTTPStatus.SERVICE_UNAVAILABLE, reply.body)
        line.answer(reply)


def _tell(line: Line, heard: Told) -> None:
    if heard is None:
        line.answer(UNKNOWN)
    elif isinstance(heard, StoreUnavailable):
        line.answer(refused(HTTPStatus.SERVICE_UNAVAILABLE, retry_after=_AGAIN))
    else:
        line.answer(told(heard))


def _seconds(sent: str) -> float:
    """How long the caller wants to be held; what is no number of seconds is the longest."""
    if not sent.isascii() or not sent.isdigit() or len(sent) > 3:
        return LONGEST_WAIT
    return min(float(sent), LONGEST_WAIT)


def _state(sent: str) -> State | None:
    """What the caller says he knows."""
    try:
        return State(sent)
    except ValueError:
        return None
