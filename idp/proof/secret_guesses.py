"""Guessing a client's secret: so many failures a minute for one client from one neighbourhood.

An honest client costs nothing: the counter in the ephemeral store is asked only where this process
saw a failure of the pair not long ago. From then on each try is counted before the secret is
compared, so that guesses side by side pass the limit by no more than one a process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token
from idp.proof.throttle import neighbourhood

WINDOW = 60
MOST_FAILURES = 10
_MOST_REMEMBERED = 10_000


class TooManyFailures(Exception):
    """The secret was not compared; another try counts after WINDOW seconds."""


class SecretGuesses:
    """What one process remembers of failures. One object an application."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._comparing = threading.Lock()

    def compare(
        self,
        store: EphemeralStore,
        client_id: str,
        address: str,
        is_right: Callable[[], bool],
        *,
        now: datetime,
    ) -> bool:
        """What `is_right` says, asked unless there were too many failures. Raises TooManyFailures."""
        pair = (client_id[:64], neighbourhood(address))
        # One comparison at a time, as it takes microseconds: the second of two guesses knows of the first.
        with self._comparing:
            suspected = self._is_suspected(pair, now=now)
            if not suspected:
                right = is_right()
                if not right:
                    self._suspect(pair, now=now)
                return right
        counter = f"secret-guesses:{hash_token(repr(pair)).hex()}"
        if store.increment(counter, ttl=WINDOW) > MOST_FAILURES:
            raise TooManyFailures
        right = is_right()
        if right:
            store.delete(counter)
            with self._comparing:
                self._failed.pop(pair, None)
        return right

    def _is_suspected(self, pair: tuple[str, str], *, now: datetime) -> bool:
        since = self._failed.get(pair)
        return since is not None and now - since < timedelta(seconds=WINDOW)

    def _suspect(self, pair: tuple[str, str], *, now: datetime) -> None:
        self._failed[pair] = now
        self._failed.move_to_end(pair)
        if len(self._failed) > _MOST_REMEMBERED:
            self._failed.popitem(last=False)
