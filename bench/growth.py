"""Whether work grows with the number of accounts: the same at 1,000 and at 100,000 of them.

The bulk is made by the database itself, with sealed values that nobody could open; in its middle
stand companies that are real in every column, and they are the ones looked up and signed on.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import journeys, load, population
from bench.figures import Figure, median_figure, missing
from bench.in_process import in_process, sign_on, statements
from bench.installation import Installation, installation
from bench.load import Measured
from bench.population import Company, Portal
from bench.processes import Meter
from bench.serving import served
from idp.accounts import directory

SMALL, LARGE = 1_000, 100_000
_REAL = 64
_RUNS = 3
_LOOKUPS = 300
_SECONDS = 2.0
_VISITORS = 8

# One row each for n = first … last; ids are digests, so they come in no order.
_BULK = (
    """INSERT INTO people (id, name_sealed, id_type, id_number_sealed, id_number_index, phone_sealed,
    phone_index, subject_salt, created_at) SELECT md5('p' || n)::uuid, '\\x01', 'resident_id', '\\x01',
    sha256(('i' || n)::bytea), '\\x01', sha256(('t' || n)::bytea), md5('s' || n), now() {rows}""",
    """INSERT INTO enterprises (id, uscc, name, type, status, representative_id, created_at)
    SELECT md5('e' || n)::uuid, 'X' || lpad(n::text, 17, '0'), 'Company ' || n, '企业法人', 'normal',
    md5('p' || n)::uuid, now() {rows}""",
    """INSERT INTO legal_accounts (id, enterprise_id, activated_at, created_at)
    SELECT md5('l' || n)::uuid, md5('e' || n)::uuid, now(), now() {rows}""",
    """INSERT INTO login_names (name, legal_account_id)
    SELECT 'bulk_' || n, md5('l' || n)::uuid {rows}""",
    """INSERT INTO credentials (id, legal_account_id, password_hash, must_change, changed_at)
    SELECT md5('c' || n)::uuid, md5('l' || n)::uuid, 'x', false, now() {rows}""",
    """INSERT INTO mandates (id, enterprise_id, person_id, first_day, last_day, manage_operators,
    manage_seals, phone_index, created_at) SELECT md5('m' || n)::uuid, md5('e' || n)::uuid,
    md5('p' || n)::uuid, now()::date, now()::date + 30, false, false, sha256(('o' || n)::bytea), now()
    {rows}""",
    """INSERT INTO signin_sessions (id, token_hash, sid, person_id, enterprise_id, legal_account_id, role,
    amr, acr, auth_time, seen_at, expires_at, browser, address, created_at) SELECT md5('x' || n)::uuid,
    sha256(('k' || n)::bytea), md5('d' || n), md5('p' || n)::uuid, md5('e' || n)::uuid, md5('l' || n)::uuid,
    'legal_representative', 'pwd', 'urn:idp:loa:1', now(), now(), now() + interval '8 hours', '', '', now()
    {rows}""",
)
_ROWS = "FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n"


@dataclass(frozen=True, slots=True)
class _Town:
    here: Installation
    companies: list[Company]
    portal: Portal
    cookies: list[str]


def run() -> Iterator[Figure]:
    """Ratios large to small: each kind of look-up, a sign-on through the server; the plans of all of it."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(installation()) for _ in range(2))
        if not small.on_postgres:
            yield missing("growth", "needs PostgreSQL")
            return
        towns = [_built(small, SMALL), _built(large, LARGE)]
        yield from _lookups(*towns)
        yield from _sign_ons(*towns)
        yield _plans(towns[1])


def _built(here: Installation, accounts: int) -> _Town:
    half = accounts // 2
    _insert(here.backends.database.engine, 1, half)
    companies = population.settle(here, range(1, _REAL + 1))
    portal = population.register_portal(here)
    cookies = population.sign_in(here, companies)
    _insert(here.backends.database.engine, half + 1, accounts)
    with here.backends.database.engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return _Town(here, companies, portal, cookies)


def _insert(engine: Engine, first: int, last: int) -> None:
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 60000"))
        for statement in _BULK:
            connection.execute(text(statement.format(rows=_ROWS)), {"first": first, "last": last})
        connection.execute(text("RESET statement_timeout"))
        connection.commit()


def _legal(db: Session, _here: Installation, company: Company) -> object:
    return directory.find_legal_login(db, company.uscc)


def _operator(db: Session, here: Installation, company: Company) -> object:
    return directory.find_mandate(db, here.backends.vault, company.row, company.operator_phone)


def _person(db: Session, here: Installation, company: Company) -> object:
    return directory.find_person(db, here.backends.vault, company.phone)


_LOOKS: dict[str, Callable[[Session, Installation, Company], object]] = {
    "legal": _legal,
    "operator": _operator,
    "person": _person,
}


def _lookups(small: _Town, large: _Town) -> Iterator[Figure]:
    for name, look in _LOOKS.items():
        ratios, times = [], []
        for _ in range(_RUNS):
            at_small, at_large = _look_times(look, small, large)
            ratios.append(at_large / at_small)
            times.append(f"{at_small * 1000:.2f} → {at_large * 1000:.2f} ms")
        note = f"{LARGE} to {SMALL} accounts; target ≤ 1.2; median look-up {', '.join(times)}"
        yield median_figure(f"growth_{name}_lookup", ratios, "ratio", note)


def _look_times(
    look: Callable[[Session, Installation, Company], object], *towns: _Town
) -> tuple[float, float]:
    """The median look-up in each town, taken in turns so that the machine's moods meet both."""
    times: tuple[list[float], list[float]] = ([], [])
    turns = [cycle(town.companies) for town in towns]
    for _ in range(_LOOKUPS):
        for town, turn, taken in zip(towns, turns, times, strict=True):
            began = time.perf_counter()
            with town.here.backends.database.session() as db:
                found = look(db, town.here, next(turn))
            taken.append(time.perf_counter() - began)
            if found is None:
                raise LookupError("a company that is there was not found")
    return statistics.median(times[0]), statistics.median(times[1])


def _sign_ons(*towns: _Town) -> Iterator[Figure]:
    with ExitStack() as stack:
        servers = [stack.enter_context(served(town.here)) for town in towns]
        ratios, costs = [], []
        for _ in range(_RUNS):
            small, large = (
                asyncio.run(_driven(town, server)) for town, server in zip(towns, servers, strict=True)
            )
            ratios.append(small.per_cpu_second / large.per_cpu_second)
            costs.append(f"{1000 / small.per_cpu_second:.2f} → {1000 / large.per_cpu_second:.2f} ms")
    note = f"CPU of a sign-on, {LARGE} to {SMALL} accounts; target ≤ 1.2; {', '.join(costs)}"
    yield median_figure("growth_sign_on", ratios, "ratio", note)


async def _driven(town: _Town, server: int) -> Measured:
    visitors = load.visitors_of(town.here, town.portal, town.cookies[:_VISITORS])
    try:
        return await load.drive(journeys.sign_on, visitors, Meter(town.here, server), seconds=_SECONDS)
    finally:
        for visitor in visitors:
            visitor.connection.close()


def _plans(town: _Town) -> Figure:
    """How many of the statements of a sign-on and of the look-ups read a whole table."""
    with closing(in_process(town.here)) as house:
        engine = house.platform.database.engine
        asked = statements(engine, lambda: sign_on(house, town.portal, town.cookies[0]))
    with town.here.backends.database.session() as db:
        engine = town.here.backends.database.engine
        for look in _LOOKS.values():
            asked += statements(engine, partial(look, db, town.here, town.companies[0]))
        plans = {
            statement: db.connection().exec_driver_sql("EXPLAIN " + statement, parameters).scalars().all()
            for statement, parameters in asked
        }
    scans = sorted({line.strip() for plan in plans.values() for line in plan if "Seq Scan" in line})
    return Figure("growth_seq_scans", len(scans), "scans", (), f"{len(plans)} statements; {scans}")
