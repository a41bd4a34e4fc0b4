"""What the ephemeral store on SQLite promises beyond the conformance suite."""

import multiprocessing
import sqlite3
import stat
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from tests.adapters.arrange import Clock, at_once


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ephemeral.db"


@pytest.fixture
def store(clock: Clock, path: Path) -> Iterator[SqlEphemeralStore]:
    store = SqlEphemeralStore(path, clock=clock)
    yield store
    store.close()


def test_a_file_that_is_no_database_is_an_outage(path: Path) -> None:
    path.write_bytes(b"not a database, " * 512)
    with pytest.raises(StoreUnavailable):
        SqlEphemeralStore(path).ping()


def test_purge_drops_what_has_expired_and_nothing_else(store: SqlEphemeralStore, clock: Clock) -> None:
    for number in range(10):
        store.put(f"code:{number}", b"value", ttl=10)
    store.put("code:kept", b"value", ttl=1000)
    store.publish("channel", b"message")
    clock.now += 100
    assert store.purge() == 11
    assert store.purge() == 0
    assert store.get("code:kept") == b"value"


def test_the_file_does_not_grow_with_what_has_expired(
    store: SqlEphemeralStore, clock: Clock, path: Path
) -> None:
    for number in range(3000):
        store.put(f"code:{number}", b"value", ttl=1)
        clock.now += 1
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM facts").fetchone()[0] < 1000
    connection.close()


def test_a_purge_hides_no_later_message_from_a_subscriber(store: SqlEphemeralStore, clock: Clock) -> None:
    store.publish("channel", b"first")
    with store.subscribe("channel") as ear:
        clock.now += 3600
        store.purge()
        store.publish("channel", b"second")
        assert ear.next(0) == b"second"


def test_only_its_owner_reads_the_file(store: SqlEphemeralStore, path: Path) -> None:
    store.put("code:1", b"value", ttl=60)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def take_all(path: Path, start: Barrier, taken: "Queue[list[int]]") -> None:
    """Take what one can get of 200 keys (run in a process of its own)."""
    store = SqlEphemeralStore(path)
    start.wait(timeout=60)
    taken.put([number for number in range(200) if store.take(f"code:{number}") is not None])
    store.close()


def test_two_processes_take_each_key_once(store: SqlEphemeralStore, path: Path) -> None:
    for number in range(200):
        store.put(f"code:{number}", b"value", ttl=1_000_000_000)  # the processes have the real time
    context = multiprocessing.get_context("spawn")
    start, taken = context.Barrier(2), context.Queue()
    processes = [context.Process(target=take_all, args=(path, start, taken)) for _ in range(2)]
    for process in processes:
        process.start()
    one, other = (taken.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(timeout=60)
    assert sorted(one + other) == list(range(200))


def test_many_may_be_the_first_to_open_the_file(path: Path) -> None:
    stores = [SqlEphemeralStore(path) for _ in range(16)]
    counts = at_once(16, lambda number: stores[number].increment("tries:1", ttl=60))
    assert sorted(counts) == list(range(1, 17))
    for store in stores:
        store.close()
