"""`idp wait` on a real loopback socket, and browsers that ask it over plain HTTP."""

from __future__ import annotations

import asyncio
import json
import queue
import re
import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from idp.config import Settings
from idp.crypto import new_token
from idp.wait.process import serve
from tests.running_demo import wait_for

SECRET = "the-secret-of-the-browser-that-waits"
Result = TypeVar("Result")
PATIENCE = 15  # seconds after which a test says that nothing comes; whoever is held is so for at least 20


@dataclass(frozen=True)
class Answer:
    """An answer as it came; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Caller:
    """A connection of a browser, or of a proxy for it."""

    def __init__(self, port: int, *, host: str = "localhost:8000") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.read = self.socket.makefile("rb")
        self.host = host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Close the browser."""
        self.read.close()
        self.socket.close()

    def send(self, head: str) -> Self:
        """Send bytes as they stand."""
        self.socket.sendall(head.encode("latin-1"))
        return self

    def get(self, target: str, *, cookie: str = "", more: str = "") -> Self:
        """Ask, and do not wait for the answer."""
        cookies = f"Cookie: {cookie}\r\n" if cookie else ""
        return self.send(f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\n{cookies}{more}\r\n")

    def wait(self, ticket: str, query: str = "seconds=25", *, secret: str = SECRET) -> Self:
        """Ask for a ticket as the page does."""
        return self.get(f"/scan/wait/{ticket}?{query}", cookie=f"idp_wait={secret}" if secret else "")

    def answer(self) -> Answer:
        """The next answer; one that does not come within `PATIENCE` is a TimeoutError."""
        status = int(self.read.readline().split()[1])
        headers = {}
        while line := self.read.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Answer(status, headers, self.read.read(int(headers["content-length"])))

    def is_closed(self) -> bool:
        """Whether the other side closes the connection without a further word."""
        try:
            return self.read.read(1) == b""
        except ConnectionResetError:
            return True


class Clock(asyncio.SelectorEventLoop):
    """The loop of the process under test: its clock runs as any, and may be put forward."""

    ahead = 0.0

    def time(self) -> float:
        """Seconds, as its timers count them."""
        return super().time() + self.ahead

    def put_forward(self, seconds: float) -> None:
        """Let so much time be over."""
        self.ahead += seconds


@dataclass
class Running:
    """The process under test."""

    port: int
    metrics_token: str
    clock: Clock

    def caller(self) -> Caller:
        """A browser nobody has used yet."""
        return Caller(self.port)

    def ask(self, target: str, **given: str) -> Answer:
        """One question on a connection of its own."""
        with self.caller() as caller:
            return caller.get(target, **given).answer()

    def wait(self, ticket: str, query: str = "seconds=25", *, secret: str = SECRET) -> Answer:
        """What the page of a ticket hears, sooner or later."""
        with self.caller() as caller:
            return caller.wait(ticket, query, secret=secret).answer()

    def figure(self, name: str) -> float:
        """A figure of /metrics."""
        told = self.ask("/metrics", more=f"Authorization: Bearer {self.metrics_token}\r\n").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", told, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def later(self, seconds: float) -> None:
        """Let so many seconds pass for whoever is held or idle; what the time of day decides stays."""
        self.clock.call_soon_threadsafe(self.clock.put_forward, seconds)

    def until_ready(self) -> None:
        """Wait for the subscription."""
        wait_for(lambda: self.ask("/readyz").status == 200, PATIENCE)

    def until_held(self, count: int) -> None:
        """Wait until so many are in the room and their tickets were read."""
        wait_for(lambda: self.figure("idp_wait_waiting") == count, PATIENCE)
        # Reads happen in the order in which they were asked for: once this one is answered, theirs are.
        assert self.wait(new_token(16), "seconds=0").status == 404


def in_a_loop_of_its_own(task: Coroutine[Any, Any, Result]) -> Result:
    """What `task` returns: run in a thread of its own, as other tests' browser has a loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, task).result()


@contextmanager
def running(settings: Settings, *, most: int = 100, ready: bool = True) -> Iterator[Running]:
    """`idp wait` with these settings in a thread of this process."""
    told: queue.Queue[int] = queue.Queue()
    clock, stopping = Clock(), asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: clock) as runner:
            runner.run(
                serve(settings, host="127.0.0.1", port=0, most=most, stopping=stopping, started=told.put)
            )

    thread = threading.Thread(target=run)
    thread.start()
    try:
        here = Running(told.get(timeout=PATIENCE), settings.metrics_token.get_secret_value(), clock)
        if ready:
            here.until_ready()
        yield here
    finally:
        with suppress(RuntimeError):  # it has ended already, and its loop is closed
            clock.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE)
        assert not thread.is_alive()
