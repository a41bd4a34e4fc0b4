"""Device authorizations (RFC 8628): a device asks, a person answers in a browser of his own.

One record in the ephemeral store, found by the hash of the device code. It only moves forward, each
step by a compare-and-set, the last by a take:

    waiting → entered → allowed or denied → taken by the token endpoint

``entered`` names the browser in which the code was typed first: from then on nobody else can answer,
and that browser may reload, go back and type the code again. Polling never writes to this record, so
that it cannot overtake the person; how fast a device polls is kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access.grants import CodeRecord, GrantRefused, end_replayed
from idp.access.user_codes import new_user_code
from idp.accounts.sessions import SigninSession
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token, keyed_digest, new_token, same

DEVICE_LIFE = 600
"""Seconds a person has to answer (`expires_in`)."""
INTERVAL = 5
"""Seconds between two polls (RFC 8628 §3.2), and what a poll that comes too soon adds to them (§3.5)."""
_LONGEST_INTERVAL = 60
_NETWORK_JITTER = 1.0
_CLOCK_SKEW_SECONDS = 8
_BOUND = b"device"


class DevicePending(GrantRefused):
    """Nobody has answered yet."""


class PolledTooSoon(GrantRefused):
    """The device polls faster than it was told; the interval has grown."""


class DeviceDenied(GrantRefused):
    """The person refused."""


class DeviceExpired(GrantRefused):
    """Nobody answered in time, or the device did not come back for the answer."""


class DeviceCodeRefused(GrantRefused):
    """Unknown, spent, or another client's."""


class DeviceKeyDiffers(GrantRefused):
    """The code is bound to another DPoP key, or to one that was not proved now."""


class UserCodeRefused(Exception):
    """No device shows this code now."""


class TypedElsewhere(Exception):
    """The code was typed in another browser first."""


class NotToAnswer(Exception):
    """This browser has nothing to answer: expired, answered, or not typed here."""


class State(StrEnum):
    """How far a device authorization has come."""

    WAITING = "waiting"
    ENTERED = "entered"
    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """What a device asked for and what became of it. Times are seconds since the epoch.

    `dpop_jkt` is the key proved with the request, `params` what else the request fixed. The last four are
    what was allowed rests on (see :class:`idp.access.grants.CodeRecord`).
    """

    client_id: str
    scope: str
    resources: tuple[str, ...]
    dpop_jkt: str | None
    params: dict[str, str]
    created_at: float
    expires_at: float
    state: State = State.WAITING
    browser: str = ""
    session_id: str = ""
    acr: str | None = None
    amr: str | None = None
    consent: str | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it is in its time; a clock that was set back revives nothing."""
        return self.created_at - _CLOCK_SKEW_SECONDS <= now.timestamp() < self.expires_at

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was asked for."""
        return tuple(self.scope.split())


@dataclass(frozen=True, slots=True)
class Begun:
    """What the device is told: its own secret code, and the one to show."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A device authorization whose code was typed in this browser."""

    id: str
    authorization: DeviceAuthorization


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast a device may poll, and the key it proved first."""

    interval: int
    next_at: float
    jkt: str | None


def begin(
    store: EphemeralStore,
    *,
    client_id: str,
    scope: str,
    resources: tuple[str, ...] = (),
    dpop_jkt: str | None = None,
    params: dict[str, str] | None = None,
    now: datetime,
) -> Begun:
    """Open a device authorization. Of the device code only the hash is kept."""
    device_code, began = new_token(), now.timestamp()
    asked = DeviceAuthorization(
        client_id, scope, resources, dpop_jkt, params or {}, began, began + DEVICE_LIFE
    )
    device_id = hash_token(device_code).hex()
    store.put(_kept_at(device_id), _packed(asked), ttl=_ttl(asked, now))
    user_code = new_user_code()
    # Two devices must not show the same code.
    while not store.put_if_absent(_typed_at(user_code), device_id.encode(), ttl=DEVICE_LIFE):
        user_code = new_user_code()
    return Begun(device_code, user_code)


def enter(store: EphemeralStore, user_code: str, *, browser: str, now: datetime) -> Entered:
    """Take the code for this browser; typing it here again changes nothing. The try was counted before.

    Raises UserCodeRefused, TypedElsewhere.
    """
    found = store.get(_typed_at(user_code))
    if found is None:
        raise UserCodeRefused
    device_id = found.decode()
    packed, asked = _read(store, device_id)
    if packed and asked and asked.state is State.WAITING and asked.counts(now):
        entered = replace(asked, state=State.ENTERED, browser=keyed_digest(_BOUND, browser))
        if store.compare_and_set(_kept_at(device_id), packed, _packed(entered), ttl=_ttl(asked, now)):
            return Entered(device_id, entered)
        _, asked = _read(store, device_id)
    if asked is None or not asked.counts(now) or asked.state in {State.ALLOWED, State.DENIED}:
        raise UserCodeRefused
    if not _is_of(asked, browser):
        raise TypedElsewhere
    return Entered(device_id, asked)


def to_answer(store: EphemeralStore, device_id: str, *, browser: str, now: datetime) -> DeviceAuthorization:
    """What this browser is asked. Raises NotToAnswer."""
    return _to_answer(store, device_id, browser, now)[1]


def answer(
    store: EphemeralStore,
    device_id: str,
    *,
    allowed_in: SigninSession | None,
    consent: UUID | None = None,
    browser: str,
    now: datetime,
) -> None:
    """Decide, once and for good: allowed in a sign-in, or denied with None. Raises NotToAnswer.

    `consent` is what a third party's device was allowed by, committed already: it may poll at once.
    """
    packed, asked = _to_answer(store, device_id, browser, now)
    decided = replace(asked, state=State.DENIED)
    if allowed_in is not None:
        decided = replace(
            asked,
            state=State.ALLOWED,
            session_id=str(allowed_in.id),
            acr=allowed_in.acr,
            amr=allowed_in.amr,
            consent=str(consent) if consent else None,
        )
    if not store.compare_and_set(_kept_at(device_id), packed, _packed(decided), ttl=_ttl(asked, now)):
        raise NotToAnswer


def redeem_device_code(
    db: Session,
    store: EphemeralStore,
    supplied: str,
    *,
    client_id: str,
    dpop_jkt: str | None,
    admit: Callable[[tuple[str, ...]], object],
    now: datetime,
) -> CodeRecord:
    """Take what a device code gives, as the record of a code that was redeemed.

    `admit` is asked before anything is spent; it gets the granted resources and raises what it likes.

    Of polls that come together one is looked at, so that a device which asks twice loses nothing; a code
    that comes back after it was redeemed ends what it gave (as RFC 6749 §4.1.2 has it for codes).

    Raises DevicePending, PolledTooSoon, DeviceDenied, DeviceExpired, DeviceKeyDiffers, DeviceCodeRefused.
    """
    device_id = hash_token(supplied).hex()
    packed, paced = store.get_many(_kept_at(device_id), _paced_at(device_id))
    asked = _unpacked(packed)
    if asked and asked.client_id != client_id:
        raise DeviceCodeRefused("another client's")
    if asked or paced:
        _keep_pace(store, device_id, paced, asked.dpop_jkt if asked else None, dpop_jkt, now)
    if asked is None:
        end_replayed(db, store, device_id, now=now)
        raise DeviceCodeRefused("unknown or spent")
    if not asked.counts(now):
        raise DeviceExpired("expired")
    if asked.state is State.DENIED:
        raise DeviceDenied("refused by the person")
    if asked.state is not State.ALLOWED:
        raise DevicePending("not answered yet")
    admit(asked.resources)
    if store.take(_kept_at(device_id)) is None:
        raise DeviceCodeRefused("spent")
    return _as_code(asked, device_id)


def _keep_pace(
    store: EphemeralStore,
    device_id: str,
    kept: bytes | None,
    bound_to: str | None,
    jkt: str | None,
    now: datetime,
) -> None:
    """Let one poll an interval through. The key proved first, at whichever endpoint, is the device's."""
    pace = _Pace(**json.loads(kept)) if kept else _Pace(INTERVAL, 0.0, bound_to)
    if pace.jkt and pace.jkt != jkt:
        raise DeviceKeyDiffers("another DPoP key")
    too_soon = now.timestamp() < pace.next_at - _NETWORK_JITTER
    interval = min(pace.interval + INTERVAL, _LONGEST_INTERVAL) if too_soon else pace.interval
    fresh = json.dumps(asdict(_Pace(interval, now.timestamp() + interval, pace.jkt or jkt))).encode()
    key = _paced_at(device_id)
    if kept is None:
        is_ours = store.put_if_absent(key, fresh, ttl=2 * DEVICE_LIFE)
    else:
        is_ours = store.compare_and_set(key, kept, fresh, ttl=2 * DEVICE_LIFE)
    if too_soon or not is_ours:
        raise PolledTooSoon("too soon")


def _to_answer(
    store: EphemeralStore, device_id: str, browser: str, now: datetime
) -> tuple[bytes, DeviceAuthorization]:
    packed, asked = _read(store, device_id)
    is_open = asked is not None and asked.state is State.ENTERED and asked.counts(now)
    if packed is None or asked is None or not is_open or not _is_of(asked, browser):
        raise NotToAnswer
    return packed, asked


def _is_of(asked: DeviceAuthorization, browser: str) -> bool:
    return same(asked.browser, keyed_digest(_BOUND, browser))


def _as_code(asked: DeviceAuthorization, device_id: str) -> CodeRecord:
    return CodeRecord(
        session_id=asked.session_id,
        client_id=asked.client_id,
        redirect_uri="",
        scope=asked.scope,
        code_challenge="",
        nonce=None,
        minted_at=asked.created_at,
        expires_at=asked.expires_at,
        code_hash=device_id,
        resources=asked.resources,
        acr=asked.acr,
        amr=asked.amr,
        consent=asked.consent,
    )


def _read(store: EphemeralStore, device_id: str) -> tuple[bytes | None, DeviceAuthorization | None]:
    packed = store.get(_kept_at(device_id))
    return packed, _unpacked(packed)


def _packed(asked: DeviceAuthorization) -> bytes:
    return json.dumps(asdict(asked)).encode()


def _unpacked(packed: bytes | None) -> DeviceAuthorization | None:
    if packed is None:
        return None
    kept = json.loads(packed)
    return DeviceAuthorization(
        **{**kept, "state": State(kept["state"]), "resources": tuple(kept["resources"])}
    )


def _ttl(asked: DeviceAuthorization, now: datetime) -> float:
    # Kept as long again as it lives, so that a device which comes late hears that it is late.
    return max(1.0, asked.expires_at + DEVICE_LIFE - now.timestamp())


def _kept_at(device_id: str) -> str:
    return f"device:{device_id}"


def _paced_at(device_id: str) -> str:
    return f"device-pace:{device_id}"


def _typed_at(user_code: str) -> str:
    return f"user-code:{hash_token(user_code).hex()}"
