"""What an administrator may do to an account.

Suspend it, resume it, end its sign-ins, take away its second factors, see it unmasked. Nobody here chooses
a password or opens a sign-in for somebody else (SECURITY 78). The state of the account is read again under
a lock: of two administrators who press the same button the later one is told, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.access import endings
from idp.accounts import locks
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.factors import Factor, list_factors
from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.notices import Kind as Told
from idp.accounts.notices import Notifier
from idp.accounts.whose_sign_ins import speaking_for
from idp.crypto import Vault
from idp.staff.accounts.live_sign_ins import count_live


class Change(StrEnum):
    """What can be done to a person's or a company's account; the last part of the address."""

    SUSPEND = "suspend"
    RESUME = "resume"
    SIGN_OUT = "sign-out"
    RESET_FACTORS = "reset-factors"


class MandateChange(StrEnum):
    """What can be done to a mandate; the last part of the address."""

    END = "end"
    UNLOCK = "unlock"
    RESET_FACTORS = "reset-factors"


class NothingToDo(Exception):
    """The account is in the wanted state already; the message is the sentence to show (Chinese)."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who changes an account: with what he seals, records and tells, from where, when."""

    vault: Vault
    trail: Trail
    notifier: Notifier
    origin: Origin
    now: datetime


def locked_at(db: Session, account: Person | Enterprise | Mandate) -> datetime | None:
    """When the owner said 不是我 and locked the account; None where it is open."""
    key = endings.key_of(db, account)
    return locks.locked_since(db, key) if key else None


def factors_of(db: Session, account: Person | Enterprise | Mandate) -> list[Factor]:
    """The second factors of a person's or a company's own account, or of one mandate."""
    key = endings.key_of(db, account)
    return list_factors(db, key) if key else []


def check_possible(db: Session, account: Person | Enterprise, change: Change, *, now: datetime) -> None:
    """Raises NothingToDo where `change` would change nothing."""
    if change is Change.SUSPEND and account.suspended_at:
        raise NothingToDo("这个账号已经停用，可能是别的管理员刚刚处理的。这次没有做任何更改。")
    if change is Change.RESUME and not (account.suspended_at or locked_at(db, account)):
        raise NothingToDo("这个账号现在是正常的，可能是别的管理员刚刚恢复的。这次没有做任何更改。")
    if change is Change.SIGN_OUT and not count_live(db, speaking_for(account), now=now):
        raise NothingToDo("这个账号现在没有生效的登录，可能刚刚退出。这次没有做任何更改。")
    if change is Change.RESET_FACTORS:
        _check_factors(db, account)


def apply(db: Session, hand: Hand, account: Person | Enterprise, change: Change, reason: str) -> None:
    """Do `change`, with its line in the trail, effective at once; its owner is told. Raises NothingToDo."""
    db.refresh(account, ["suspended_at"], with_for_update=True)
    check_possible(db, account, change, now=hand.now)
    if change is Change.SUSPEND:
        endings.suspend(db, hand.vault, hand.trail, account, hand.origin, reason=reason, now=hand.now)
        endings.tell_owner(db, hand.notifier, account, Told.ACCOUNT_SUSPENDED, now=hand.now)
    elif change is Change.RESUME:
        endings.resume(db, hand.trail, account, hand.origin, reason=reason, now=hand.now)
        endings.tell_owner(db, hand.notifier, account, Told.ACCOUNT_RESUMED, now=hand.now)
    elif change is Change.RESET_FACTORS:
        _reset_factors(db, hand, endings.key_of(db, account), reason)
    else:
        endings.end_all_sessions(
            db, hand.vault, hand.trail, account, hand.origin, reason=reason, now=hand.now
        )
        endings.tell_owner(db, hand.notifier, account, Told.SIGNED_OUT_BY_STAFF, now=hand.now)


def change_mandate(db: Session, hand: Hand, mandate: Mandate, change: MandateChange, reason: str) -> None:
    """End a mandate for good, lift the lock of 不是我 from it, take away its factors. Raises NothingToDo."""
    db.refresh(mandate, ["ended_at"], with_for_update=True)
    check_mandate(db, mandate, change)
    if change is MandateChange.END:
        endings.end_mandate(db, hand.vault, hand.trail, mandate, hand.origin, reason=reason, now=hand.now)
    elif change is MandateChange.RESET_FACTORS:
        _reset_factors(db, hand, endings.key_of(db, mandate), reason)
    else:
        key = endings.key_of(db, mandate)
        endings.unlock(db, hand.trail, key, hand.origin, reason=reason, now=hand.now)
        endings.tell_owner(db, hand.notifier, mandate, Told.ACCOUNT_RESUMED, now=hand.now)


def check_mandate(db: Session, mandate: Mandate, change: MandateChange) -> None:
    """Raises NothingToDo where `change` would change nothing."""
    if mandate.ended_at:
        raise NothingToDo("这项授权已经结束，可能是企业或别的管理员刚刚处理的。这次没有做任何更改。")
    if change is MandateChange.UNLOCK and not locked_at(db, mandate):
        raise NothingToDo("这项授权没有锁定，可能是别的管理员刚刚解除的。这次没有做任何更改。")
    if change is MandateChange.RESET_FACTORS:
        _check_factors(db, mandate)


def note_view(
    db: Session, hand: Hand, account: Person | Enterprise, fields: Sequence[str], reason: str
) -> None:
    """Write that these personal data were looked at, and why (SECURITY 76)."""
    detail = {"fields": list(fields), "reason": reason}
    event = Event(Action.DATA_VIEWED, target=endings.target_of(account), detail=detail)
    hand.trail.record(db, event, hand.origin, now=hand.now)


def _check_factors(db: Session, account: Person | Enterprise | Mandate) -> None:
    if not factors_of(db, account):
        raise NothingToDo(
            "这里现在没有设置第二步验证，可能是本人或别的管理员刚刚移除的。这次没有做任何更改。"
        )


def _reset_factors(db: Session, hand: Hand, key: str, reason: str) -> None:
    endings.reset_factors(
        db, hand.vault, hand.trail, hand.notifier, key, hand.origin, reason=reason, now=hand.now
    )
