"""A scanner for tests: speaks INSTREAM as clamd does, finds one signature, remembers what it was shown."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The test file that every scanner finds, put together here so that none finds this one.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class FakeClamd:
    """What it was shown, and what it says in place of its own answer, if anything.

    It hears `most` octets of a file (StreamMaxLength), says that this was too long, and hangs up.
    """

    def __init__(self) -> None:
        self.address = ""
        self.shown: list[bytes] = []
        self.says: bytes | None = None
        self.most = 1 << 30

    def answer(self, data: bytes) -> bytes:
        self.shown.append(data)
        if self.says is not None:
            return self.says
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in data else b"stream: OK\0"


@contextmanager
def scanning(path: Path | None = None) -> Iterator[FakeClamd]:
    """A scanner at a free port, or at the socket `path`."""
    fake = FakeClamd()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            assert self.rfile.read(10) == b"zINSTREAM\0"
            data = b""
            while length := struct.unpack(">I", self.rfile.read(4))[0]:
                data += self.rfile.read(length)
                if len(data) > fake.most:
                    self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.wfile.write(fake.answer(data))

    made = (
        socketserver.ThreadingUnixStreamServer(str(path), Talk)
        if path
        else socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
    )
    with made as server:
        if not path:
            fake.address = f"127.0.0.1:{server.socket.getsockname()[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
