"""The live sign-ins of a person in any capacity, or of all who act for a company."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from idp.accounts.sessions import SignedIn, SigninSession, live

SHOWN = 20


def count_live(db: Session, which: ColumnElement[bool], *, now: datetime) -> int:
    """How many of them count now."""
    counted = live(now).where(which).with_only_columns(func.count(), maintain_column_froms=True)
    return db.scalar(counted) or 0


def list_live(db: Session, which: ColumnElement[bool], *, now: datetime) -> list[SignedIn]:
    """The newest of them, at most SHOWN, with the rows they rest on."""
    newest = live(now).where(which).order_by(SigninSession.created_at.desc()).limit(SHOWN)
    return [SignedIn(*row) for row in db.execute(newest)]
