"""A world of a test's own served on a loopback address, for what a script of a page does with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.services import free_port
from tests.world import World


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


@cache
def _port() -> int:
    """The same for all tests of this worker: an address of its own would be an application of its own."""
    return free_port()


@contextmanager
def served(world: World, **changed: Any) -> Iterator[World]:
    """The same installation at an address a browser can open, with other settings."""
    port = _port()
    with world.rewired(issuer=f"http://localhost:{port}", **changed) as there:
        server = make_server("localhost", port, there.app, threaded=True, request_handler=_Silent)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
