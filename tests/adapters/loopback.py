"""A web server on loopback that remembers who asked, for what this provider fetches or must not."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What a server says; may be changed while it runs."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def wait(self) -> None:
        """Take time before answering: none."""


@dataclass
class Served:
    """A running server: its address, what it answers, and the paths it was asked for."""

    address: str
    answer: Answer
    asked: list[str]


@contextmanager
def a_server(answer: Answer) -> Iterator[Served]:
    """A server that answers every request alike."""
    served = Served("", answer, [])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            served.answer.wait()
            self.send_response(served.answer.status)
            for name, value in served.answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(served.answer.body)))
            self.end_headers()
            self.wfile.write(served.answer.body)

        def log_message(self, *_ignored: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        served.address = f"http://127.0.0.1:{server.server_address[1]}/jwks"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join(10)
