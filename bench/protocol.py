"""What relying parties ask most, through a real server: sign-ons, refreshes, introspections, documents.

Each run of a measure has a run of the bare JSON route beside it, so that ratios hold on a machine
that others use too.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from bench import fapi, journeys, load, population
from bench.figures import Figure, median_figure, percentile
from bench.in_process import in_process, statements
from bench.in_process import sign_on as in_process_sign_on
from bench.installation import Installation, installation
from bench.journeys import Journey, Visitor
from bench.load import Measured
from bench.processes import Meter, resident_mb
from bench.provider import OF_BARE_FLASK, OF_THE_HOUSE
from bench.serving import THREADS, served, worker_of

RUNS = 3
_VISITORS = 16
_SECONDS = 3.0
_BARE_SECONDS = 1.5
_BARE = journeys.fetch(OF_THE_HOUSE)


@dataclass(frozen=True, slots=True)
class _Stage:
    here: Installation
    visitors: list[Visitor]
    meter: Meter
    server: int

    def run(self, journey: Journey, seconds: float) -> Measured:
        """One run; its connections live no longer than it does, as the event loop does."""
        return asyncio.run(self._run(journey, seconds))

    async def _run(self, journey: Journey, seconds: float) -> Measured:
        fresh = load.visitors_of(
            self.here, self.visitors[0].portal, [visitor.cookie for visitor in self.visitors]
        )
        try:
            return await load.drive(journey, fresh, self.meter, seconds=seconds)
        finally:
            for visitor in fresh:
                visitor.connection.close()


def sign_on() -> Iterator[Figure]:
    """Sign-ons per CPU second, their latencies, the worker's size after them."""
    with _stage() as stage:
        yield from _measure(stage, "sign_on", journeys.sign_on)
        size = resident_mb(worker_of(stage.server))
        yield _sql(stage)
        yield Figure("rss", size, "MB", (), "one worker after the sign-ons; target < 120")


def fapi_sign_on() -> Iterator[Figure]:
    """Sign-ons with PAR, private_key_jwt and DPoP, and their cost beside plain ones of the same minute."""
    with _stage() as stage:
        keys = fapi.new_keys()
        jwks = {"keys": [keys.client.as_dict(private=False)]}
        client_id = population.register_fapi_portal(stage.here, jwks)
        journey = fapi.sign_on(client_id, keys, stage.here.settings.issuer)
        costs, ratios = [], []
        for _ in range(RUNS):
            cost = 1000 / stage.run(journey, _SECONDS).per_cpu_second
            costs.append(cost)
            ratios.append(cost * stage.run(journeys.sign_on, _SECONDS).per_cpu_second / 1000)
        yield median_figure("fapi_sign_on_cost", costs, "CPU ms", "PAR, private_key_jwt, DPoP, ES256")
        yield median_figure("fapi_sign_on_to_plain", ratios, "ratio", "CPU of one to a plain one; target ≤ 2")


def refresh() -> Iterator[Figure]:
    """Refreshes with rotation."""
    with _stage() as stage:
        yield from _measure(stage, "refresh", journeys.refresh)


def introspection() -> Iterator[Figure]:
    """Introspections of a live access token."""
    with _stage() as stage:
        yield from _measure(stage, "introspection", journeys.introspection)


def documents() -> Iterator[Figure]:
    """Discovery and JWKS against the bare routes."""
    with _stage() as stage:
        for name, path in (("discovery", "/.well-known/openid-configuration"), ("jwks", "/oauth/jwks")):
            journey, house, flask = journeys.fetch(path), [], []
            rates = []
            for _ in range(RUNS):
                rate = stage.run(journey, _BARE_SECONDS).per_cpu_second
                rates.append(rate)
                house.append(rate / stage.run(_BARE, _BARE_SECONDS).per_cpu_second)
                flask.append(rate / stage.run(journeys.fetch(OF_BARE_FLASK), _BARE_SECONDS).per_cpu_second)
            yield median_figure(name, rates, "per CPU second")
            yield median_figure(
                f"{name}_to_bare", house, "ratio", "to a JSON route of the house; target ≥ 0.6"
            )
            yield median_figure(f"{name}_to_flask", flask, "ratio", "to a JSON route of an empty Flask")


@contextmanager
def _stage() -> Iterator[_Stage]:
    with installation() as here:
        portal = population.register_portal(here)
        cookies = population.sign_in(here, population.settle(here, range(1, _VISITORS + 1)))
        with served(here) as server:
            yield _Stage(here, load.visitors_of(here, portal, cookies), Meter(here, server), server)


def _sql(stage: _Stage) -> Figure:
    """Nothing of a sign-on opens a transaction, so that its statements are its round trips."""
    visitor = stage.visitors[0]
    with closing(in_process(stage.here)) as house:
        sign_on_once = partial(in_process_sign_on, house, visitor.portal, visitor.cookie)
        sign_on_once()  # the first one reads the client
        asked = statements(house.platform.database.engine, sign_on_once)
    return Figure("sign_on_sql", len(asked), "round trips", (), "target ≤ 6")


def _measure(stage: _Stage, name: str, journey: Journey) -> Iterator[Figure]:
    runs, ratios = [], []
    for _ in range(RUNS):
        run = stage.run(journey, _SECONDS)
        runs.append(run)
        ratios.append(run.per_cpu_second / stage.run(_BARE, _BARE_SECONDS).per_cpu_second)
    count = sum(len(run.latencies) for run in runs)
    middle = statistics.median(run.per_second for run in runs)
    note = (
        f"{_cost(runs, count)}; {middle:.0f} a second by the clock; "
        f"{stage.here.storage}; 1 worker × {THREADS} threads, {_VISITORS} connections"
    )
    yield median_figure(name, [run.per_cpu_second for run in runs], "per CPU second", note)
    yield median_figure(f"{name}_to_bare", ratios, "ratio", "to a JSON route of the house")
    for share in (50, 99):
        times = [percentile(run.latencies, share / 100) * 1000 for run in runs]
        yield median_figure(f"{name}_p{share}", times, "ms")


def _cost(runs: Sequence[Measured], count: int) -> str:
    total = runs[0].spent
    for run in runs[1:]:
        total = type(total)(
            total.provider + run.spent.provider,
            total.postgres + run.spent.postgres,
            total.redis + run.spent.redis,
        )
    return total.per(count)
