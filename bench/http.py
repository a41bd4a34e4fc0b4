"""A keep-alive HTTP/1.1 client on asyncio streams that costs little beside what it measures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

_LONGEST = 1 << 20


class WrongAnswer(Exception):
    """An answer that ends the benchmark: a figure of wrong answers means nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names in lower case, of doubled ones the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    def expect(self, status: int) -> Answer:
        """This answer. Raises WrongAnswer if it has another status."""
        if self.status != status:
            raise WrongAnswer(f"status {self.status} instead of {status}: {self.body[:300]!r}")
        return self


class Connection:
    """One connection to the provider; opened at the first request."""

    def __init__(self, issuer: str) -> None:
        parts = urlsplit(issuer)
        self._host = parts.netloc
        self._port = parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, headers: str = "") -> Answer:
        """GET; `headers` are whole lines, each with its CRLF."""
        return await self._ask(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}\r\n".encode())

    async def post(self, path: str, form: dict[str, str], headers: str = "") -> Answer:
        """POST of a form."""
        body = urlencode(form).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return await self._ask(head.encode() + body)

    def close(self) -> None:
        """Let go of it."""
        if self._streams:
            self._streams[1].close()

    async def _ask(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LONGEST)
        reader, writer = self._streams
        writer.write(request)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _colon, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(lines[0].split()[1]), headers, body)
