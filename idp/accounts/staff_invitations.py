"""The links by which staff begin: made once, taken up by one browser, spent when a second factor is set.

Of a link only the hash is kept. It belongs to the first browser that takes it up; looking at it, as a
preview in a mail or a chat does, takes nothing up. Whatever is wrong with a link is said only to a holder
of a real one: a made-up link is answered as an expired one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from idp.accounts.staff import StaffInvitation, StaffMember
from idp.crypto import hash_token, new_token, same
from idp.db import uuid7


class Why(StrEnum):
    """Why a link opens nothing."""

    EXPIRED = "expired"
    USED = "used"
    ELSEWHERE = "elsewhere"


class InvitationRefused(Exception):
    """The link opens nothing here; `why` says for what reason."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Invited:
    """A link that counts, and whose it is."""

    invitation: StaffInvitation
    member: StaffMember


def invite(
    db: Session, member: StaffMember, *, life: timedelta, now: datetime
) -> tuple[StaffInvitation, str]:
    """A new link for `member` and the token in it, which is known to nobody afterwards; older ones end."""
    end_invitations(db, member, now=now)
    token = new_token()
    row = StaffInvitation(
        id=uuid7(), token_hash=hash_token(token), staff_id=member.id, expires_at=now + life, created_at=now
    )
    db.add(row)
    db.flush()
    return row, token


def end_invitations(db: Session, member: StaffMember, *, now: datetime) -> None:
    """End every link of `member` that still counts."""
    db.execute(
        update(StaffInvitation)
        .where(StaffInvitation.staff_id == member.id, StaffInvitation.ended_at.is_(None))
        .values(ended_at=now),
        execution_options={"synchronize_session": False},
    )


def find_invited(db: Session, token: str, browser: str, *, now: datetime) -> Invited:
    """Whom the link is for, as far as `browser` may see it. Raises InvitationRefused."""
    found = db.execute(
        select(StaffInvitation, StaffMember)
        .join(StaffMember, StaffMember.id == StaffInvitation.staff_id)
        .where(StaffInvitation.token_hash == hash_token(token[:100]))
    ).first()
    if found is None:
        raise InvitationRefused(Why.EXPIRED)
    invitation, member = found
    if invitation.ended_at is not None:
        raise InvitationRefused(Why.USED)
    if invitation.expires_at <= now or member.suspended_at is not None:
        raise InvitationRefused(Why.EXPIRED)
    if invitation.browser is not None and not same(invitation.browser, browser):
        raise InvitationRefused(Why.ELSEWHERE)
    return Invited(invitation, member)


def find_claimed(db: Session, token: str, browser: str, *, now: datetime) -> Invited:
    """The same, once this browser has taken the link up. Raises InvitationRefused."""
    invited = find_invited(db, token, browser, now=now)
    if invited.invitation.browser is None:
        raise InvitationRefused(Why.ELSEWHERE)
    return invited


def claim(db: Session, token: str, browser: str, *, now: datetime) -> Invited:
    """Take the link up for `browser`: of several at once one wins. Raises InvitationRefused."""
    invited = find_invited(db, token, browser, now=now)
    claimed = db.execute(
        update(StaffInvitation)
        .where(
            StaffInvitation.id == invited.invitation.id,
            StaffInvitation.ended_at.is_(None),
            or_(StaffInvitation.browser.is_(None), StaffInvitation.browser == browser),
        )
        .values(browser=browser, claimed_at=func.coalesce(StaffInvitation.claimed_at, now)),
        execution_options={"synchronize_session": False},
    )
    if not claimed.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise InvitationRefused(Why.ELSEWHERE)
    return invited


def keep_password(db: Session, invited: Invited, hashed: str, *, now: datetime) -> None:
    """Keep the password of whoever begins by this link, as long as it counts. Raises InvitationRefused."""
    link = invited.invitation
    counts = exists().where(
        StaffInvitation.id == link.id,
        StaffInvitation.browser == link.browser,
        StaffInvitation.ended_at.is_(None),
    )
    kept = db.execute(
        update(StaffMember)
        .where(StaffMember.id == invited.member.id, counts)
        .values(password_hash=hashed, password_changed_at=now),
        execution_options={"synchronize_session": False},
    )
    if not kept.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise InvitationRefused(Why.USED)


def has_password(invited: Invited) -> bool:
    """Whether a password was chosen by this very link, and not by one before it."""
    claimed, changed = invited.invitation.claimed_at, invited.member.password_changed_at
    return claimed is not None and changed is not None and changed >= claimed


def finish(db: Session, invited: Invited, *, now: datetime) -> None:
    """Spend the link: its holder has a second factor now, and may sign in from here on.

    Raises InvitationRefused if somebody was faster.
    """
    # The member's row before the link's, as whoever suspends him takes them.
    invited.member.enrolled_at = now
    db.flush()
    spent = db.execute(
        update(StaffInvitation)
        .where(StaffInvitation.id == invited.invitation.id, StaffInvitation.ended_at.is_(None))
        .values(ended_at=now),
        execution_options={"synchronize_session": False},
    )
    if not spent.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise InvitationRefused(Why.USED)
