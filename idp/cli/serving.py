"""`idp serve`: the provider on its WSGI server.

Granian starts the workers and hands requests to threads; what these cannot take waits. It finishes
running requests on SIGTERM, for at most `KILL_AFTER` seconds, and starts a worker again that died.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from idp.access.keys import load_keys
from idp.adapters.face import face_of
from idp.adapters.places import places_of
from idp.adapters.population import population_of
from idp.adapters.registry import registry_of
from idp.adapters.social_security import social_security_of
from idp.cli.desk import Refused, opened
from idp.config import Settings, is_loopback, unread
from idp.migrations import is_demo
from idp.web import logs

KILL_AFTER = 30
# Granian counts connections, not requests: an idle browser keeps its place, so there must be many.
CONNECTIONS = 1024
FACTORY = "idp.app:create_served_app"


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
    _tell_what_nobody_reads()
    settings = _checked()
    address = listen_address(settings, host)
    logs.configure()
    logs.tell("serving", mode=settings.mode.value, issuer=settings.issuer, address=address, port=port)
    # The server takes this process's place, so its workers load the application and no commands.
    command = _command(address, port=port, workers=workers, threads=threads)
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell


def _tell_what_nobody_reads() -> None:
    """Say which variables look like settings and are none: what one misspells stays at its default."""
    for name, meant in unread().items():
        hint = f"did you mean {meant}?" if meant else "`idp settings` names all there are."
        typer.echo(f"{name} is no setting and is not read; {hint}", err=True)


def _command(address: str, *, port: int, workers: int, threads: int) -> list[str]:
    options = {
        "interface": "wsgi",
        # All that a proxy speaks to us; HTTP/2 would be code that only an attacker meets.
        "http": "1",
        "host": address,
        "port": port,
        "workers": workers,
        "blocking-threads": threads,
        "backlog": CONNECTIONS,
        "backpressure": CONNECTIONS,
        "workers-kill-timeout": KILL_AFTER,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    flags = ["--factory", "--no-ws", "--no-access-log", "--respawn-failed-workers"]
    return [sys.executable, "-m", "granian", *words, *flags, FACTORY]


def listen_address(settings: Settings, host: str) -> str:
    """Where to listen: the given host, in demo mode only if it is this machine."""
    return host if not settings.demo or is_loopback(host) else "127.0.0.1"


def _checked() -> Settings:
    """The settings, once storage is reachable, migrated and has keys; no connection stays open.

    Raises Refused, SettingsRefused: here a sentence can be said, in a worker it would be a restart without
    end.
    """
    with opened() as desk:
        if not desk.settings.demo and is_demo(desk.settings.effective_database_url()):
            raise Refused("This is a demo's database: its passwords are public. Production needs its own.")
        desk.backends.store.ping()
        try:
            with desk.transaction() as db:
                load_keys(db, desk.backends.vault)
        except LookupError as missing:
            raise Refused(str(missing)) from None
        _check_outside(desk.settings)
        return desk.settings


def _check_outside(settings: Settings) -> None:
    """Return if whom the provider asks, and the file of places, can be used. Raises SettingsRefused."""
    places_of(settings).check()
    for party_of in (social_security_of, population_of, registry_of, face_of):
        party_of(settings)
