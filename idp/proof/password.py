"""Checking a password: counted before it is looked at, and looked at with no database connection in hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp.accounts.passwords import PasswordHasher, Verdict
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.db import pause
from idp.proof import throttle
from idp.proof.throttle import Try


def check(
    db: Session,
    store: EphemeralStore,
    settings: Settings,
    hasher: PasswordHasher,
    attempt: Try,
    password: str,
    *,
    stored: str | None,
    now: datetime,
) -> Verdict:
    """Whether `password` is the one the hash `stored` was made of; the try is counted, and then settled.

    What the session read before may have changed meanwhile: the caller reads it again. Raises
    idp.proof.throttle.Throttled, idp.accounts.passwords.TooBusy.
    """
    hasher.expect_room()
    at_home = throttle.admit(store, settings, attempt, now=now)
    pause(db)
    verdict = hasher.verify(stored, password)
    if verdict.right:
        throttle.succeeded(store, attempt, at_home=at_home)
    else:
        throttle.failed(store, attempt)
    return verdict
