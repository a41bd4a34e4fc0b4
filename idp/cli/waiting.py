"""`idp wait`: the process that holds the answers of browsers waiting for a phone (docs/running.md)."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from idp.cli.desk import Refused, connected
from idp.cli.serving import listen_address


def wait(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; demo mode takes only loopback.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    most: Annotated[
        int, typer.Option(min=1, max=100_000, help="Browsers held at once; further ones come back.")
    ] = 20_000,
) -> None:
    """Hold the answers of browsers that wait for a phone, until SIGTERM; production with Redis only."""
    with connected() as desk:
        settings = desk.settings
        if not settings.redis_url.get_secret_value():
            raise Refused(
                "Without IDP_REDIS_URL there is nothing to run: `idp serve` itself answers waiting browsers."
            )
        desk.backends.store.ping()
    address = listen_address(settings, host)
    # As with the server: the commands and what they import make way for a process that only waits.
    options = ["--host", address, "--port", str(port), "--most", str(most)]
    os.execv(sys.executable, [sys.executable, "-m", "idp.wait", *options])  # noqa: S606 - our own, no shell
