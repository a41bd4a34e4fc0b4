"""All of it put together, from the start to SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable
from contextlib import suppress

from prometheus_client import Counter, Gauge

from idp.adapters.store_ear import StoreEar
from idp.config import Settings
from idp.proof.ticket_record import CHANNEL
from idp.wait.door import Door
from idp.wait.line import Line
from idp.wait.room import Room
from idp.web import logs

STOP_SECONDS = 5.0
"""How long those who wait have to read their last answer."""
_BACKLOG = 4096
_SWEEP_SECONDS = 5.0
_FURTHER_LINES = 1024  # connections on which nobody is held
_SPARE_FILES = 64
_WAITING = Gauge("idp_wait_waiting", "Browsers that wait now.")
_SUBSCRIBED = Counter(
    "idp_wait_subscribed", "Times the subscription was made; more than one are reconnections."
)


async def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    most: int,
    stopping: asyncio.Event,
    started: Callable[[int], None],
) -> None:
    """Serve waiting browsers until `stopping` is set; `started` is told the port. Raises OSError."""
    places = places_for(most)
    ear = StoreEar(settings.redis_url.get_secret_value(), prefix=settings.redis_prefix, channel=CHANNEL)
    room = Room(ear, most=places)
    _WAITING.set_function(lambda: room.waiting)
    door = Door(settings, room, ear, most_lines=places + _FURTHER_LINES)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(door), host, port, backlog=_BACKLOG)
    listening = loop.create_task(ear.run(room.heard, lambda: _subscribed(room), _lost))
    sweeping = loop.create_task(_sweep(door))
    started(server.sockets[0].getsockname()[1])
    stopped = loop.create_task(stopping.wait())
    await asyncio.wait({listening, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    door.close()
    room.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await door.emptied.wait()
    for task in (sweeping, stopped, listening):
        task.cancel()
    # If the ear ended by itself, this raises what ended it.
    with suppress(asyncio.CancelledError):
        await listening


def places_for(most: int) -> int:
    """How many browsers this process can hold, at best `most`; says so where files are too few for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    others = _FURTHER_LINES + _SPARE_FILES
    wanted = most + others
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < wanted:
        logs.tell("too few files", level=logging.WARNING, limit=soft, wanted=wanted)
    return max(1, min(most, soft - others))


def _subscribed(room: Room) -> None:
    _SUBSCRIBED.inc()
    logs.tell("subscribed", waiting=room.waiting)
    room.anew()


def _lost() -> None:
    logs.tell("subscription lost", level=logging.WARNING)


async def _sweep(door: Door) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        door.close_idle()
