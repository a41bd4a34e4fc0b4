"""How many messages with a code are sent: to a phone, from an address, and all together.

They count whatever the codes are for. Of a phone's day those that anybody may ask for get half, so that
strangers never use all of it up. A counter is named by its day or its hour, so that what is given back is
what was counted; the gap between two messages to a phone is given back by the message that holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.accounts.calendar import civil_day, day_begins
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault
from idp.proof.throttle import places

_DAY: Final = 86400
_HOUR: Final = 3600
_GAP: Final = "gap"
_OPEN: Final = "open"
_DAY_OF_PHONE: Final = "phone"
_FROM: Final = "address"
_FROM_AROUND: Final = "addresses around"
_ALL: Final = "all"
OF_SENDERS: Final = (_FROM, _FROM_AROUND, _ALL)
"""The bounds under which a message counts on though its number is nobody's: such are not free to try."""


class Limit(StrEnum):
    """Which bound a further message would pass."""

    GAP = "gap"
    PHONE = "phone"
    ADDRESS = "address"
    ALL = "all"


class SmsLimited(Exception):
    """No further message now: which bound, and how long until the next one may be asked for."""

    def __init__(self, limit: Limit, wait: timedelta) -> None:
        super().__init__(f"{limit}: wait {wait.total_seconds():.0f} s")
        self.limit = limit
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Tools:
    """What codes are sent with."""

    store: EphemeralStore
    vault: Vault
    settings: Settings


def count(
    tools: Tools, phone: str, address: str, ref: str, *, asked_by_anybody: bool, now: datetime
) -> dict[str, str]:
    """Count a message under every bound; the keys it counts under. Raises SmsLimited, having counted none.

    `ref` is the message's reference; `asked_by_anybody`: a stranger may have it sent to any phone he types.
    """
    store, settings = tools.store, tools.settings
    gap = gap_of(tools.vault, phone)
    if not store.put_if_absent(gap, ref.encode(), ttl=settings.sms_resend):
        raise SmsLimited(Limit.GAP, timedelta(seconds=max(1.0, store.remaining(gap))))
    counted = {_GAP: gap}
    for name, bound in _bounds(tools, phone, address, now=now).items():
        if name == _OPEN and not asked_by_anybody:
            continue
        counted[name] = bound.key
        if store.increment(bound.key, ttl=bound.ttl) > bound.most:
            give_back(store, counted, ref, *counted)
            raise SmsLimited(bound.limit, bound.wait)
    return counted


@dataclass(frozen=True, slots=True)
class _Bound:
    """At most so many under `key`; `wait` until the next may be asked for, `ttl` in seconds."""

    limit: Limit
    key: str
    most: int
    wait: timedelta
    ttl: int


def _bounds(tools: Tools, phone: str, address: str, *, now: datetime) -> dict[str, _Bound]:
    """The bounds of a message, the narrowest first."""
    settings, number = tools.settings, _numbered(tools.vault, phone)
    today, hour = civil_day(now), int(now.timestamp()) // _HOUR
    tomorrow = day_begins(today + timedelta(days=1)) - now
    next_hour = timedelta(seconds=(hour + 1) * _HOUR - now.timestamp())
    a_day, half = settings.sms_a_day, max(1, settings.sms_a_day // 2)
    bounds = {
        _OPEN: _Bound(Limit.PHONE, f"sms-open:{number}:{today}", half, tomorrow, _DAY),
        _DAY_OF_PHONE: _Bound(Limit.PHONE, f"sms-day:{number}:{today}", a_day, tomorrow, _DAY),
    }
    for name, place in zip((_FROM, _FROM_AROUND), places(address), strict=False):
        most = settings.sms_an_address * place.times
        bounds[name] = _Bound(Limit.ADDRESS, f"sms-from:{place.name}:{hour}", most, next_hour, _HOUR)
    bounds[_ALL] = _Bound(Limit.ALL, f"sms-all:{hour}", settings.sms_an_hour, next_hour, _HOUR)
    return bounds


def give_back(store: EphemeralStore, counted: dict[str, str], ref: str, *bounds: str) -> None:
    """What a message counted under these bounds counts no more; the gap is let go if it is still its own."""
    for bound in bounds:
        key = counted[bound]
        if bound != _GAP:
            store.give_back(key)
        elif store.get(key) == ref.encode():
            store.delete(key)


def seconds_until_next(store: EphemeralStore, vault: Vault, phone: str) -> int:
    """How long until another code may be sent to `phone`; 0 where one may be now."""
    return -int(-store.remaining(gap_of(vault, phone)) // 1)


def gap_of(vault: Vault, phone: str) -> str:
    """The key of the time between two messages to `phone`."""
    return f"sms-gap:{_numbered(vault, phone)}"


def _numbered(vault: Vault, phone: str) -> str:
    """The phone as the store knows it: nobody who reads there learns a number."""
    return vault.index("sms_phone", phone).hex()
