"""Forgetting what nobody needs any more, a bounded number of rows at a time.

Nothing here decides whether a sign-in or a token counts: that is read from the rows each time. What
is deleted has been dead for long.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CursorResult, Delete, delete, select
from sqlalchemy.orm import Session

from idp.access.grants import EndedToken, Grant
from idp.access.refresh_tokens import RefreshToken
from idp.access.registration_tokens import RegistrationToken
from idp.accounts.audit_checks import AuditCheck
from idp.accounts.notices import Notice
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import SigninSession
from idp.accounts.staff import StaffInvitation, StaffSession

KEEP_SESSIONS = timedelta(days=180)
"""How long after its end a sign-in can still be seen, with what was granted in it; the console's too."""
KEEP_NOTICES = timedelta(days=180)
"""How long somebody can still see what he was told."""
KEEP_LINKS = timedelta(days=30)
"""How long a staff member's link and an integrator's registration token can still be seen once dead."""
KEEP_CHECKS = 400
"""How many verifications of the trail can still be seen: more than a year of daily ones."""
KEEP_MESSAGES = timedelta(days=30)
"""How long the fate of a message (its payload is gone) can still be seen."""


def forget(db: Session, *, now: datetime, limit: int = 500) -> int:
    """Delete at most `limit` rows of each kind; how many went. Call again while it is not 0."""
    return (
        _ended_tokens(db, now=now, limit=limit)
        + _old_sessions(db, before=now - KEEP_SESSIONS, limit=limit)
        + _old_staff_sessions(db, before=now - KEEP_SESSIONS, limit=limit)
        + _old_messages(db, before=now - KEEP_MESSAGES, limit=limit)
        + _old_notices(db, before=now - KEEP_NOTICES, limit=limit)
        + _dead_links(db, before=now - KEEP_LINKS, limit=limit)
        + _old_checks(db, limit=limit)
    )


def _ended_tokens(db: Session, *, now: datetime, limit: int) -> int:
    past = select(EndedToken.jti).where(EndedToken.expires_at < now).limit(limit)
    return _deleted(db, delete(EndedToken).where(EndedToken.jti.in_(past)))


def _old_sessions(db: Session, *, before: datetime, limit: int) -> int:
    """By `expires_at`, which has an index: a sign-in that was ended early ended before it."""
    old = db.scalars(select(SigninSession.id).where(SigninSession.expires_at < before).limit(limit)).all()
    if not old:
        return 0
    grants = select(Grant.id).where(Grant.session_id.in_(old))
    _deleted(db, delete(RefreshToken).where(RefreshToken.grant_id.in_(grants)))
    _deleted(db, delete(Grant).where(Grant.session_id.in_(old)))
    return _deleted(db, delete(SigninSession).where(SigninSession.id.in_(old)))


def _old_staff_sessions(db: Session, *, before: datetime, limit: int) -> int:
    old = select(StaffSession.id).where(StaffSession.expires_at < before).limit(limit)
    return _deleted(db, delete(StaffSession).where(StaffSession.id.in_(old)))


def _old_messages(db: Session, *, before: datetime, limit: int) -> int:
    settled = (
        select(OutboxMessage.id)
        .where(OutboxMessage.id < _id_of(before), OutboxMessage.next_try_at.is_(None))
        .order_by(OutboxMessage.id)
        .limit(limit)
    )
    return _deleted(db, delete(OutboxMessage).where(OutboxMessage.id.in_(settled)))


def _old_notices(db: Session, *, before: datetime, limit: int) -> int:
    old = select(Notice.id).where(Notice.id < _id_of(before)).order_by(Notice.id).limit(limit)
    return _deleted(db, delete(Notice).where(Notice.id.in_(old)))


def _dead_links(db: Session, *, before: datetime, limit: int) -> int:
    """Both tables are small: whoever runs the platform fills them by hand."""
    went = 0
    for table in (StaffInvitation, RegistrationToken):
        dead = select(table.id).where((table.expires_at < before) | (table.ended_at < before)).limit(limit)
        went += _deleted(db, delete(table).where(table.id.in_(dead)))
    return went


def _old_checks(db: Session, *, limit: int) -> int:
    old = select(AuditCheck.id).order_by(AuditCheck.id.desc()).offset(KEEP_CHECKS).limit(limit)
    return _deleted(db, delete(AuditCheck).where(AuditCheck.id.in_(old)))


def _id_of(moment: datetime) -> UUID:
    """The lowest id that a row made at `moment` can have (UUIDv7, RFC 9562 §5.7): ids have an index."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _deleted(db: Session, statement: Delete) -> int:
    result = db.execute(statement, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0
