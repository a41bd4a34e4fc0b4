"""What the ephemeral store on Redis promises beyond the conformance suite."""

import os
import secrets
import socket
import threading
from collections.abc import Iterator

import pytest
import redis

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.redis_address import parse_address
from idp.adapters.ephemeral.redis_lines import CommandRefused, LineBroken, Lines, Script
from tests.adapters.arrange import at_once


@pytest.fixture
def store(redis_url: str, redis_prefix: str) -> Iterator[RedisEphemeralStore]:
    store = RedisEphemeralStore(redis_url, prefix=redis_prefix)
    yield store
    store.close()


@pytest.fixture
def lines(redis_url: str) -> Iterator[Lines]:
    """One line, at most."""
    lines = Lines(parse_address(redis_url), most=1, patience=1)
    yield lines
    lines.close()


def test_a_script_redis_does_not_know_is_sent_to_it(lines: Lines) -> None:
    never_heard = Script(f"return '{secrets.token_hex(8)}'")
    assert lines.run(never_heard, keys=()) == lines.run(never_heard, keys=())


def test_a_refused_command_leaves_its_line_in_use(lines: Lines, redis_prefix: str) -> None:
    lines.ask("SET", f"{redis_prefix}word", b"no number", "PX", 60_000)
    before = lines.ask("CLIENT", "ID")
    for _ in range(3):
        with pytest.raises(CommandRefused):
            lines.ask("INCR", f"{redis_prefix}word")
    assert lines.ask("GET", f"{redis_prefix}word") == b"no number"
    assert lines.ask("CLIENT", "ID") == before


def test_an_answer_that_came_too_late_is_never_taken_for_the_next_one(
    lines: Lines, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.adapters.ephemeral.redis_lines.ANSWER_SECONDS", 0.2)
    with pytest.raises(LineBroken):
        lines.ask("BLPOP", f"{redis_prefix}nothing", 1)
    assert lines.ask("ECHO", b"mine") == b"mine"


def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one() -> None:
    """What one read brought beside the answer, as a faulty proxy may."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for said in (b"$5\r\nalice\r\n$3\r\nbob\r\n", b"$5\r\ncarol\r\n"):
                with server.accept()[0] as call:
                    call.recv(1000)
                    call.sendall(said)
                    call.recv(1000)  # until he hangs up

        answering = threading.Thread(target=answer)
        answering.start()
        lines = Lines(parse_address(f"redis://127.0.0.1:{server.getsockname()[1]}"), most=1, patience=1)
        assert [lines.ask("GET", name) for name in "ac"] == [b"alice", b"carol"]
        lines.close()
        answering.join(10)


def test_a_process_that_was_forked_off_speaks_on_a_line_of_its_own(lines: Lines) -> None:
    before = lines.ask("CLIENT", "ID")
    hear, tell = os.pipe()
    if os.fork() == 0:
        os.write(tell, str(lines.ask("CLIENT", "ID")).encode())
        os._exit(0)
    os.wait()
    assert int(os.read(hear, 20)) != before
    assert lines.ask("CLIENT", "ID") == before
    os.close(hear)
    os.close(tell)


class NamedWorld:
    """A store whose connections Redis can be told to close."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url, self.name = url, secrets.token_hex(8)
        self.store = RedisEphemeralStore(f"{url}?client_name={self.name}", prefix=prefix)

    def hang_up(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            for line in client.client_list():
                if line["name"] == self.name:
                    client.execute_command("CLIENT", "KILL", "ID", line["id"])


@pytest.fixture
def named(redis_url: str, redis_prefix: str) -> Iterator[NamedWorld]:
    named = NamedWorld(redis_url, redis_prefix)
    yield named
    named.store.close()


def test_a_broken_line_tells_the_subscriber_and_mends(named: NamedWorld, store: RedisEphemeralStore) -> None:
    with named.store.subscribe("ticket:1") as ear:
        named.hang_up()
        with pytest.raises(StoreUnavailable):
            ear.next(5)
        assert ear.next(5) is None  # at once: the state is to be read again
        store.publish("ticket:1", b"scanned")
        assert ear.next(5) == b"scanned"


def test_an_idle_connection_that_broke_is_replaced_silently(named: NamedWorld) -> None:
    named.store.put("code:1", b"value", ttl=60)
    named.hang_up()
    assert named.store.get("code:1") == b"value"


def test_more_threads_than_connections_wait_their_turn(redis_url: str, redis_prefix: str) -> None:
    narrow = RedisEphemeralStore(redis_url, prefix=redis_prefix, connections=2)
    assert sorted(at_once(24, lambda _: narrow.increment("tries:1", ttl=60))) == list(range(1, 25))
    narrow.close()


def test_whoever_listens_finds_a_line_when_all_others_were_used(redis_url: str, redis_prefix: str) -> None:
    narrow = RedisEphemeralStore(redis_url, prefix=redis_prefix, connections=2)
    at_once(8, lambda _: narrow.increment("tries:1", ttl=60))
    with narrow.subscribe("ticket:1") as ear:
        narrow.publish("ticket:1", b"scanned")
        assert ear.next(5) == b"scanned"
    narrow.close()
