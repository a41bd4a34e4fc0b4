"""Slowing guesses down without locking the owner out (section Y).

Tries are counted per account, all its names together, in two kinds of bucket: each *known browser*
(it signed in to this account before) alone, all other browsers together. Strangers slow strangers,
never the owner in a known browser. The try is counted before the password is looked at, in the
ephemeral store, so neither parallel guesses nor a rolled-back request escape the count.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings

_REMEMBER = 24 * 3600
_SPRAY_WINDOW = 3600
_FRIENDLY = 30 * 86400


class Throttled(Exception):
    """Too many tries; `wait` is how long until the next one is looked at."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"wait {wait.total_seconds():.0f} s")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Try:
    """One try: which account, from which known browser or None, from which address."""

    account: str
    known_browser: str | None
    address: str

    @property
    def bucket(self) -> str:
        """The counter this try belongs to."""
        return f"try:{self.account}:{self.known_browser or 'strangers'}"

    @property
    def neighbourhood(self) -> str:
        """The address as far as one caller cannot change it at will: of IPv6 the first 64 bits."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        return (
            str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else self.address
        )


def admit(store: EphemeralStore, settings: Settings, attempt: Try, *, now: datetime) -> None:
    """Count `attempt` and return if its password may be looked at. Raises Throttled."""
    _slow_spraying(store, settings, attempt, now=now)
    mark = store.get(attempt.bucket + ":wait")
    _refuse_before(mark, now=now)
    tries = store.increment(attempt.bucket, ttl=_REMEMBER)
    if tries < settings.throttle_failures:
        return
    doublings = min(tries - settings.throttle_failures, 20)
    wait = min(settings.throttle_wait * 2**doublings, settings.throttle_wait_max)
    # One try a wait: whoever sets the mark goes on, all beside it are refused.
    if not _mark(store, attempt.bucket + ":wait", mark, until=now.timestamp() + wait, ttl=wait):
        raise Throttled(timedelta(seconds=wait))


def succeeded(store: EphemeralStore, attempt: Try) -> None:
    """Clear the bucket of a try whose password was right, and remember that the address is at home there."""
    store.delete(attempt.bucket, attempt.bucket + ":wait")
    if store.put_if_absent(_friend(attempt), b"1", ttl=_FRIENDLY):
        # An honest sign-in gives the address its next try back; one account gives it back once only.
        store.delete(f"spray-wait:{attempt.address}")


def failed(store: EphemeralStore, attempt: Try) -> None:
    """Note that this address failed on this account, once an hour and account."""
    if store.put_if_absent(f"spray:{attempt.neighbourhood}:{attempt.account}", b"1", ttl=_SPRAY_WINDOW):
        store.increment(f"spray:{attempt.neighbourhood}", ttl=_SPRAY_WINDOW)


def _slow_spraying(store: EphemeralStore, settings: Settings, attempt: Try, *, now: datetime) -> None:
    """An address that failed on many accounts gets one try a wait on accounts it never signed in to."""
    if attempt.known_browser:
        return
    failed_on = int(store.get(f"spray:{attempt.neighbourhood}") or b"0")
    if failed_on < settings.throttle_spray or store.get(_friend(attempt)):
        return
    key = f"spray-wait:{attempt.neighbourhood}"
    mark = store.get(key)
    _refuse_before(mark, now=now)
    wait = settings.throttle_wait
    if not _mark(store, key, mark, until=now.timestamp() + wait, ttl=wait):
        raise Throttled(timedelta(seconds=wait))


def _refuse_before(mark: bytes | None, *, now: datetime) -> None:
    if mark is not None and now.timestamp() < float(mark):
        raise Throttled(timedelta(seconds=float(mark) - now.timestamp()))


def _mark(store: EphemeralStore, key: str, old: bytes | None, *, until: float, ttl: float) -> bool:
    fresh = repr(until).encode()
    if old is None:
        return store.put_if_absent(key, fresh, ttl=ttl)
    return store.compare_and_set(key, old, fresh, ttl=ttl)


def _friend(attempt: Try) -> str:
    return f"friend:{attempt.neighbourhood}:{attempt.account}"
