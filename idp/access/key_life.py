"""The life of signing keys: next, active, retired, removed.

``next``     published, signs nothing yet: caches of relying parties get to know it
``active``   signs
``retired``  signs no more, verifies what it signed
``removed``  no longer published, proves nothing; the row stays for the audit trail

A rotation moves an algorithm's keys one state on, in one transaction, and is refused while a cache
may still lack the next key. A key that has leaked goes from wherever it is to ``removed`` at once.
The private half is wiped when a key stops signing.

Every change takes the lock of all keys first: of two rotations at once the second finds a next key
that was published this moment, and is refused. Callers announce the change once it is committed.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from idp.access.keys import (
    JWKS_MAX_AGE,
    SigningKey,
    State,
    check_vault,
    list_keys,
    lock_keys,
    new_key,
)
from idp.access.logouts import TOKEN_LIFE
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.config import Settings
from idp.crypto import Vault

MARGIN = timedelta(minutes=2)
"""For clocks that differ, and for a process that could not be told and reads the keys once a minute."""
PUBLISHED_BEFORE_USE = timedelta(seconds=JWKS_MAX_AGE) + MARGIN
_WORKER = Origin(actor="worker")


class RotationRefused(Exception):
    """The keys cannot be changed like this now; the message is a sentence for whoever asked.

    `zh` says the same at the console.
    """

    def __init__(self, sentence: str, *, zh: str = "") -> None:
        super().__init__(sentence)
        self.zh = zh or sentence


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an algorithm's keys, by their ids."""

    alg: str
    active: str
    next: str
    retired: str | None = None
    removed: str | None = None

    def event(self) -> Event:
        """The line of the audit trail that tells it."""
        action = Action.KEY_ROTATED if self.retired else Action.KEY_WITHDRAWN
        return Event(action, target=f"key:{self.retired or self.removed}", detail=asdict(self))


def rotate(db: Session, vault: Vault, alg: str, *, now: datetime) -> Change:
    """Let the next key sign and retire the active one.

    Raises RotationRefused while a relying party may have the published keys without the next one.
    """
    active, upcoming = _pair(lock_keys(db), vault, alg)
    wait = published_enough_at(upcoming) - now
    if wait > timedelta():
        raise RotationRefused(
            f"The next {alg} key has not been published for long enough: relying parties may keep the keys "
            f"for {JWKS_MAX_AGE} s, and those that do would refuse its signatures. Nothing was rotated. "
            f"Wait another {math.ceil(wait.total_seconds())} s (until "
            f"{published_enough_at(upcoming).isoformat(timespec='seconds')}); for a leaked key, --emergency.",
            zh=f"{alg} 的下一把密钥公布的时间还不够长，接入方可能还在用缓存的公钥，会拒绝它的签名。"
            "没有轮换，请稍后再试。",
        )
    active.state, active.retired_at, active.private_sealed = State.RETIRED.value, now, b""
    return Change(alg, upcoming.kid, _succeed(db, vault, upcoming, now=now).kid, retired=active.kid)


def withdraw(db: Session, vault: Vault, kid: str, *, now: datetime) -> Change | None:
    """Remove a key at once, and put the next one, or a new one, in its place; None if it was removed before.

    No wait for caches: whoever has the leaked key may sign until they forget it, so they must be asked
    to read the keys again. Raises RotationRefused.
    """
    rows = lock_keys(db)
    leaked = next((row for row in rows if row.kid == kid), None)
    if leaked is None:
        raise RotationRefused(f"There is no key {kid[:80]!r}.", zh="没有这把密钥。请回到密钥列表重新选择。")
    if leaked.state == State.REMOVED:
        return None
    active, upcoming = _pair(rows, vault, leaked.alg)
    _remove(leaked, now=now)
    if leaked is upcoming:
        upcoming = _added(db, vault, leaked.alg, now=now)
    elif leaked is active:
        active, upcoming = upcoming, _succeed(db, vault, upcoming, now=now)
    return Change(leaked.alg, active.kid, upcoming.kid, removed=leaked.kid)


def active_kid(db: Session, alg: str) -> str:
    """The id of the key that signs with `alg`. Raises RotationRefused."""
    found = [row.kid for row in list_keys(db) if (row.alg, row.state) == (alg, State.ACTIVE)]
    if not found:
        raise RotationRefused(f"There is no active {alg[:20]!r} key.")
    return found[0]


def tend(db: Session, vault: Vault, trail: Trail, settings: Settings, *, now: datetime) -> bool:
    """What the worker does: rotate what is due, remove what has served; whether anything changed."""
    if not any(_is_due(list_keys(db), settings, now=now)):
        return False
    # Another worker may have done it meanwhile: look again, now alone.
    due, served = _is_due(lock_keys(db), settings, now=now)
    for alg in due:
        trail.record(db, rotate(db, vault, alg, now=now).event(), _WORKER, now=now)
    for key in served:
        _remove(key, now=now)
        event = Event(Action.KEY_REMOVED, target=f"key:{key.kid}", detail={"alg": key.alg})
        trail.record(db, event, _WORKER, now=now)
    return bool(due or served)


def published_enough_at(upcoming: SigningKey) -> datetime:
    """From when on a next key may sign: by then every cache that obeys us has it."""
    return upcoming.created_at + PUBLISHED_BEFORE_USE


def removed_from(key: SigningKey, settings: Settings) -> datetime | None:
    """From when on a retired key has nothing left to verify; None for one that is not retired.

    The last token it signed has expired then. An ID token outlives its `exp` as a hint (OIDC Core
    §3.1.2.1, RP-Initiated Logout §2): it may come as long as its sign-in lives.
    """
    if key.state != State.RETIRED:
        return None
    longest = max(settings.seconds("token_lifetime"), settings.seconds("session_lifetime"), TOKEN_LIFE)
    return (key.retired_at or key.created_at) + longest + MARGIN


def _is_due(
    rows: list[SigningKey], settings: Settings, *, now: datetime
) -> tuple[list[str], list[SigningKey]]:
    """The algorithms to rotate, and the keys to remove."""
    ready = {row.alg for row in rows if row.state == State.NEXT and published_enough_at(row) <= now}
    last = now - timedelta(days=settings.key_rotation_days)
    due = [
        row.alg
        for row in rows
        if settings.key_rotation_days and row.state == State.ACTIVE and (row.active_since or now) <= last
    ]
    served = [row for row in rows if (until := removed_from(row, settings)) and until <= now]
    return [alg for alg in due if alg in ready], served


def _pair(rows: list[SigningKey], vault: Vault, alg: str) -> tuple[SigningKey, SigningKey]:
    """The active and the next key of `alg`. Raises RotationRefused, SealBroken."""
    check_vault(rows, vault)
    by_state = {row.state: row for row in rows if row.alg == alg}
    if State.ACTIVE not in by_state or State.NEXT not in by_state:
        raise RotationRefused(
            f"{alg[:20]!r} has no active and next key. Run `idp db upgrade`.",
            zh=f"{alg[:20]} 缺少正在签名的或下一把密钥。请运维执行 idp db upgrade 后再试。",
        )
    return by_state[State.ACTIVE], by_state[State.NEXT]


def _succeed(db: Session, vault: Vault, upcoming: SigningKey, *, now: datetime) -> SigningKey:
    """Let `upcoming` sign; the key that is next after it."""
    upcoming.state, upcoming.activated_at = State.ACTIVE.value, now
    return _added(db, vault, upcoming.alg, now=now)


def _added(db: Session, vault: Vault, alg: str, *, now: datetime) -> SigningKey:
    made = new_key(vault, alg, State.NEXT, now=now)
    db.add(made)
    db.flush()
    return made


def _remove(key: SigningKey, *, now: datetime) -> None:
    if key.state == State.ACTIVE:
        key.retired_at = now
    key.state, key.removed_at, key.private_sealed = State.REMOVED.value, now, b""


def as_told(key: SigningKey, settings: Settings) -> dict[str, Any]:
    """A key as commands tell it: never its private half."""
    instants = {
        "created_at": key.created_at,
        "activated_at": key.active_since,
        "retired_at": key.retired_at,
        "remove_after": removed_from(key, settings),
        "removed_at": key.removed_at,
    }
    told = {name: at.isoformat(timespec="seconds") if at else None for name, at in instants.items()}
    return {"kid": key.kid, "alg": key.alg, "state": key.state, **told}
