"""Browsers an account knows: those somebody signed in with, less those its owner wants forgotten.

A browser is known by the id in its signed cookie, which every sign-in notes, since the day the password was
set. The cookie itself cannot be taken back, so a forgotten id stays on a list at the account's password;
whoever signs in anew in that browser makes it known again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from idp.accounts.credentials import owned_by
from idp.accounts.models import Credential
from idp.accounts.sessions import SigninSession
from idp.db import begin_write

MOST_FORGOTTEN = 50
"""How many forgotten browsers an account remembers. Whoever forgets one more forgets them all: none of
those on the list may be taken for known again."""
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """A browser somebody signed in with: its id, what it called itself last, where, and since when."""

    key: str
    browser: str
    address: str
    first_at: datetime
    last_at: datetime


def list_known(db: Session, account: str, *, within: timedelta, now: datetime) -> list[KnownBrowser]:
    """The browsers of the sign-ins of `account` (a key) in the time `within`, the latest first."""
    browser = SigninSession.browser_key
    signed_in = (
        select(
            browser,
            SigninSession.browser,
            SigninSession.address,
            func.min(SigninSession.created_at).over(partition_by=browser).label("first_at"),
            SigninSession.created_at.label("last_at"),
            func.row_number()
            .over(partition_by=browser, order_by=SigninSession.created_at.desc())
            .label("place"),
        )
        .join(Credential, owned_by(account))
        .where(
            SigninSession.account == account,
            browser != "",
            SigninSession.created_at > now - within,
            # The one in which the password was set is known, as its owner proved himself with it.
            or_(
                SigninSession.created_at >= Credential.changed_at,
                SigninSession.proved_at >= Credential.changed_at,
            ),
        )
        .subquery()
    )
    latest = select(signed_in).where(signed_in.c.place == 1).order_by(signed_in.c.last_at.desc())
    forgotten = set(db.scalar(select(Credential.forgotten_browsers).where(owned_by(account))) or ())
    return [
        KnownBrowser(row.browser_key, row.browser, row.address, row.first_at, row.last_at)
        for row in db.execute(latest.limit(MOST_SHOWN + len(forgotten)))
        if row.browser_key not in forgotten
    ][:MOST_SHOWN]


def forget(db: Session, account: str, key: str, *, now: datetime) -> bool:
    """Put a browser on the list of the forgotten; False if the account never signed in with it.

    With a full list every browser is forgotten, as by a change of the password.
    """
    begin_write(db)
    credential = db.scalars(select(Credential).where(owned_by(account)).with_for_update()).first()
    was_here = select(SigninSession.id).where(
        SigninSession.account == account, SigninSession.browser_key == key, SigninSession.browser_key != ""
    )
    if credential is None or db.scalar(was_here.limit(1)) is None:
        return False
    others = [other for other in credential.forgotten_browsers if other != key]
    if len(others) < MOST_FORGOTTEN:
        credential.forgotten_browsers = [key, *others]
    else:
        credential.forgotten_browsers, credential.changed_at = [], now
    return True


def open_in(db: Session, account: str, key: str) -> Sequence[UUID]:
    """The ids of the sign-ins of `account` that did not end in this browser."""
    not_ended = select(SigninSession.id).where(
        SigninSession.account == account, SigninSession.browser_key == key, SigninSession.ended_at.is_(None)
    )
    return db.scalars(not_ended).all()
