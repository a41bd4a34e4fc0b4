"""200 password checks at once where two may run and eight may wait: the rest is told to come back."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing

from bench.figures import Figure
from bench.http import Answer, Connection
from bench.in_process import in_process
from bench.installation import installation
from bench.password_login import PAGE, filled_in, settled
from bench.processes import resident_mb
from bench.serving import served, worker_of

_CHECKS = 200
_SLOTS, _QUEUE = 2, 8
_THREADS = 64  # more than may hash and wait, or the threads alone would be the bound


def run() -> Iterator[Figure]:
    """How many of the checks were answered 503, how long the burst took, the worker's highest size."""
    with (
        installation(hash_slots=_SLOTS, hash_queue=_QUEUE) as here,
        closing(in_process(here)) as house,
        served(here, threads=_THREADS) as server,
    ):
        companies = settled(here, house, range(1, _CHECKS + 1))
        logins = []
        for company in companies:
            shown = house.get(PAGE).expect(200)
            cookie = shown.headers["set-cookie"].split(";")[0]
            logins.append((filled_in(house, shown.body.decode(), company), cookie))
        before = resident_mb(worker_of(server))
        began = time.perf_counter()
        answers = asyncio.run(_all_at_once(here.settings.issuer, logins))
        seconds = time.perf_counter() - began
        told = Counter(answer.status for answer in answers)
        waits = sorted(
            {answer.headers.get("retry-after", "none") for answer in answers if answer.status == 503}
        )
        note = f"of {_CHECKS}: {dict(told)}, Retry-After {waits}; {_SLOTS} slots, {_QUEUE} may wait"
        yield Figure("hash_bound_503", told[503], "answers", (), note)
        yield Figure("hash_bound_seconds", seconds, "s", (), "from the first request to the last answer")
        peak = resident_mb(worker_of(server), peak=True)
        yield Figure("hash_bound_peak", peak, "MB", (), f"of the worker; {before:.0f} MB before")


async def _all_at_once(issuer: str, logins: Sequence[tuple[dict[str, str], str]]) -> list[Answer]:
    connections = [Connection(issuer) for _ in logins]
    posts = (
        connection.post(PAGE, form, f"Cookie: {cookie}\r\n")
        for connection, (form, cookie) in zip(connections, logins, strict=True)
    )
    async with asyncio.timeout(40):
        answers = await asyncio.gather(*posts)
    for connection in connections:
        connection.close()
    return list(answers)
