"""A Redis that a test may break, tickets in it, and `idp wait` on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.config import Settings
from idp.proof import tickets
from idp.proof.ticket_record import Answer, Asked, Phone, Purpose, Seen, Ticket, key_of, pack
from tests.conftest import make_settings
from tests.services import ServiceMissing, free_port, give_up, start_redis
from tests.wait.callers import SECRET, Running, running

ASKED = Asked(Purpose.LOGIN, portal="示例网厅", reason="请求您登录，用于办理业务")
MINE = Phone(Seen("Phone/1", "192.0.2.8"), session="s1", person="p1", client_id="app", jkt="k1")


@dataclass
class OneRedis:
    """A Redis server of this test alone, to be stopped and started again; it keeps nothing."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        try:
            self.process = start_redis(self.url, self.home, port=self.port)
        except ServiceMissing as missing:
            give_up(str(missing))

    def stop(self) -> None:
        """Stop it; what it kept is gone."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def cut_subscriptions(self) -> None:
        """Break the connections of all who are subscribed."""
        with Redis.from_url(self.url) as client:
            assert client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") >= 1


@dataclass
class Tickets:
    """The provider's side: it opens tickets and moves them."""

    store: EphemeralStore

    def open(self, *, seconds: float = 120, opened: datetime | None = None) -> str:
        """A ticket the browser with `SECRET` waits for."""
        browser, now = Seen("Mozilla/5.0", "192.0.2.7"), opened or datetime.now(UTC)
        life = timedelta(seconds=seconds)
        return tickets.open_ticket(self.store, ASKED, browser, secret=SECRET, lifetime=life, now=now).id

    def scan(self, ticket: str) -> Ticket:
        """A phone scans it."""
        return tickets.scan(self.store, ticket, MINE, now=datetime.now(UTC))

    def confirm(self, ticket: str) -> None:
        """The phone confirms it."""
        now = datetime.now(UTC)
        answer = Answer("person", ("qr",), "urn:idp:loa:1", now.timestamp())
        tickets.confirm(self.store, ticket, MINE, answer, now=now)

    def deny(self, ticket: str) -> None:
        """The phone refuses."""
        tickets.deny(self.store, ticket, MINE, now=datetime.now(UTC))

    def cancel(self, ticket: str) -> bool:
        """The browser gives it up, from another page."""
        return tickets.withdraw(self.store, ticket, SECRET, now=datetime.now(UTC))

    def put_silently(self, ticket: Ticket) -> None:
        """What a move leaves in the store when its message was lost."""
        self.store.put(key_of(ticket.id), pack(ticket), ttl=300)

    def find(self, ticket: str) -> Ticket:
        """It as it lies in the store."""
        found = tickets.find(self.store, ticket)
        assert found
        return found


def waiting_settings(url: str, prefix: str, home: Path) -> Settings:
    """Settings of a process that waits; its database is never opened."""
    return make_settings(
        database_url=f"sqlite:///{home / 'never.db'}", redis_url=url, redis_prefix=prefix, var_dir=home
    )


@pytest.fixture
def settings(redis_url: str, redis_prefix: str, tmp_path: Path) -> Settings:
    return waiting_settings(redis_url, redis_prefix, tmp_path)


@pytest.fixture
def provider(settings: Settings) -> Iterator[Tickets]:
    yield from _tickets(settings)


@pytest.fixture
def here(settings: Settings) -> Iterator[Running]:
    with running(settings) as started:
        yield started


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[OneRedis]:
    made = OneRedis(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def breakable_settings(breakable: OneRedis, tmp_path: Path) -> Settings:
    return waiting_settings(breakable.url, "idp:", tmp_path)


@pytest.fixture
def breakable_provider(breakable_settings: Settings) -> Iterator[Tickets]:
    yield from _tickets(breakable_settings)


def _tickets(settings: Settings) -> Iterator[Tickets]:
    store = RedisEphemeralStore(settings.redis_url.get_secret_value(), prefix=settings.redis_prefix)
    yield Tickets(store)
    store.close()
