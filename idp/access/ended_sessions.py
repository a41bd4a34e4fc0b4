"""Ending rows of the table of sign-ins: with a phone's sign-in goes what it opened, and portals are told.

A sign-in that a scan opened rests on the phone that confirmed it: whoever ends a phone that is not his means
the browsers it let in as well. Everything here happens in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from idp.access import grants, logouts
from idp.access.grants import Grant
from idp.accounts.sessions import SigninSession
from idp.crypto import Vault

SIGNED_OUT = "signed_out"
CLIENT_REMOVED = "client_removed"


def end_which(
    db: Session,
    vault: Vault,
    which: ColumnElement[bool],
    *,
    reason: str,
    keep: UUID | None = None,
    now: datetime,
) -> int:
    """End these sign-ins and what the phones among them opened, but `keep`; how many were there."""
    ended = db.execute(
        update(SigninSession)
        .where(which, SigninSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(SigninSession.id, SigninSession.app)
        .execution_options(synchronize_session=False)
    ).all()
    if ended:
        logouts.tell(db, vault, [row.id for row in ended], now=now)
    phones = [row.id for row in ended if row.app]
    return len(ended) + _end_opened_by(db, vault, phones, reason=reason, keep=keep, now=now)


def end_every(
    db: Session,
    vault: Vault,
    which: ColumnElement[bool],
    *,
    reason: str,
    keep: UUID | None = None,
    now: datetime,
) -> int:
    """The same, and what was opened out of one of them while this waited to end it.

    A phone's sign-in is opened under a lock on the browser's (:mod:`idp.access.app_sessions`): it is
    committed by the time that lock is ours, but a statement sees only what was there when it began.
    """
    ended = end_which(db, vault, which, reason=reason, keep=keep, now=now)
    return ended + end_which(db, vault, which, reason=reason, keep=keep, now=now) if ended else 0


def end_grant(db: Session, vault: Vault, grant_id: UUID, *, now: datetime) -> None:
    """End a grant and every token under it; of a phone, its sign-in and what it opened."""
    grants.end_grant(db, grant_id, now=now)
    end_opened_out_of(db, vault, Grant.id == grant_id, now=now)


def end_opened_out_of(db: Session, vault: Vault, which: ColumnElement[bool], *, now: datetime) -> None:
    """End what the phones opened that hang on these grants, once their own sign-ins have ended."""
    phones = select(SigninSession.id).join(Grant, Grant.session_id == SigninSession.id)
    ended = phones.where(which, SigninSession.app.is_not(None), SigninSession.ended_at.is_not(None))
    _end_opened_by(db, vault, db.scalars(ended).all(), reason=SIGNED_OUT, now=now)


def _end_opened_by(
    db: Session,
    vault: Vault,
    phones: Sequence[UUID],
    *,
    reason: str,
    keep: UUID | None = None,
    now: datetime,
) -> int:
    """End what these phones opened, whose own sign-ins are ended, and so open nothing more.

    Twice, as somebody may go on to one of his mandates meanwhile: the sign-in that takes the place of the
    one this waits for is not seen by the statement that waits.
    """
    if not phones:
        return 0
    opened = SigninSession.opened_by.in_(phones)
    others = and_(opened, SigninSession.id != keep) if keep else opened
    return sum(end_which(db, vault, others, reason=reason, now=now) for _ in range(2))
