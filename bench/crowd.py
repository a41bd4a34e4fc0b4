"""Thousands of browsers that wait for a phone, in a process of their own: `python -m bench.crowd`.

``hold`` asks for one ticket a connection and asks again whenever it hears that nothing happened; on a line
of standard input it prints when which ticket was heard to move. ``poll`` asks for each ticket every two
seconds after the last answer, over a few kept connections as a proxy does. Times are those of
`time.monotonic`, which all processes of one machine share.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bench.http import Connection
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import new_token
from idp.proof import tickets
from idp.proof.ticket_record import Asked, Purpose, Seen
from idp.web.cookie_names import WAIT

_PROXY_LINES = 64
_PAUSE = 2.0
_AT_ONCE = 50  # connections under way while the crowd gathers


def raise_file_limit() -> int:
    """Take as many open files as this process may have; how many that is."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Waiting(asyncio.Protocol):
    """A browser whose ticket has not moved yet."""

    def __init__(self, ticket: str, request: bytes, heard: dict[str, float], told: Counter[int]) -> None:
        self._ticket = ticket
        self._request = request
        self._heard = heard
        self._told = told
        self._kept = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note the move, or ask again."""
        at = time.monotonic()
        self._kept += data
        head, end, body = self._kept.partition(b"\r\n\r\n")
        if not end or not body.endswith(b"\n"):
            return
        self._kept = b""
        self._told[int(head.split(b" ", 2)[1])] += 1
        if b'"waiting"' in body:
            self._transport.write(self._request)
        elif b'"scanned"' in body:
            self._heard[self._ticket] = at


async def hold(port: int, host: str, cookie: str, opened: list[str]) -> None:
    """Hold a connection for each ticket until somebody asks for the report."""
    loop, heard, told = asyncio.get_running_loop(), dict[str, float](), Counter[int]()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def come(ticket: str) -> None:
        request = _asking(ticket, host, cookie).encode()
        async with gate:
            await loop.create_connection(lambda: Waiting(ticket, request, heard, told), "127.0.0.1", port)

    await asyncio.gather(*map(come, opened))
    print("held", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps({"heard": heard, "told": told}), flush=True)


async def poll(host: str, cookie: str, opened: list[str], seconds: float) -> None:
    """Let every ticket's page ask for `seconds`, after one question each that is not counted."""
    lines: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(_PROXY_LINES):
        lines.put_nowait(Connection(f"http://{host}"))
    waits: list[float] = []
    answers = 0
    begins = time.monotonic() + 2 * _PAUSE
    ends = begins + seconds

    async def page(ticket: str) -> None:
        nonlocal answers
        await asyncio.sleep(random.uniform(0, _PAUSE))
        while (due := time.monotonic()) < ends:
            line = await lines.get()
            answer = await line.get(f"/scan/wait/{ticket}?seconds=25&state=waiting", f"Cookie: {cookie}\r\n")
            lines.put_nowait(line)
            answer.expect(200)
            answers += 1
            if due >= begins:
                waits.append(time.monotonic() - due)
            await asyncio.sleep(_PAUSE)

    await asyncio.gather(*map(page, opened))
    seconds_counted = time.monotonic() - begins
    print(json.dumps({"waits": waits, "answers": answers, "seconds": seconds_counted}), flush=True)


def _asking(ticket: str, host: str, cookie: str) -> str:
    # As long as what a browser sends through a proxy.
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0"
    return (
        f"GET /scan/wait/{ticket}?seconds=25&state=waiting HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
        f"User-Agent: {agent}\r\nAccept: */*\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"
        "Accept-Encoding: gzip, deflate, br\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n"
    )


@contextmanager
def crowd(kind: str, home: Path, **about: Any) -> Iterator[subprocess.Popen[str]]:
    """Such a process, told `about` what it plays; gone when the block ends."""
    described = home / "crowd.json"
    described.write_text(json.dumps(about), encoding="utf-8")
    command = [sys.executable, "-m", "bench.crowd", kind, str(described)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a crowd. Raises RuntimeError if it ended."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError("The crowd has ended: some answer was wrong.")
    return line


def tickets_for(store: EphemeralStore, count: int) -> tuple[str, list[str]]:
    """So many tickets that live as long as one can, and the cookie of the browser that waits for them."""
    secret, now = new_token(), datetime.now(UTC)
    life, browser = timedelta(seconds=180), Seen("Mozilla/5.0", "192.0.2.7")
    asked = Asked(Purpose.LOGIN, portal="示例网厅", reason="请求您登录，用于办理业务")
    opened = [
        tickets.open_ticket(store, asked, browser, secret=secret, lifetime=life, now=now).id
        for _ in range(count)
    ]
    return f"{WAIT}={secret}", opened


def main(arguments: list[str]) -> None:
    """Play the crowd that the file of the second argument describes."""
    raise_file_limit()
    described: dict[str, Any] = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    asyncio.run(hold(**described) if arguments[0] == "hold" else poll(**described))


if __name__ == "__main__":
    main(sys.argv[1:])
