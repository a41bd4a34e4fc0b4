"""Many virtual users at once against a served provider, and the CPU time they cost it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.http import Connection
from bench.installation import Installation
from bench.journeys import Journey, Visitor
from bench.population import Portal
from bench.processes import Meter, Spent

_GRACE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: how long each journey took in seconds, the run's length, what it cost."""

    latencies: list[float]
    seconds: float
    spent: Spent

    @property
    def per_cpu_second(self) -> float:
        """Journeys per CPU second of provider, database and store."""
        return len(self.latencies) / self.spent.total

    @property
    def per_second(self) -> float:
        """Journeys per second of the clock."""
        return len(self.latencies) / self.seconds


def visitors_of(here: Installation, portal: Portal, cookies: Sequence[str]) -> list[Visitor]:
    """A visitor with a connection of his own for each cookie."""
    return [Visitor(Connection(here.settings.issuer), portal, cookie) for cookie in cookies]


async def drive(journey: Journey, visitors: Sequence[Visitor], meter: Meter, *, seconds: float) -> Measured:
    """Let every visitor repeat `journey` for `seconds`, after one try each that is not counted.

    Raises bench.http.WrongAnswer, TimeoutError.
    """
    async with asyncio.timeout(seconds + _GRACE_SECONDS):
        await asyncio.gather(*map(journey, visitors))
        before, began = meter.read(), time.perf_counter()
        each = await asyncio.gather(
            *(_repeat(journey, visitor, until=began + seconds) for visitor in visitors)
        )
        took = time.perf_counter() - began
        return Measured([one for latencies in each for one in latencies], took, meter.read().since(before))


async def _repeat(journey: Journey, visitor: Visitor, *, until: float) -> list[float]:
    latencies = []
    while (began := time.perf_counter()) < until:
        await journey(visitor)
        latencies.append(time.perf_counter() - began)
    return latencies
