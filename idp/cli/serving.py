"""`idp serve`: the provider on its WSGI server.

Granian starts the workers and hands requests to threads; what these cannot take waits. It finishes
running requests on SIGTERM, for at most `KILL_AFTER` seconds, and starts a worker again that died.
"""

from __future__ import annotations

from typing import Annotated

import structlog
import typer
from granian import Granian
from granian.constants import Interfaces

from idp.access.keys import load_keys
from idp.cli.desk import Refused, opened
from idp.config import Settings, is_loopback

log = structlog.get_logger()

KILL_AFTER = 30
# Granian counts connections, not requests: an idle browser keeps its place, so there must be many.
CONNECTIONS = 1024
FACTORY = "idp.app:create_app"


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; demo mode takes only loopback.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes: one a core.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Requests at once in one process.")] = 16,
) -> None:
    """Serve the provider until SIGTERM or SIGINT."""
    settings = _checked()
    address = listen_address(settings, host)
    log.info("serving", mode=settings.mode.value, issuer=settings.issuer, address=address, port=port)
    Granian(
        FACTORY,
        factory=True,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        websockets=False,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_AFTER,
    ).serve()


def listen_address(settings: Settings, host: str) -> str:
    """Where to listen: the given host, in demo mode only if it is this machine."""
    return host if not settings.demo or is_loopback(host) else "127.0.0.1"


def _checked() -> Settings:
    """The settings, once storage is reachable, migrated and has keys; no connection stays open.

    Raises Refused: here a sentence can be said, in a worker it would be a restart without end.
    """
    with opened() as desk:
        desk.backends.store.ping()
        try:
            with desk.transaction() as db:
                load_keys(db, desk.backends.vault)
        except LookupError as missing:
            raise Refused(str(missing)) from None
        return desk.settings
