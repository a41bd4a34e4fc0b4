"""Slowing guesses down without locking the owner out (section Y).

Tries are counted per account, all its names together, in two kinds of bucket: each *known browser*
(it signed in to this account before) alone, all other browsers together. Strangers slow strangers,
never the owner in a known browser. The try is counted before the password is looked at, in the
ephemeral store, so neither parallel guesses nor a rolled-back request escape the count.
Where few guesses are too many already, tries of all browsers are counted together beside them.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings

_REMEMBER = 24 * 3600
_SPRAY_WINDOW = 3600
_FRIENDLY = 30 * 86400
_HOUR = 3600
_AROUND = 8
"""How many times as much as one line is let do all lines of its IPv6 /48: one caller may have them all."""


class Throttled(Exception):
    """Too many tries; `wait` is how long until the next one is looked at.

    `spares_known`: the browsers that the account knows need not wait.
    """

    def __init__(self, wait: timedelta, *, spares_known: bool = False) -> None:
        super().__init__(f"wait {wait.total_seconds():.0f} s")
        self.wait = wait
        self.spares_known = spares_known


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller is, and how many `times` as much as from one line may come from there."""

    name: str
    times: int

    @property
    def spray(self) -> str:
        """The counter of accounts the place failed on."""
        return f"spray:{self.name}"

    @property
    def spray_wait(self) -> str:
        """Until when the place gets no try on an account that is not at home there."""
        return f"spray-wait:{self.name}"


@dataclass(frozen=True)
class Try:
    """One try: which account, from which known browser or None, from which address.

    Its properties are the keys of what is known about it.
    """

    account: str
    known_browser: str | None
    address: str

    @property
    def bucket(self) -> str:
        """The counter this try belongs to."""
        return f"try:{self.account}:{self.known_browser or 'strangers'}"

    @property
    def bucket_wait(self) -> str:
        """Until when no try of the bucket is looked at."""
        return f"{self.bucket}:wait"

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where the try comes from, the neighbourhood first."""
        return places(self.address)

    @property
    def neighbourhood(self) -> str:
        """The address as far as one caller cannot change it at will (:func:`neighbourhood`)."""
        return self.places[0].name

    @property
    def friend(self) -> str:
        """The mark of an account that is at home in the neighbourhood, as it signed in from there."""
        return f"friend:{self.neighbourhood}:{self.account}"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What is counted together whatever the browser: `most` in an hour, from then on one each `wait` (s)."""

    name: str
    most: int
    wait: int

    def counter(self, now: datetime) -> str:
        """The counter of this hour: named by it, so that the clock of the caller decides."""
        return f"ceiling:{self.name}:{int(now.timestamp()) // _HOUR}"

    @property
    def mark(self) -> str:
        """Until when nothing under it is looked at."""
        return f"ceiling-wait:{self.name}"


def neighbourhood(address: str) -> str:
    """The part of an address that one caller cannot change at will: of IPv6 the first 64 bits."""
    return places(address)[0].name


def places(address: str) -> tuple[Place, ...]:
    """The neighbourhood of an address; for IPv6 also the /48 around it: one caller may have all of that."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return (Place(address, 1),)
    # A socket for both kinds shows IPv4 inside IPv6 (RFC 4291 §2.5.5.2): all of it is one /64.
    found = getattr(found, "ipv4_mapped", None) or found
    if found.version == 4:
        return (Place(str(found), 1),)
    line, around = (str(ipaddress.ip_network((found.packed, bits), strict=False)) for bits in (64, 48))
    return (Place(line, 1), Place(around, _AROUND))


def admit(store: EphemeralStore, settings: Settings, attempt: Try, *, now: datetime) -> bool:
    """Count `attempt` and return if its password may be looked at: whether its account is at home there.

    Raises Throttled.
    """
    try:
        return _admit(store, settings, attempt, now=now)
    except Throttled as slowed:
        slowed.spares_known = attempt.known_browser is None
        raise


def count_below(store: EphemeralStore, ceiling: Ceiling, *, now: datetime) -> None:
    """Count a try under `ceiling` and return if it may be looked at. Raises Throttled."""
    mark = store.get(ceiling.mark)
    _refuse_before(mark, now=now)
    if store.increment(ceiling.counter(now), ttl=_HOUR) > ceiling.most:
        _take_turn(store, ceiling.mark, mark, wait=ceiling.wait, now=now)


def check_below(store: EphemeralStore, ceiling: Ceiling, *, now: datetime) -> bool:
    """The same where failures alone are counted (:func:`count_failure`); whether the one turn was taken.

    Raises Throttled.
    """
    failures, mark = store.get_many(ceiling.counter(now), ceiling.mark)
    _refuse_before(mark, now=now)
    is_full = int(failures or b"0") >= ceiling.most
    if is_full:
        _take_turn(store, ceiling.mark, mark, wait=ceiling.wait, now=now)
    return is_full


def count_failure(store: EphemeralStore, ceiling: Ceiling, *, now: datetime) -> None:
    """Note a failure under `ceiling`."""
    store.increment(ceiling.counter(now), ttl=_HOUR)


def clear(store: EphemeralStore, ceiling: Ceiling, *, now: datetime) -> None:
    """Forget what was counted under `ceiling` in this hour."""
    store.delete(ceiling.counter(now), ceiling.mark)


def _admit(store: EphemeralStore, settings: Settings, attempt: Try, *, now: datetime) -> bool:
    of_places = [key for place in attempt.places for key in (place.spray, place.spray_wait)]
    friend, mark, *known = store.get_many(attempt.friend, attempt.bucket_wait, *of_places)
    at_home = friend is not None
    # An address that failed on many accounts gets one try a wait on accounts it never signed in to.
    if not attempt.known_browser and not at_home:
        for place, failed_on, spray_mark in zip(attempt.places, known[::2], known[1::2], strict=True):
            if int(failed_on or b"0") >= settings.throttle_spray * place.times:
                _refuse_before(spray_mark, now=now)
                _take_turn(store, place.spray_wait, spray_mark, wait=settings.throttle_wait, now=now)
    _refuse_before(mark, now=now)
    tries = store.increment(attempt.bucket, ttl=_REMEMBER)
    if tries >= settings.throttle_failures:
        doublings = min(tries - settings.throttle_failures, 20)
        wait = min(settings.throttle_wait * 2**doublings, settings.throttle_wait_max)
        _take_turn(store, attempt.bucket_wait, mark, wait=wait, now=now)
    return at_home


def succeeded(store: EphemeralStore, attempt: Try, *, at_home: bool) -> None:
    """Clear the bucket of a try whose password was right, and remember that the account is at home there.

    `at_home` is what :func:`admit` said.
    """
    settled = [attempt.bucket, attempt.bucket_wait]
    if not at_home and store.put_if_absent(attempt.friend, b"1", ttl=_FRIENDLY):
        # An honest sign-in gives the address its next try back; one account gives it back once only. The /48
        # gets none: an account is at home in a line, and would give one back for each line there is.
        settled.append(attempt.places[0].spray_wait)
    store.delete(*settled)


def forgive(store: EphemeralStore, attempt: Try) -> None:
    """Clear the bucket of `attempt`: the password that was guessed at is another one now."""
    store.delete(attempt.bucket, attempt.bucket_wait)


def failed(store: EphemeralStore, attempt: Try) -> None:
    """Note that this address failed on this account, once an hour, account and place."""
    for place in attempt.places:
        if store.put_if_absent(f"{place.spray}:{attempt.account}", b"1", ttl=_SPRAY_WINDOW):
            store.increment(place.spray, ttl=_SPRAY_WINDOW)


def _refuse_before(mark: bytes | None, *, now: datetime) -> None:
    if mark is not None and now.timestamp() < float(mark):
        raise Throttled(timedelta(seconds=float(mark) - now.timestamp()))


def _take_turn(store: EphemeralStore, key: str, mark: bytes | None, *, wait: float, now: datetime) -> None:
    """One try a wait: whoever puts a new mark in the place of `mark` goes on, all beside it are refused."""
    fresh = repr(now.timestamp() + wait).encode()
    if mark is None:
        is_ours = store.put_if_absent(key, fresh, ttl=wait)
    else:
        is_ours = store.compare_and_set(key, mark, fresh, ttl=wait)
    if not is_ours:
        raise Throttled(timedelta(seconds=wait))
