"""The WSGI server of a portal: one worker, a few threads, on loopback unless told otherwise."""

from typing import Final

from granian import Granian
from granian.constants import Interfaces

THREADS: Final = 4
SECONDS_TO_FINISH: Final = 10
"""How long a worker may take to stop; without a limit, one told to while it starts would never end."""


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
