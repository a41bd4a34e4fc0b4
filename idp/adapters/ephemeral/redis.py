"""The ephemeral store on Redis (6.2 or later): what production runs on.

One trip an operation. Scripts are sent once and called by their hash; each names all its keys as
arguments, because a cluster finds the node by them. Nothing is tried again here: after a broken
connection nobody knows whether the command took effect, so the caller is told and refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.ephemeral.redis_address import Address, parse_address
from idp.adapters.ephemeral.redis_lines import CommandRefused, Line, LineBroken, Lines, Script

_QUEUE_SECONDS = 2.0  # how long a thread waits for a free connection

_INCREMENT = Script("""
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
""")
_GIVE_BACK = Script("""
if (tonumber(redis.call('GET', KEYS[1])) or 0) > 0 then redis.call('DECR', KEYS[1]) end
""")
_COMPARE_AND_SET = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
""")


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except LineBroken as error:
        raise StoreUnavailable("Redis does not answer") from error
    except CommandRefused as error:
        # Only its first word (NOAUTH, WRONGPASS, …): what follows may repeat what was asked.
        raise StoreUnavailable(f"Redis refuses: {str(error).partition(' ')[0]}") from error


class RedisEphemeralStore:
    """An `EphemeralStore` in Redis; connects at the first operation, at most `connections` at once.

    All keys and channels begin with `prefix`. A counter and a value never share a key. Raises ValueError
    with a sentence where `url` is none of Redis.
    """

    def __init__(self, url: str, *, prefix: str = "idp:", connections: int = 64) -> None:
        self._address = parse_address(url)
        self._lines = Lines(self._address, most=connections, patience=_QUEUE_SECONDS)
        self._prefix = prefix

    def put(self, key: str, value: bytes, *, ttl: float) -> None:
        """Keep `value` for `ttl` seconds, in place of whatever was there."""
        self._ask("SET", self._name(key), value, "PX", _milliseconds(ttl))

    def put_if_absent(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep `value` unless a live one is there; True for the one caller who did."""
        return bool(self._ask("SET", self._name(key), value, "NX", "PX", _milliseconds(ttl)))

    def get(self, key: str) -> bytes | None:
        """Return the value, and leave it."""
        value: bytes | None = self._ask("GET", self._name(key))
        return value

    def get_many(self, *keys: str) -> tuple[bytes | None, ...]:
        """Return the values of several keys in their order, as they were at one moment, and leave them."""
        return tuple(self._ask("MGET", *map(self._name, keys))) if keys else ()

    def take(self, key: str) -> bytes | None:
        """Return the value and delete it in one step: of many callers one gets it."""
        value: bytes | None = self._ask("GETDEL", self._name(key))
        return value

    def increment(self, key: str, *, ttl: float) -> int:
        """Add one to a counter and return it; `ttl` counts from its birth and is not extended."""
        return int(self._run(_INCREMENT, key, _milliseconds(ttl)))

    def give_back(self, key: str) -> None:
        """Take one from a counter that is there, and never below zero; its time is not extended."""
        self._run(_GIVE_BACK, key)

    def remaining(self, key: str) -> float:
        """Return the seconds `key` has left, 0.0 if it is not there."""
        left = int(self._ask("PTTL", self._name(key)))
        # -2 means the key is not there; 0 means it is, for less than a millisecond.
        return max(left, 1) / 1000 if left >= 0 else 0.0

    def compare_and_set(self, key: str, old: bytes, new: bytes, *, ttl: float) -> bool:
        """Put `new` in the place of exactly `old`, for `ttl` seconds; False if anything else is there."""
        return bool(self._run(_COMPARE_AND_SET, key, old, new, _milliseconds(ttl)))

    def delete(self, *keys: str) -> None:
        """Forget these keys; the ones not there do not matter."""
        if keys:
            self._ask("DEL", *map(self._name, keys))

    def publish(self, channel: str, message: bytes) -> None:
        """Tell everyone who is subscribed to `channel` now."""
        self._ask("PUBLISH", self._name(channel), message)

    @contextmanager
    def subscribe(self, channel: str) -> Iterator[_RedisSubscription]:
        """Open an ear on `channel`: once entered, no later message is missed. Holds one connection."""
        ear = _RedisSubscription(self._address, self._name(channel))
        try:
            yield ear
        finally:
            ear.close()

    def ping(self) -> None:
        """Return if the store answers, else raise StoreUnavailable."""
        self._ask("PING")

    def purge(self) -> int:
        """Return 0: Redis drops what has expired by itself."""
        return 0

    def close(self) -> None:
        """Let go of the connections; the store can be used again afterwards."""
        self._lines.close()

    def _name(self, key: str) -> str:
        return self._prefix + key

    def _ask(self, *command: str | bytes | int) -> Any:
        with _outages():
            return self._lines.ask(*command)

    def _run(self, script: Script, key: str, *values: bytes | int) -> Any:
        with _outages():
            return self._lines.run(script, keys=(self._name(key),), values=values)


class _RedisSubscription:
    """One channel's messages, on a connection of their own. Raises StoreUnavailable."""

    def __init__(self, address: Address, channel: str) -> None:
        self._address, self._channel = address, channel
        self._line: Line | None = self._subscribed()

    def next(self, seconds: float) -> bytes | None:
        """Return the next message, waiting at most `seconds`; None at once after a reconnection."""
        if self._line is None:
            self._line = self._subscribed()
            return None  # what was said meanwhile is lost
        try:
            with _outages():
                self._line.wait_at_most(seconds)
                _kind, _channel, message = self._line.read()
        except TimeoutError:
            return None
        except StoreUnavailable:
            self.close()
            raise
        return bytes(message)

    def close(self) -> None:
        """Hear no more."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _subscribed(self) -> Line:
        with _outages():
            line = Line(self._address)
            try:
                # Until Redis has confirmed, a message of somebody else's connection may pass unheard.
                line.ask("SUBSCRIBE", self._channel)
            except (LineBroken, CommandRefused):
                line.close()
                raise
            return line


def _milliseconds(ttl: float) -> int:
    if ttl <= 0:
        raise ValueError("a ttl is above zero")
    return max(1, round(ttl * 1000))
