"""`python -m idp.wait`: what `idp wait` becomes once the settings were found to be usable."""

from __future__ import annotations

import argparse
import asyncio
import signal

from idp.config import load_settings
from idp.wait.process import serve
from idp.web import logs


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = argparse.ArgumentParser()
    options.add_argument("--host", required=True)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--most", type=int, required=True)
    asyncio.run(_serve(options.parse_args()))


async def _serve(options: argparse.Namespace) -> None:
    logs.configure()
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    settings = load_settings()

    def started(port: int) -> None:
        logs.tell("waiting", issuer=settings.issuer, address=options.host, port=port, most=options.most)

    await serve(
        settings,
        host=options.host,
        port=options.port,
        most=options.most,
        stopping=stopping,
        started=started,
    )
    logs.tell("stopped waiting")


if __name__ == "__main__":
    main()
