"""`idp worker`: seals, delivers, forgets; several may run, and an outage is waited out."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase

from idp.access.grants import EndedToken, Grant
from idp.access.refresh_tokens import RefreshToken
from idp.access.retention import forget
from idp.accounts.audit import Action, AuditBatch, AuditEvent, Event, Origin
from idp.accounts.outbox import OutboxMessage, enqueue
from idp.accounts.sessions import SigninSession
from idp.adapters.relying_party import RelyingParties
from idp.app import open_backends
from idp.cli.worker import Worker, seal
from tests.cli.conftest import Command
from tests.cli.outages import ComesBack
from tests.conftest import make_settings
from tests.keys import kid_of
from tests.oauth.asking import header_of
from tests.world import APerson, World


def count(world: World, table: type[DeclarativeBase]) -> int:
    """How many rows a table has."""
    with world.reading() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


def an_event(world: World, *, at: datetime) -> None:
    """Something in the trail."""
    with world.write() as db:
        world.backends.trail.record(db, Event(Action.DATA_VIEWED), Origin(actor="somebody"), now=at)


def a_sign_in(world: World, person: APerson, *, expired: timedelta) -> None:
    """A sign-in that reached its limit so long ago, with a grant and a refresh token."""
    then = world.now() - expired
    session_id, grant_id = uuid4(), uuid4()
    common = {"person_id": person.row.id, "role": "natural_person", "amr": "pwd", "acr": "urn:idp:loa:1"}
    times = {"auth_time": then, "seen_at": then, "expires_at": then, "created_at": then}
    token = {"token_hash": uuid4().bytes * 2, "sid": uuid4().hex, "browser": "", "address": ""}
    with world.write() as db:
        db.execute(insert(SigninSession).values(id=session_id, **common, **times, **token))
        grant = {"id": grant_id, "session_id": session_id, "client_id": "portal", "scope": "openid"}
        db.execute(insert(Grant).values(**grant, code_hash=uuid4().bytes * 2, created_at=then))
        refresh = {"token_hash": uuid4().bytes * 2, "grant_id": grant_id, "created_at": then}
        db.execute(insert(RefreshToken).values(**refresh))


def test_one_round_seals_what_has_settled(idp: Command, world: World) -> None:
    for age in (60, 60, 0):
        an_event(world, at=world.now() - timedelta(seconds=age))
    assert idp("worker", "--once").code == 0
    with world.reading() as db:
        sealed = db.scalars(select(AuditEvent.batch_number).where(AuditEvent.batch_number.is_not(None))).all()
    assert list(sealed) == [1, 1]
    assert idp.does("audit", "verify")["whole"]


def test_two_workers_that_seal_at_once_leave_a_whole_chain(idp: Command, world: World) -> None:
    for _ in range(20):
        an_event(world, at=world.now() - timedelta(minutes=1))
    now, begin = world.now(), threading.Barrier(3)

    def one_worker() -> None:
        begin.wait()
        seal(world.backends, now=now)

    workers = [threading.Thread(target=one_worker) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seal(world.backends, now=now)
    with world.reading() as db:
        loose = db.scalars(select(AuditEvent.id).where(AuditEvent.batch_number.is_(None))).all()
        assert sum(db.scalars(select(AuditBatch.events))) == 20
    assert list(loose) == []
    assert idp.does("audit", "verify")["whole"]


def test_a_sign_in_is_forgotten_half_a_year_after_its_end_with_all_it_gave(world: World) -> None:
    person = world.a_person()
    a_sign_in(world, person, expired=timedelta(days=181))
    a_sign_in(world, person, expired=timedelta(days=179))
    with world.write() as db:
        assert forget(db, now=world.now()) == 1
    assert [count(world, table) for table in (SigninSession, Grant, RefreshToken)] == [1, 1, 1]


def test_forgetting_is_bounded_and_goes_on(world: World) -> None:
    person = world.a_person()
    for _ in range(5):
        a_sign_in(world, person, expired=timedelta(days=200))
    with world.write() as db:
        assert [forget(db, now=world.now(), limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_revoked_token_is_forgotten_once_it_would_have_expired(world: World) -> None:
    now = world.now()
    with world.write() as db:
        db.add(EndedToken(jti="past", expires_at=now - timedelta(seconds=1)))
        db.add(EndedToken(jti="still valid", expires_at=now + timedelta(seconds=60)))
    with world.write() as db:
        forget(db, now=now)
        assert db.scalars(select(EndedToken.jti)).all() == ["still valid"]


def test_a_message_is_forgotten_a_month_after_it_was_settled(world: World) -> None:
    now = world.now()
    with world.write() as db:
        for subject in ("delivered", "waiting"):
            enqueue(db, world.backends.vault, kind="logout", subject=subject, payload={}, now=now)
    with world.write() as db:
        delivered = db.scalars(select(OutboxMessage).where(OutboxMessage.subject == "delivered")).one()
        delivered.delivered_at, delivered.next_try_at, delivered.payload_sealed = now, None, None
    with world.write() as db:
        assert forget(db, now=now + timedelta(days=29)) == 0
        assert forget(db, now=now + timedelta(days=31)) == 1
        assert db.scalars(select(OutboxMessage.subject)).all() == ["waiting"]


class _Portal(BaseHTTPRequestHandler):
    """A portal that takes logout tokens and notes them."""

    received: list[bytes]

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass


def a_logout(world: World, port: int) -> None:
    """A message for a portal on this port."""
    payload = {
        "client_id": "portal",
        "address": f"http://127.0.0.1:{port}/logout",
        "alg": "RS256",
        "sub": "subject",
        "sid": "session",
    }
    with world.write() as db:
        enqueue(db, world.backends.vault, kind="logout", subject="", payload=payload, now=world.now())


def test_a_logout_is_delivered_once_by_two_workers(idp: Command, world: World) -> None:
    received: list[bytes] = []
    handler = type("Portal", (_Portal,), {"received": received})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as portal:
        threading.Thread(target=portal.serve_forever, args=(0.02,), daemon=True).start()
        a_logout(world, portal.server_port)
        parties = RelyingParties(inside_allowed=True)
        for _ in range(2):
            Worker(world.settings, world.backends, parties).round(world.now())
        portal.shutdown()
        parties.close()
    assert len(received) == 1
    assert received[0].startswith(b"logout_token=")


def test_messages_leave_though_the_trail_cannot_be_sealed(sqlite_template: Path, tmp_path: Path) -> None:
    """Whoever harms the trail does not silence the notices that tell people of it."""
    shutil.copy(sqlite_template, tmp_path / "idp.db")
    settings = make_settings(database_url=f"sqlite:///{tmp_path / 'idp.db'}", var_dir=tmp_path)
    backends, parties, sent = open_backends(settings), RelyingParties(inside_allowed=True), list[Any]()
    with backends.database.begin() as db:
        enqueue(db, backends.vault, kind="told", subject="", payload={"n": 1}, now=datetime.now(UTC))
        db.execute(text("DROP TABLE audit_events"))
    worker = Worker(settings, backends, parties, deliverers={"told": sent.append})
    with pytest.raises(DBAPIError):
        worker.round(datetime.now(UTC))
    parties.close()
    backends.close()
    assert [message["n"] for message in sent] == [1]


def test_keys_are_rotated_on_schedule_and_what_is_delivered_then_bears_the_new_one(world: World) -> None:
    active, upcoming = (kid_of(world, "RS256", state) for state in ("active", "next"))
    received: list[bytes] = []
    handler = type("Portal", (_Portal,), {"received": received})
    parties = RelyingParties(inside_allowed=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as portal:
        threading.Thread(target=portal.serve_forever, args=(0.02,), daemon=True).start()
        worker = Worker(world.settings, world.backends, parties)
        for days in (0, 91):
            a_logout(world, portal.server_port)
            worker.rounds = 0  # the round that begins a minute
            worker.round(world.now() + timedelta(days=days))
        portal.shutdown()
    parties.close()
    kids = [header_of(body.decode().removeprefix("logout_token="))["kid"] for body in received]
    assert kids == [active, upcoming]
    assert kid_of(world, "RS256", "retired") == active


def test_a_worker_waits_out_an_outage_and_goes_on(
    sqlite_template: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    away.mkdir()
    shutil.copy(sqlite_template, away / "idp.db")
    settings = make_settings(database_url=f"sqlite:///{home / 'idp.db'}", var_dir=tmp_path)
    backends, parties = open_backends(settings), RelyingParties(inside_allowed=True)
    stopping = ComesBack(home, away)
    Worker(settings, backends, parties, stopping, deliverers={}).run()
    parties.close()
    backends.close()
    assert [record.message for record in caplog.records if record.name == "idp"] == ["unavailable"]
    assert stopping.pauses == [3.0, 1.5]
