"""Endings that bite everywhere at once.

Tokens and grants are never chased: they are dead because the session they join to is. What must be
done here is to end the rows, queue the messages to relying parties and leave a trace, all in the
caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from idp.access import logouts
from idp.access.grants import Grant
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.identity import Identity
from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.sessions import SigninSession
from idp.crypto import Vault, hash_token


def end_session(db: Session, vault: Vault, session_id: UUID, *, reason: str, now: datetime) -> bool:
    """End one sign-in and all that was granted in it; False if it had ended before."""
    return _end_sessions(db, vault, SigninSession.id == session_id, reason=reason, now=now) > 0


def end_session_of(db: Session, vault: Vault, token: str, *, reason: str, now: datetime) -> None:
    """End the sign-in this cookie stands for, idle ones too: their portals may still hold tokens of it."""
    _end_sessions(db, vault, SigninSession.token_hash == hash_token(token), reason=reason, now=now)


def end_other_sessions(
    db: Session, vault: Vault, identity: Identity, *, keep: UUID | None, reason: str, now: datetime
) -> int:
    """End every sign-in of this human in this capacity except `keep`; how many."""
    mine = (SigninSession.person_id == identity.person_id) & (SigninSession.role == identity.role.value)
    if identity.enterprise_id:
        mine &= SigninSession.enterprise_id == identity.enterprise_id
    if keep:
        mine &= SigninSession.id != keep
    return _end_sessions(db, vault, mine, reason=reason, now=now)


def end_mandate(
    db: Session, vault: Vault, trail: Trail, mandate: Mandate, origin: Origin, *, now: datetime
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
    _end_sessions(db, vault, SigninSession.mandate_id == mandate.id, reason="mandate_ended", now=now)
    event = Event(Action.MANDATE_ENDED, entity=str(mandate.enterprise_id), target=f"mandate:{mandate.id}")
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
    of_person = isinstance(account, Person)
    column = SigninSession.person_id if of_person else SigninSession.enterprise_id
    _end_sessions(db, vault, column == account.id, reason="suspended", now=now)
    trail.record(db, _account_event(Action.ACCOUNT_SUSPENDED, account, reason), origin, now=now)


def resume(
    db: Session, trail: Trail, account: Person | Enterprise, origin: Origin, *, reason: str, now: datetime
) -> None:
    """Lift a suspension. What ended with it stays ended."""
    account.suspended_at = None
    trail.record(db, _account_event(Action.ACCOUNT_RESUMED, account, reason), origin, now=now)


def end_client_grants(db: Session, client_id: str, *, now: datetime) -> None:
    """End everything a client was granted."""
    db.execute(
        update(Grant).where(Grant.client_id == client_id, Grant.ended_at.is_(None)).values(ended_at=now),
        execution_options={"synchronize_session": False},
    )


def _account_event(action: Action, account: Person | Enterprise, reason: str) -> Event:
    kind = "person" if isinstance(account, Person) else "enterprise"
    return Event(action, target=f"{kind}:{account.id}", detail={"reason": reason[:200]})


def _end_sessions(
    db: Session, vault: Vault, which: ColumnElement[bool], *, reason: str, now: datetime
) -> int:
    ended = db.scalars(
        update(SigninSession)
        .where(which, SigninSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(SigninSession.id)
        .execution_options(synchronize_session=False)
    ).all()
    if ended:
        logouts.tell(db, vault, ended, now=now)
    return len(ended)
