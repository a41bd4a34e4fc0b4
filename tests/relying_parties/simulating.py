"""The simulators on a loopback port, and what a person does on the page of a face check."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from relying_parties.simulators.app import create_app
from relying_parties.simulators.config import Settings

FACE_KEY = "a-face-key-of-the-tests-0123456789-abcdef"


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of `app`, while it is served on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass(frozen=True)
class Simulators:
    """Running simulators."""

    address: str
    app: Flask

    @property
    def face_url(self) -> str:
        """What IDP_FACE_URL is set to."""
        return f"{self.address}/face"

    @property
    def population_url(self) -> str:
        """What IDP_POPULATION_URL is set to."""
        return f"{self.address}/population/match"

    @property
    def registry_url(self) -> str:
        """What IDP_REGISTRY_URL is set to."""
        return f"{self.address}/registry/match"

    def press(self, page: str, verdict: str) -> httpx2.Response:
        """What the person chooses on the page of a face check; no redirect is followed."""
        return httpx2.post(page, data={"verdict": verdict}, trust_env=False)


@contextmanager
def simulators(issuer: str, **given: Any) -> Iterator[Simulators]:
    """The simulators, which tell the provider at `issuer` what came out."""
    held: dict[str, Any] = {}

    def late(environ: Any, start_response: Any) -> Any:
        # The address is known only once the port is taken.
        return held["app"].wsgi_app(environ, start_response)

    with served(late) as address:
        settings = Settings(issuer=issuer, base_url=address, face_key=FACE_KEY, **given)
        held["app"] = create_app(settings)
        yield Simulators(address, held["app"])
