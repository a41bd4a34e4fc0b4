"""Short-lived facts that every process shares: codes, tickets, counters, replay marks.

`EphemeralStore` is the port. `sql.py` keeps it in a SQLite file of its own (the embedded default),
`redis.py` in Redis (production); one conformance suite runs against both.

Each operation is one trip, takes effect at once and stands outside the request's database
transaction: a rolled-back request never gives a try back. What is kept here may be lost, and whoever
finds it gone refuses rather than guesses.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["EphemeralStore", "StoreUnavailable", "Subscription"]


class StoreUnavailable(Exception):
    """The store does not answer: nothing is known, and the operation may or may not have happened."""


class Subscription(Protocol):
    """An open ear on one channel. Subscribe first, then read the state, then wait."""

    def next(self, seconds: float) -> bytes | None:
        """Return the next message, waiting at most `seconds`.

        None says the time is up or the line was broken for a moment: either way read the state again.
        A message is a hint; the state it speaks of is the truth.

        Raises StoreUnavailable.
        """
        ...


class EphemeralStore(Protocol):
    """Keys are text with a purpose in front (`captcha:…`), values bytes, `ttl` seconds above zero.

    Every operation raises StoreUnavailable when the store does not answer, and never an exception of
    its driver; a `ttl` of zero or less is a ValueError.
    """

    def put(self, key: str, value: bytes, *, ttl: float) -> None:
        """Keep `value` for `ttl` seconds, in place of whatever was there."""
        ...

    def put_if_absent(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep `value` unless a live one is there; True for the one caller who did."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return the value, and leave it."""
        ...

    def get_many(self, *keys: str) -> tuple[bytes | None, ...]:
        """Return the values of several keys in their order, as they were at one moment, and leave them."""
        ...

    def take(self, key: str) -> bytes | None:
        """Return the value and delete it in one step: of many callers one gets it."""
        ...

    def increment(self, key: str, *, ttl: float) -> int:
        """Add one to a counter and return it; `ttl` counts from its birth and is not extended."""
        ...

    def give_back(self, key: str) -> None:
        """Take one from a counter that is there, and never below zero; its time is not extended."""
        ...

    def remaining(self, key: str) -> float:
        """Return the seconds `key` has left, 0.0 if it is not there."""
        ...

    def compare_and_set(self, key: str, old: bytes, new: bytes, *, ttl: float) -> bool:
        """Put `new` in the place of exactly `old`, for `ttl` seconds; False if anything else is there."""
        ...

    def delete(self, *keys: str) -> None:
        """Forget these keys; the ones not there do not matter."""
        ...

    def publish(self, channel: str, message: bytes) -> None:
        """Tell everyone who is subscribed to `channel` now."""
        ...

    def subscribe(self, channel: str) -> AbstractContextManager[Subscription]:
        """Open an ear on `channel`: once entered, no later message is missed."""
        ...

    def ping(self) -> None:
        """Return if the store answers, else raise StoreUnavailable."""
        ...

    def purge(self) -> int:
        """Drop what has expired, and return how many rows went (0 where the store does it itself)."""
        ...

    def close(self) -> None:
        """Let go of the connections; the store can be used again afterwards."""
        ...
