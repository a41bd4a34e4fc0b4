"""10,000 browsers held by `idp wait` at once: memory, CPU, and how soon they hear that a phone scanned."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from bench.crowd import crowd, raise_file_limit, said, tickets_for
from bench.figures import Figure, missing, percentile
from bench.http import Connection, WrongAnswer
from bench.in_process import InProcess, in_process
from bench.installation import Installation, installation
from bench.password_login import PAGE, filled_in, settled
from bench.population import Company
from bench.processes import cpu_seconds, resident_mb
from bench.serving import served
from idp.adapters.ephemeral import EphemeralStore
from idp.config import as_variables, child_environment
from idp.proof import tickets
from idp.proof.ticket_record import Phone, Seen
from tests.services import free_port

_CROWD = 10_000
_OTHER_FILES = 1_500  # of the process that waits: what it keeps for others, and a margin
_SECONDS = 25.0  # one turn: everybody was answered and has asked again
_MOVES_A_SECOND = 20
_LAST_SECONDS = 3.0  # for the last moves to be heard
_LOGINS = 500
_AT_ONCE = 4
_PHONE = Phone(Seen("bench", "192.0.2.8"), session="s", person="p", client_id="app", jkt="k")
_START_TRIES = 100

Login = tuple[dict[str, str], str]


def run() -> Iterator[Figure]:
    """The figures alone and beside password logins; says so where fewer can be held."""
    count = min(_CROWD, raise_file_limit() - _OTHER_FILES)
    with installation() as here:
        if not here.settings.redis_url.get_secret_value():
            yield missing("waiting", here.storage)
            return
        with closing(in_process(here)) as house, served(here), waiting(here, count) as (process, port):
            yield Figure("waiting_nobody", resident_mb(process), "MB", (), "`idp wait` before anybody came")
            logins = _filled_in(house, settled(here, house, range(1, 21)))
            cookie, opened = tickets_for(here.backends.store, count)
            host = urlsplit(here.settings.issuer).netloc
            with crowd(
                "hold", here.settings.var_dir, port=port, host=host, cookie=cookie, opened=opened
            ) as browsers:
                said(browsers)
                yield from _measured(here, process, browsers, opened, logins)


@contextmanager
def waiting(here: Installation, most: int) -> Iterator[tuple[int, int]]:
    """The process id and port of an `idp wait` that is subscribed. Raises RuntimeError."""
    port = free_port()
    command = [sys.executable, "-m", "idp.wait", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--most", str(most)]
    environment = child_environment(as_variables(here.settings))
    with (
        (here.settings.var_dir / "wait.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stderr=log) as process,  # noqa: S603 - our own
    ):
        try:
            _until_subscribed(f"http://127.0.0.1:{port}/readyz", process)
            yield process.pid, port
        finally:
            process.terminate()


def _measured(
    here: Installation,
    process: int,
    browsers: subprocess.Popen[str],
    opened: Sequence[str],
    logins: Sequence[Login],
) -> Iterator[Figure]:
    count, half = len(opened), len(opened) // 2
    before = cpu_seconds(process)
    alone = _moves(here.backends.store, opened[:half])
    spent = cpu_seconds(process) - before
    with ThreadPoolExecutor(1) as beside:
        going = beside.submit(asyncio.run, _log_in(here.settings.issuer, logins))
        among = _moves(here.backends.store, opened[half:])
        signed_in = going.result()
    memory = resident_mb(process)
    time.sleep(_LAST_SECONDS)
    if browsers.stdin:
        browsers.stdin.write("report\n")
        browsers.stdin.flush()
    told = json.loads(said(browsers))
    note = f"{count} browsers held at once, each on a connection of its own; {told['told']} answers by status"
    yield Figure(
        "waiting_rss", memory, "MB", (), f"{note}; {memory / count * 1000:.1f} kB each with all else"
    )
    share = spent / _SECONDS * 5_000 / count
    yield Figure(
        "waiting_cpu", share, "cores", (), f"for 5,000 held, {_MOVES_A_SECOND} tickets moving a second"
    )
    others = f"beside {signed_in / _SECONDS:.1f} password logins a second"
    for name, moved, where in (("waiting", alone, "nothing else"), ("waiting_beside", among, others)):
        waits = [told["heard"][ticket] - at for ticket, at in moved.items()]
        for percent in (50, 99):
            value = percentile(waits, percent / 100) * 1000
            yield Figure(f"{name}_p{percent}", value, "ms", (), f"{len(waits)} scans to the browser, {where}")


def _moves(store: EphemeralStore, opened: Sequence[str]) -> dict[str, float]:
    """Scan tickets for a turn, evenly; when each scan was done and told, by the clock of all processes."""
    began, at = time.monotonic(), {}
    for number in range(int(_SECONDS * _MOVES_A_SECOND)):
        time.sleep(max(0.0, began + number / _MOVES_A_SECOND - time.monotonic()))
        # Spread over the crowd, so that not only those who came first are heard of.
        ticket = opened[number * len(opened) // int(_SECONDS * _MOVES_A_SECOND)]
        tickets.scan(store, ticket, _PHONE, now=datetime.now(UTC))
        at[ticket] = time.monotonic()
    return at


def _filled_in(house: InProcess, companies: Sequence[Company]) -> list[Login]:
    """Sign-in forms with everything in them, each with the cookie of a browser of its own."""
    logins = []
    for number in range(_LOGINS):
        shown = house.get(PAGE).expect(200)
        form = filled_in(house, shown.body.decode(), companies[number % len(companies)])
        logins.append((form, shown.headers["set-cookie"].split(";")[0]))
    return logins


async def _log_in(issuer: str, logins: Sequence[Login]) -> int:
    """Send the forms, a few at once, until they are used up or the turn is over; how many signed in."""
    ends, left, done = time.monotonic() + _SECONDS, list(logins), 0

    async def browser() -> None:
        nonlocal done
        connection = Connection(issuer)
        while left and time.monotonic() < ends:
            form, cookie = left.pop()
            answer = await connection.post(PAGE, form, f"Cookie: {cookie}\r\n")
            if answer.status not in {302, 303}:
                raise WrongAnswer(f"not signed in: {answer.status}")
            done += 1
        connection.close()

    await asyncio.gather(*(browser() for _ in range(_AT_ONCE)))
    return done


def _until_subscribed(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(_START_TRIES):
        try:
            with urlopen(address, timeout=5):  # noqa: S310 - an address of ours
                return
        except (URLError, ConnectionError):
            if process.poll() is not None:
                break
        time.sleep(0.1)
    raise RuntimeError("`idp wait` did not start.")
