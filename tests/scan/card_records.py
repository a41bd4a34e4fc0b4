"""The social insurance records on loopback: what they say of cards and operators, and what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Records:
    """Running records: whose card is activated (by ID number), for whom each is recorded, what was asked."""

    address: str = ""
    status: int = 200
    recorded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, asked: dict[str, Any]) -> bytes:
        """What they say of one person."""
        self.asked.append(asked)
        known = self.recorded.get(asked["id_number"])
        kept = [code for code in asked["companies"] if code in (known or ())]
        return json.dumps({"activated": known is not None, "recorded": kept}).encode()


@contextmanager
def the_records() -> Iterator[Records]:
    """Records that answer while the block runs."""
    records = Records()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = records.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(records.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_ignored: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        records.address = f"http://127.0.0.1:{server.server_address[1]}/cards/holder"
        try:
            yield records
        finally:
            server.shutdown()
            thread.join(10)
