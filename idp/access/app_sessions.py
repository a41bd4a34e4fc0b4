"""Sign-ins of phones: each its own row beside the browser's, which outlives the browser (MISSION A13, X17).

A person signs in to the app in a browser, as everywhere. What the app is then granted does not hang on that
browser's sign-in, which ends after hours, but on one of its own: the same person, account and proof, ended by
whatever ends what that account opened (:mod:`idp.access.endings`), by himself in the list of his sign-ins, by
the app that revokes its refresh token, or by lying unused. No cookie opens it: nobody holds its token.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.access.app_rules import APP_SCOPE
from idp.access.endings import end_session
from idp.access.grants import CodeRecord, Grant, GrantRefused, LiveGrant, SignInEnded
from idp.accounts.identity import Role
from idp.accounts.sessions import SigninSession, note_seen
from idp.crypto import Vault, hash_token, new_token
from idp.db import ALONE, insert_while, uuid7

UNUSED = "app_unused"
"""Why a phone's sign-in ended that lay unused for too long."""

_TABLE = SigninSession.metadata.tables[SigninSession.__tablename__]
# Whoever ends the sign-ins of an account waits for this, or this for him: see `endings`.
_OPENED = insert_while(
    _TABLE,
    SigninSession,
    SigninSession.id == bindparam("source"),
    SigninSession.ended_at.is_(None),
    SigninSession.role == Role.NATURAL_PERSON.value,
    left_out=(
        "enterprise_id",
        "mandate_id",
        "legal_account_id",
        "browser_key",
        "opened_by",
        "ended_at",
        "end_reason",
    ),
)
_COPIED = ("account", "proved_at", "browser", "address")
_OF_SOURCE = select(*(getattr(SigninSession, name) for name in _COPIED)).where(
    SigninSession.id == bindparam("source")
)


class AppUnused(GrantRefused):
    """The app asked for no token for so long that its sign-in has ended."""


def is_of_app(grant: Grant) -> bool:
    """Whether the grant hangs on a phone's sign-in."""
    return APP_SCOPE in grant.scope.split()


def open_app_session(
    db: Session, record: CodeRecord, source: SigninSession, *, lifetime: timedelta, now: datetime
) -> SigninSession:
    """The sign-in of the app whose code was redeemed, opened while the one behind the code still counts.

    Committed at once, as the grant that follows is. Its level is what the code was minted at. Raises
    SignInEnded.
    """
    behind = db.execute(_OF_SOURCE, {"source": source.id}).one()
    values: dict[str, Any] = {
        "id": uuid7(),
        # Nobody is given the token: no cookie can be made of this row.
        "token_hash": hash_token(new_token()),
        "sid": new_token(18),
        "person_id": source.person_id,
        "role": Role.NATURAL_PERSON.value,
        "amr": record.amr or source.amr,
        "acr": record.acr or source.acr,
        "auth_time": source.auth_time,
        "app": record.client_id,
        "seen_at": now,
        "expires_at": now + lifetime,
        "created_at": now,
        **behind._asdict(),
    }
    opened = db.connection().execute(_OPENED, {**values, "source": source.id}, execution_options=ALONE)
    if not opened.rowcount:
        raise SignInEnded("the sign-in behind this code has ended")
    return SigninSession(**values)


def note_use(db: Session, vault: Vault, live: LiveGrant, *, idle: timedelta, now: datetime) -> None:
    """Remember that the app asked for a token; noted at most once a minute.

    Raises AppUnused where it had not for longer than `idle`: its sign-in has ended then, for good.
    """
    if now - live.session.seen_at > idle:
        end_session(db, vault, live.session.id, reason=UNUSED, now=now)
        raise AppUnused("unused for too long")
    note_seen(db, live.session, now=now)
