"""The WSGI server of a portal: one worker, a few threads, on loopback unless told otherwise."""

import sys
from collections.abc import Callable
from typing import Final, Protocol

from granian import Granian
from granian.constants import Interfaces

from relying_parties.kit.settings import SettingsRefused

THREADS: Final = 4
SECONDS_TO_FINISH: Final = 10
"""How long a worker may take to stop; without a limit, one told to while it starts would never end."""


class Listening(Protocol):
    """Settings of a program that listens."""

    @property
    def host(self) -> str:
        """Address to listen on."""

    @property
    def port(self) -> int:
        """Port to listen on."""


def check_and_serve(factory: str, check: Callable[[], Listening]) -> int:
    """Serve `factory` at the address of the settings that `check` has found good; the exit code.

    They are checked here, where a sentence can be said: SettingsRefused is printed, and the code is 2.
    """
    try:
        settings = check()
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    serve(factory, settings.host, settings.port)
    return 0


def serve(factory: str, host: str, port: int) -> None:
    """Serve the application that `factory` ("module:function") makes until told to stop (SIGTERM, SIGINT)."""
    Granian(
        factory,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        websockets=False,
        respawn_failed_workers=False,
        workers_kill_timeout=SECONDS_TO_FINISH,
    ).serve()
