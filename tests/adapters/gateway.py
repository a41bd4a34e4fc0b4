"""An SMS gateway on loopback that keeps to docs/sms.md, with the trigger values of the demo's simulator."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from idp.adapters.sms import DemoSmsGateway


@dataclass
class Gateway:
    """A running gateway: what came in, with its headers, and what it sent on."""

    address: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    authorized: list[str | None] = field(default_factory=list)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    says: bytes = b""
    taken: threading.Event = field(default_factory=threading.Event)
    """Set when it has sent something on."""

    def answer(self, message: dict[str, Any]) -> int:
        """The status for one message; `status` stands above the rules."""
        before = [asked["id"] for asked in self.asked]
        self.asked.append(message)
        if self.status:
            return self.status
        if message["phone"].endswith(DemoSmsGateway.NEVER):
            return 400
        if message["phone"].endswith(DemoSmsGateway.NOT_AT_FIRST) and message["id"] not in before:
            return 503
        self.sent.setdefault(message["id"], message)
        self.taken.set()
        return 202


@contextmanager
def a_gateway(**given: Any) -> Iterator[Gateway]:
    """A gateway that runs while the block does."""
    gateway = Gateway(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gateway.authorized.append(self.headers["Authorization"])
            self.send_response(gateway.answer(json.loads(body)))
            for name, value in gateway.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(gateway.says)))
            self.end_headers()
            self.wfile.write(gateway.says)

        def do_GET(self) -> None:
            """Where a redirect would lead."""
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_ignored: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        gateway.address = f"http://127.0.0.1:{server.server_address[1]}/sms"
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join(10)
