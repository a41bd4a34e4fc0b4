"""The lock of 不是我: the password of an account opens nothing until somebody who may lifts it.

It is kept with the password. Passkeys and codes of the account ask for it too, and with the day the
password was set go the browsers that were known and the steps that were under way.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.accounts.credentials import owned_by
from idp.accounts.models import Credential


def lock(db: Session, account: str, *, now: datetime) -> bool:
    """Lock the account of this key (``person:…``, ``legal:…``, ``mandate:…``); True for the one who did."""
    locked = db.execute(
        update(Credential)
        .where(owned_by(account), Credential.locked_at.is_(None))
        .values(locked_at=now, changed_at=now),
        execution_options={"synchronize_session": False},
    )
    return bool(locked.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def unlock(db: Session, account: str) -> bool:
    """Lift the lock; True for the one who did. Browsers stay unknown."""
    unlocked = db.execute(
        update(Credential).where(owned_by(account), Credential.locked_at.is_not(None)).values(locked_at=None),
        execution_options={"synchronize_session": False},
    )
    return bool(unlocked.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def locked_since(db: Session, account: str) -> datetime | None:
    """Since when the account is locked; None if it is not."""
    return db.scalar(select(Credential.locked_at).where(owned_by(account)))
