"""Endings that bite everywhere at once.

Tokens and grants are never chased: they are dead because the session they join to is. What must be
done here is to end the rows, queue the messages to relying parties and leave a trace, all in the
caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from idp.access import consents, logouts
from idp.access.ended_sessions import CLIENT_REMOVED, end_every, end_which
from idp.access.grants import Grant
from idp.accounts import app_pins, factors, locks
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.identity import Identity
from idp.accounts.models import Enterprise, LegalAccount, Mandate, Person
from idp.accounts.notices import Kind, Notifier, Told
from idp.accounts.sessions import Device, SigninSession
from idp.accounts.staff import StaffMember, end_staff_sessions
from idp.accounts.whose_sign_ins import seen_from, speaking_for
from idp.crypto import Vault, hash_token


def end_session(db: Session, vault: Vault, session_id: UUID, *, reason: str, now: datetime) -> bool:
    """End one sign-in and all that was granted in it, and what it opened; False if it had ended before."""
    return end_which(db, vault, SigninSession.id == session_id, reason=reason, now=now) > 0


def end_session_of(db: Session, vault: Vault, token: str, *, reason: str, now: datetime) -> bool:
    """End the sign-in this cookie stands for, idle ones too: their portals may still hold tokens of it.

    False if it had ended before.
    """
    which = SigninSession.token_hash == hash_token(token)
    return end_which(db, vault, which, reason=reason, now=now) > 0


def end_other_sessions(db: Session, vault: Vault, keep: SigninSession, *, reason: str, now: datetime) -> int:
    """End every sign-in that can be seen from `keep` except itself; how many."""
    others = and_(seen_from(keep), SigninSession.id != keep.id)
    return end_every(db, vault, others, reason=reason, keep=keep.id, now=now)


def end_mandate(
    db: Session,
    vault: Vault,
    trail: Trail,
    mandate: Mandate,
    origin: Origin,
    *,
    now: datetime,
    reason: str = "",
) -> None:
    """End a mandate for good: its sign-ins and every token that rests on it die with it."""
    ended = db.execute(
        update(Mandate)
        .where(Mandate.id == mandate.id, Mandate.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    if not ended.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        return
    end_which(db, vault, SigninSession.mandate_id == mandate.id, reason="mandate_ended", now=now)
    target, detail = f"mandate:{mandate.id}", {"reason": reason[:200]} if reason else {}
    event = Event(Action.MANDATE_ENDED, entity=str(mandate.enterprise_id), target=target, detail=detail)
    trail.record(db, event, origin, now=now)


def suspend(
    db: Session,
    vault: Vault,
    trail: Trail,
    account: Person | Enterprise,
    origin: Origin,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Suspend a person, or a company with all who act for it; their sign-ins end at once."""
    account.suspended_at = now
    end_every(db, vault, speaking_for(account), reason="suspended", now=now)
    trail.record(db, _account_event(Action.ACCOUNT_SUSPENDED, account, reason), origin, now=now)


def resume(
    db: Session, trail: Trail, account: Person | Enterprise, origin: Origin, *, reason: str, now: datetime
) -> None:
    """Lift a suspension, and the lock of 不是我 of the person's or the company's own account.

    What ended with them stays ended.
    """
    if account.suspended_at:
        account.suspended_at = None
        trail.record(db, _account_event(Action.ACCOUNT_RESUMED, account, reason), origin, now=now)
    key = key_of(db, account)
    if key:
        unlock(db, trail, key, origin, reason=reason, now=now)


def lock(
    db: Session,
    vault: Vault,
    trail: Trail,
    notifier: Notifier,
    account: str,
    origin: Origin,
    *,
    now: datetime,
) -> bool:
    """Lock the account of this key: it opens nothing, every sign-in its secrets opened ends, its PIN goes.

    True for the one who did; a lock that is there stays as it is. A staff member is suspended.
    """
    kind, _, account_id = account.partition(":")
    if kind == "staff":
        locked = _suspend_staff(db, UUID(account_id), now=now)
    else:
        _forget_pin(db, account)
        locked = locks.lock(db, account, now=now)
        end_sign_ins_by(db, vault, account, reason="locked", now=now)
        _forget_pin(db, account)
    if locked:
        trail.record(db, Event(Action.ACCOUNT_LOCKED, target=account), origin, now=now)
        notifier.tell(db, account, Told(Kind.LOCKED, device=Device(origin.device, origin.address)), now=now)
    return locked


def unlock(db: Session, trail: Trail, account: str, origin: Origin, *, reason: str, now: datetime) -> bool:
    """Lift the lock of the account of this key; True for the one who did."""
    unlocked = locks.unlock(db, account)
    if unlocked:
        event = Event(Action.ACCOUNT_UNLOCKED, target=account, detail={"reason": reason[:200]})
        trail.record(db, event, origin, now=now)
    return unlocked


def reset_factors(
    db: Session,
    vault: Vault,
    trail: Trail,
    notifier: Notifier,
    account: str,
    origin: Origin,
    *,
    reason: str,
    now: datetime,
) -> int:
    """Take every second factor, recovery code and PIN from the account of this key, and end its sign-ins.

    How many factors went. Its password opens it alone afterwards.
    """
    _forget_pin(db, account)
    went = factors.remove_all(db, account)
    end_sign_ins_by(db, vault, account, reason="factors_reset", now=now)
    _forget_pin(db, account)
    detail = {"kind": "all", "factors": went, "reason": reason[:200]}
    trail.record(db, Event(Action.FACTOR_REMOVED, target=account, detail=detail), origin, now=now)
    notifier.tell(db, account, Told(Kind.FACTOR_REMOVED, "全部第二步验证和恢复码"), now=now)
    return went


def end_sign_ins_by(
    db: Session, vault: Vault, account: str, *, reason: str, now: datetime, keep: UUID | None = None
) -> int:
    """End every sign-in that was opened with the secrets of the account of this key, but `keep`; how many."""
    kind, _, account_id = account.partition(":")
    column = {
        "person": SigninSession.person_id,
        "legal": SigninSession.legal_account_id,
        "mandate": SigninSession.mandate_id,
    }[kind]
    # A sign-in of the version before does not say whose secrets opened it: rather one more is ended.
    unsaid = and_(SigninSession.account == "", column == UUID(account_id))
    which = or_(SigninSession.account == account, unsaid)
    if keep:
        which = and_(which, SigninSession.id != keep)
    return end_every(db, vault, which, reason=reason, keep=keep, now=now)


def withdraw_consent(
    db: Session,
    vault: Vault,
    trail: Trail,
    identity: Identity,
    client_id: str,
    origin: Origin,
    *,
    now: datetime,
) -> bool:
    """Take back what was allowed to a client in this capacity; False if nothing was.

    What it was granted ends with it, and it is told that its sign-ins have ended.
    """
    if not consents.take_back(db, identity, client_id):
        return False
    of_identity = select(SigninSession.id).where(
        SigninSession.person_id == identity.person_id,
        SigninSession.role == identity.role.value,
        SigninSession.enterprise_id == identity.enterprise_id,
        SigninSession.ended_at.is_(None),
    )
    sessions = db.scalars(
        update(Grant)
        .where(Grant.client_id == client_id, Grant.ended_at.is_(None), Grant.session_id.in_(of_identity))
        .values(ended_at=now)
        .returning(Grant.session_id)
        .execution_options(synchronize_session=False)
    )
    logouts.tell(db, vault, set(sessions), only=client_id, now=now)
    entity, target = str(identity.enterprise_id or ""), f"client:{client_id}"
    trail.record(db, Event(Action.CONSENT_WITHDRAWN, entity=entity, target=target), origin, now=now)
    return True


def tell_owner(
    db: Session, notifier: Notifier, account: Person | Enterprise | Mandate, kind: Kind, *, now: datetime
) -> None:
    """Tell the phone of record what was done to an account by staff; a company without an account has none.

    In the transaction of what it tells (MISSION Y, notices).
    """
    key = key_of(db, account)
    if key:
        notifier.tell(db, key, Told(kind), now=now)


def key_of(db: Session, account: Person | Enterprise | Mandate) -> str:
    """The key of a person's or a company's own account, or a mandate's; empty for a company that has none."""
    if isinstance(account, Mandate):
        return f"mandate:{account.id}"
    if isinstance(account, Person):
        return f"person:{account.id}"
    legal = db.scalar(select(LegalAccount.id).where(LegalAccount.enterprise_id == account.id))
    return f"legal:{legal}" if legal else ""


def target_of(account: Person | Enterprise) -> str:
    """A person or a company as the audit trail names whom something was done to."""
    return f"{'person' if isinstance(account, Person) else 'enterprise'}:{account.id}"


def end_client_grants(db: Session, vault: Vault, client_id: str, *, now: datetime) -> None:
    """End everything a client was granted; of a phone app, its sign-ins and what they opened too."""
    alone: dict[str, Any] = {"synchronize_session": False}
    ended = update(Grant).where(Grant.client_id == client_id, Grant.ended_at.is_(None)).values(ended_at=now)
    db.execute(ended, execution_options=alone)
    end_which(db, vault, SigninSession.app == client_id, reason=CLIENT_REMOVED, now=now)


def _suspend_staff(db: Session, member_id: UUID, *, now: datetime) -> bool:
    suspended = db.execute(
        update(StaffMember)
        .where(StaffMember.id == member_id, StaffMember.suspended_at.is_(None))
        .values(suspended_at=now, generation=StaffMember.generation + 1),
        execution_options={"synchronize_session": False},
    )
    end_staff_sessions(db, member_id, reason="locked", now=now)
    return bool(suspended.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _forget_pin(db: Session, account: str) -> None:
    """Take the PIN of a person's account.

    Before his sign-ins are ended, because setting one locks it first; and after, because one that was set
    while that was waited for is seen only then.
    """
    kind, _, account_id = account.partition(":")
    if kind == "person":
        app_pins.remove_pin(db, UUID(account_id))


def _account_event(action: Action, account: Person | Enterprise, reason: str) -> Event:
    return Event(action, target=target_of(account), detail={"reason": reason[:200]})


def end_all_sessions(
    db: Session,
    vault: Vault,
    trail: Trail,
    account: Person | Enterprise,
    origin: Origin,
    *,
    reason: str,
    now: datetime,
) -> int:
    """End every sign-in of a person in any capacity, or of all who act for a company; how many."""
    ended = end_every(db, vault, speaking_for(account), reason="ended_by_staff", now=now)
    trail.record(db, _account_event(Action.SESSIONS_ENDED, account, reason), origin, now=now)
    return ended
