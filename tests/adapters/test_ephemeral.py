"""One conformance suite for both ephemeral stores; what each promises alone stands in its own file."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from idp.adapters.ephemeral import EphemeralStore, StoreUnavailable
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from tests.adapters.arrange import Clock, at_once

CLOSED_PORT = "redis://127.0.0.1:1/0"


class SqlWorld:
    """The SQL store, whose time is ours."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = SqlEphemeralStore(path, clock=self.clock)

    def outlast(self, key: str) -> None:
        self.clock.now += self.store.remaining(key) + 0.001


class RedisWorld:
    """The Redis store, whose time is real and therefore short."""

    def __init__(self, url: str, prefix: str) -> None:
        self.store = RedisEphemeralStore(url, prefix=prefix)

    def outlast(self, key: str) -> None:
        deadline = time.monotonic() + 5
        while self.store.remaining(key) and time.monotonic() < deadline:
            pass


World = SqlWorld | RedisWorld


@pytest.fixture(params=["sql", "redis"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world: World
    if request.param == "sql":
        world = SqlWorld(tmp_path / "ephemeral.db")
    else:
        world = RedisWorld(*map(request.getfixturevalue, ("redis_url", "redis_prefix")))
    yield world
    world.store.close()


@pytest.fixture
def store(world: World) -> EphemeralStore:
    return world.store


def test_a_value_is_there_until_it_is_taken(store: EphemeralStore) -> None:
    store.put("code:1", b"\x00\xffvalue", ttl=60)
    assert store.get("code:1") == b"\x00\xffvalue"
    assert store.take("code:1") == b"\x00\xffvalue"
    assert store.take("code:1") is None
    assert store.get("code:1") is None


def test_an_unknown_key_has_nothing(store: EphemeralStore) -> None:
    assert store.get("code:1") is None
    assert store.take("code:1") is None
    assert store.remaining("code:1") == 0.0


def test_several_keys_are_read_at_once_in_the_order_asked(world: World) -> None:
    store = world.store
    store.put("mark:1", b"one", ttl=60)
    store.put("mark:2", b"", ttl=60)
    store.put("mark:over", b"gone", ttl=0.05)
    store.increment("tries:1", ttl=60)
    world.outlast("mark:over")
    asked = ("tries:1", "mark:over", "mark:2", "mark:unknown", "mark:1", "tries:1")
    assert store.get_many(*asked) == (b"1", None, b"", None, b"one", b"1")
    assert store.get_many() == ()
    assert store.get("mark:1") == b"one"


def test_an_empty_value_is_not_an_absent_one(store: EphemeralStore) -> None:
    store.put("mark:1", b"", ttl=60)
    assert store.get("mark:1") == b""
    assert not store.put_if_absent("mark:1", b"later", ttl=60)
    assert store.take("mark:1") == b""


def test_a_second_put_replaces_value_and_time(store: EphemeralStore) -> None:
    store.put("code:1", b"first", ttl=10)
    store.put("code:1", b"second", ttl=100)
    assert store.get("code:1") == b"second"
    assert 90 < store.remaining("code:1") <= 100


def test_only_the_first_of_two_puts_if_absent_wins(store: EphemeralStore) -> None:
    assert store.put_if_absent("jti:1", b"first", ttl=60)
    assert not store.put_if_absent("jti:1", b"second", ttl=600)
    assert store.get("jti:1") == b"first"
    assert store.remaining("jti:1") <= 60


def test_nothing_outlives_its_time(world: World) -> None:
    store = world.store
    store.put("code:1", b"value", ttl=0.05)
    store.put("code:2", b"value", ttl=600)
    world.outlast("code:1")
    assert store.get("code:1") is None
    assert not store.compare_and_set("code:1", b"value", b"next", ttl=60)
    assert store.take("code:1") is None
    assert store.get("code:2") == b"value"


def test_an_expired_key_is_free_again(world: World) -> None:
    world.store.put("jti:1", b"first", ttl=0.05)
    world.outlast("jti:1")
    assert world.store.put_if_absent("jti:1", b"second", ttl=60)
    assert world.store.get("jti:1") == b"second"


def test_a_counter_counts_and_its_time_is_not_extended(world: World) -> None:
    assert world.store.increment("tries:1", ttl=0.5) == 1
    assert world.store.increment("tries:1", ttl=600) == 2
    assert world.store.get("tries:1") == b"2"
    assert 0 < world.store.remaining("tries:1") < 1
    world.outlast("tries:1")
    assert world.store.increment("tries:1", ttl=60) == 1


def test_compare_and_set_needs_exactly_the_old_value(store: EphemeralStore) -> None:
    store.put("ticket:1", b"waiting", ttl=10)
    assert not store.compare_and_set("ticket:1", b"scanned", b"confirmed", ttl=60)
    assert not store.compare_and_set("ticket:2", b"waiting", b"scanned", ttl=60)
    assert store.compare_and_set("ticket:1", b"waiting", b"scanned", ttl=60)
    assert store.get("ticket:1") == b"scanned"
    assert store.remaining("ticket:1") > 10
    assert store.get("ticket:2") is None


def test_delete_forgets_every_key_named(store: EphemeralStore) -> None:
    store.put("code:1", b"1", ttl=60)
    store.put("code:2", b"2", ttl=60)
    store.put("code:3", b"3", ttl=60)
    store.delete("code:1", "code:2", "code:unknown")
    store.delete()
    assert [store.get(f"code:{number}") for number in (1, 2, 3)] == [None, None, b"3"]


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_time_to_live_is_above_zero(store: EphemeralStore, ttl: int) -> None:
    for write in (
        lambda: store.put("code:1", b"1", ttl=ttl),
        lambda: store.put_if_absent("code:1", b"1", ttl=ttl),
        lambda: store.increment("code:1", ttl=ttl),
        lambda: store.compare_and_set("code:1", b"1", b"2", ttl=ttl),
    ):
        with pytest.raises(ValueError, match="above zero"):
            write()
    assert store.get("code:1") is None


def test_keys_and_values_may_hold_anything(store: EphemeralStore) -> None:
    for key in ("通行:验证码", "with space", "nul\x00byte", "nul\x00other", "x" * 5000):
        value = key.encode() + bytes(range(256))
        store.put(key, value, ttl=60)
        assert store.get(key) == value
    assert store.get("nul") is None


def test_of_many_takers_one_wins(store: EphemeralStore) -> None:
    for _ in range(5):
        store.put("code:1", b"value", ttl=60)
        taken = at_once(32, lambda _: store.take("code:1"))
        assert taken.count(b"value") == 1
        assert taken.count(None) == 31


def test_of_many_puts_if_absent_one_wins(store: EphemeralStore) -> None:
    won = at_once(32, lambda number: store.put_if_absent("jti:1", b"%d" % number, ttl=60))
    assert won.count(True) == 1
    assert store.get("jti:1") == b"%d" % won.index(True)


def test_what_is_given_back_can_be_counted_again_and_a_counter_never_goes_below_zero(
    store: EphemeralStore,
) -> None:
    store.give_back("sends:1")
    assert store.get("sends:1") is None
    assert [store.increment("sends:1", ttl=60) for _ in range(3)] == [1, 2, 3]
    left = store.remaining("sends:1")
    store.give_back("sends:1")
    assert store.increment("sends:1", ttl=600) == 3
    assert store.remaining("sends:1") <= left
    for _ in range(5):
        store.give_back("sends:1")
    assert store.increment("sends:1", ttl=60) == 1


def test_nothing_is_given_back_to_a_counter_whose_time_is_over(world: World) -> None:
    world.store.increment("sends:1", ttl=0.3)
    world.outlast("sends:1")
    world.store.give_back("sends:1")
    assert world.store.get("sends:1") is None


def test_no_increment_is_lost_or_doubled(store: EphemeralStore) -> None:
    assert sorted(at_once(50, lambda _: store.increment("tries:1", ttl=60))) == list(range(1, 51))


def test_of_many_swaps_one_wins(store: EphemeralStore) -> None:
    store.put("ticket:1", b"waiting", ttl=60)
    won = at_once(
        32, lambda number: store.compare_and_set("ticket:1", b"waiting", b"scanned by %d" % number, ttl=60)
    )
    assert won.count(True) == 1
    assert store.get("ticket:1") == b"scanned by %d" % won.index(True)


def test_a_subscriber_hears_what_is_said_after_it_subscribed_in_order(store: EphemeralStore) -> None:
    store.publish("ticket:1", b"before")
    with store.subscribe("ticket:1") as ear:
        store.publish("ticket:1", b"one")
        store.publish("ticket:2", b"elsewhere")
        store.publish("ticket:1", b"two")
        assert ear.next(5) == b"one"
        assert ear.next(5) == b"two"
        assert ear.next(0) is None


def test_every_subscriber_hears(store: EphemeralStore) -> None:
    with store.subscribe("ticket:1") as one, store.subscribe("ticket:1") as other:
        store.publish("ticket:1", b"scanned")
        assert one.next(5) == b"scanned"
        assert other.next(5) == b"scanned"


def test_a_waiting_subscriber_is_woken_by_another_thread(store: EphemeralStore) -> None:
    with store.subscribe("ticket:1") as ear, ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ear.next, 10)
        store.publish("ticket:1", b"scanned")
        assert waiting.result(timeout=10) == b"scanned"


def test_a_subscriber_waits_no_longer_than_asked(store: EphemeralStore) -> None:
    with store.subscribe("ticket:1") as ear:
        began = time.monotonic()
        assert ear.next(0.1) is None
        assert 0.09 <= time.monotonic() - began < 5


def test_a_living_store_answers_a_ping(store: EphemeralStore) -> None:
    store.ping()


def test_a_closed_store_opens_again(store: EphemeralStore) -> None:
    store.put("code:1", b"value", ttl=60)
    store.close()
    assert store.get("code:1") == b"value"


def a_store_that_is_not_there(kind: str, tmp_path: Path) -> EphemeralStore:
    if kind == "redis":
        return RedisEphemeralStore(CLOSED_PORT)
    a_file = tmp_path / "a file"
    a_file.touch()
    return SqlEphemeralStore(a_file / "ephemeral.db" if kind == "sql" else tmp_path)


@pytest.mark.parametrize("kind", ["sql", "sql, a directory", "redis"])
def test_a_store_that_does_not_answer_says_so(kind: str, tmp_path: Path) -> None:
    store = a_store_that_is_not_there(kind, tmp_path)
    for operation in (
        lambda: store.put("key", b"value", ttl=60),
        lambda: store.put_if_absent("key", b"value", ttl=60),
        lambda: store.get("key"),
        lambda: store.take("key"),
        lambda: store.increment("key", ttl=60),
        lambda: store.give_back("key"),
        lambda: store.remaining("key"),
        lambda: store.compare_and_set("key", b"value", b"next", ttl=60),
        lambda: store.delete("key"),
        lambda: store.publish("channel", b"message"),
        lambda: store.subscribe("channel").__enter__(),
        store.ping,
    ):
        with pytest.raises(StoreUnavailable):
            operation()
    store.close()
