"""`idp worker` delivers each kind of message apart: what hangs, fails or ends in one holds up no other."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from idp.accounts.notices import SMS
from idp.accounts.outbox import OutboxMessage, enqueue
from idp.adapters.relying_party import RelyingParties
from idp.app import open_backends
from idp.cli.delivering import HANDS, LOOK_SECONDS, Deliveries
from idp.cli.worker import Worker
from tests.adapters.gateway import a_gateway
from tests.cli.outages import ComesBack
from tests.conftest import make_settings
from tests.world import World

SOON = 15.0
"""Seconds, far more than is needed."""
MEANWHILE = 4.0
"""Seconds until a call to a portal is given up, less one: so long every thread of the logouts hangs."""


class _Hangs(BaseHTTPRequestHandler):
    """A portal that takes a call and answers when it is told to."""

    came: threading.Semaphore
    released: threading.Event

    def do_POST(self) -> None:
        self.came.release()
        self.released.wait(SOON)
        self.close_connection = True

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@contextmanager
def a_portal_that_hangs() -> Iterator[tuple[int, type[_Hangs]]]:
    """Its port, and its handler's semaphore and event."""

    class Hangs(_Hangs):
        came, released = threading.Semaphore(0), threading.Event()

    with ThreadingHTTPServer(("127.0.0.1", 0), Hangs) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_port, Hangs
        finally:
            Hangs.released.set()
            server.shutdown()
            thread.join(SOON)


@contextmanager
def at_work(worker: Worker) -> Iterator[None]:
    """`worker` runs while the block does."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stopping.set()
        thread.join(SOON)
        assert not thread.is_alive()


def queued(world: World, kind: str, payload: dict[str, Any]) -> None:
    with world.write() as db:
        enqueue(db, world.backends.vault, kind=kind, subject="", payload=payload, now=world.now())


def a_logout(port: int) -> dict[str, Any]:
    address = f"http://127.0.0.1:{port}/logout"
    return {"client_id": "portal", "address": address, "alg": "RS256", "sub": "subject", "sid": "session"}


A_TEXT = {"phone": "13900000001", "text": "【通行】您好", "code": None, "purpose": "test"}


def test_relying_parties_that_hang_delay_no_sms(world: World) -> None:
    parties = RelyingParties(inside_allowed=True)
    with a_portal_that_hangs() as (port, portal), a_gateway() as gateway:
        settings = replace(world.settings, sms_url=gateway.address)
        for _ in range(10):
            queued(world, "logout", a_logout(port))
        with at_work(Worker(settings, world.backends, parties)):
            for _ in range(HANDS["logout"]):
                assert portal.came.acquire(timeout=SOON)
            queued(world, SMS, A_TEXT)
            assert gateway.taken.wait(MEANWHILE), "every thread of the logouts hangs, and the SMS leaves"
            portal.released.set()
    parties.close()


def test_a_worker_that_is_told_to_end_does_what_it_has_in_hand_and_begins_nothing_new(world: World) -> None:
    in_hand, go_on = threading.Event(), threading.Event()

    def hold(_payload: dict[str, Any]) -> None:
        in_hand.set()
        assert go_on.wait(SOON)

    for _ in range(2):
        queued(world, "told", {})
    worker = Worker(
        world.settings, world.backends, RelyingParties(inside_allowed=True), deliverers={"told": hold}
    )
    with at_work(worker):
        assert in_hand.wait(SOON)
        worker.stopping.set()
        go_on.set()
    worker.relying_parties.close()
    with world.reading() as db:
        first, second = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert first.delivered_at is not None
    assert (second.delivered_at, second.tries) == (None, 0)


def test_deliveries_wait_out_an_outage_and_go_on(
    sqlite_template: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, away, sent = tmp_path / "home", tmp_path / "away", list[dict[str, Any]]()
    home.mkdir()
    shutil.copy(sqlite_template, home / "idp.db")
    settings = make_settings(database_url=f"sqlite:///{home / 'idp.db'}", var_dir=tmp_path)
    backends = open_backends(settings)
    with backends.database.begin() as db:
        enqueue(db, backends.vault, kind="told", subject="", payload={"n": 1}, now=datetime.now(UTC))
    backends.close()
    home.rename(away)
    stopping = ComesBack(home, away)
    deliveries = Deliveries(backends, {"told": sent.append}, stopping)
    deliveries.start()
    deliveries.finish()
    backends.close()
    assert [message["n"] for message in sent] == [1]
    assert [record.message for record in caplog.records if record.name == "idp"] == ["unavailable"]
    assert stopping.pauses == [2 * LOOK_SECONDS, LOOK_SECONDS]
