"""The one-time link by which an applicant sets his password himself (SECURITY 73).

Only the hash of its token is kept, with the appeal. A new one makes the one before void; it is spent before
anything is set.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.appeal.models import Appeal, State
from idp.crypto import hash_token, new_token


def issue(appeal: Appeal, *, life: timedelta, now: datetime) -> str:
    """A new token for an approved appeal; the one before opens nothing any more."""
    token = new_token(16)
    appeal.link_hash, appeal.link_expires_at = hash_token(token), now + life
    return token


def find(db: Session, token: str, *, now: datetime) -> Appeal | None:
    """The approved appeal whose link this is; None if it was used, has expired or is unknown."""
    mine = select(Appeal).where(
        Appeal.link_hash == hash_token(token),
        Appeal.link_expires_at > now,
        Appeal.link_used_at.is_(None),
        Appeal.state == State.APPROVED.value,
    )
    return db.scalars(mine.execution_options(populate_existing=True)).first()


def find_used(db: Session, token: str, *, now: datetime) -> Appeal | None:
    """The appeal whose password this link has set, as long as it would have lived."""
    mine = select(Appeal).where(
        Appeal.link_hash == hash_token(token),
        Appeal.link_expires_at > now,
        Appeal.link_used_at.is_not(None),
    )
    return db.scalars(mine).first()


def spend(db: Session, token: str, *, now: datetime) -> bool:
    """Use the link up; True for the one who did."""
    spent = db.execute(
        update(Appeal)
        .where(
            Appeal.link_hash == hash_token(token),
            Appeal.link_expires_at > now,
            Appeal.link_used_at.is_(None),
        )
        .values(link_used_at=now),
        execution_options={"synchronize_session": False},
    )
    return bool(spent.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def void_others(db: Session, appeal: Appeal) -> None:
    """Let no earlier appeal's link set the password of the account this one is about."""
    db.execute(
        update(Appeal)
        .where(
            Appeal.enterprise_id == appeal.enterprise_id,
            Appeal.id != appeal.id,
            # Of those without a link none is waited for: somebody may be deciding it.
            Appeal.link_hash.is_not(None),
            Appeal.link_used_at.is_(None),
        )
        .values(link_hash=None),
        execution_options={"synchronize_session": False},
    )
