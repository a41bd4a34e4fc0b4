"""Authorization codes and grants.

A code lives in the ephemeral store and is taken once, atomically, before anything is minted. What
it gives is a grant: a row tied to the sign-in session, found again by the code's hash when the code
is replayed. Access tokens carry the grant's id; refresh tokens are a family under the grant
(:mod:`idp.access.refresh_tokens`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    bindparam,
    case,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, load_only, mapped_column

from idp.access.consents import Consent
from idp.accounts.models import Enterprise, LoginName, Mandate, Person
from idp.accounts.sessions import LEAN, LIVE, SigninSession, as_of
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token, new_token
from idp.db import ALONE, Base, insert_while, uuid7

_REDEEMING_SECONDS = 60
_CLOCK_SKEW_SECONDS = 8


class GrantRefused(Exception):
    """A code or refresh token gives nothing; the message is for the integrator and tells no secret."""


class SignInEnded(GrantRefused):
    """The sign-in, account, company or mandate behind it has ended."""


class ConsentWithdrawn(GrantRefused):
    """What the person had allowed was taken back before the code came."""


class Grant(Base):
    """What one authorization code, or one device code, was redeemed for.

    `dpop_jkt` is the thumbprint of the key its refresh tokens are bound to (RFC 9449 §5), `resources` those
    its access tokens may be for (RFC 8707), `claims` those asked for beside the scope (OIDC Core §5.5).
    `acr` and `amr` are the sign-in's at the moment when this was allowed; NULL before they were kept.
    """

    __tablename__ = "grants"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("signin_sessions.id"), index=True)
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    scope: Mapped[str] = mapped_column(String(500))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    resources: Mapped[list[str] | None] = mapped_column(JSON)
    claims: Mapped[list[str] | None] = mapped_column(JSON)
    acr: Mapped[str | None] = mapped_column(String(64))
    amr: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class EndedToken(Base):
    """An access token revoked by itself, remembered until it would have expired (RFC 7009)."""

    __tablename__ = "ended_tokens"

    jti: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


_GRANTED = (
    Grant.client_id,
    Grant.scope,
    Grant.dpop_jkt,
    Grant.resources,
    Grant.claims,
    Grant.acr,
    Grant.amr,
)
# Built once, like LIVE itself: building these would cost more than running them.
_OF_SESSION = LIVE.options(*LEAN).where(SigninSession.id == bindparam("session_id"))
_USERNAME = case(
    (
        SigninSession.legal_account_id.is_not(None),
        select(LoginName.name)
        .where(LoginName.legal_account_id == SigninSession.legal_account_id)
        .scalar_subquery(),
    ),
    else_=select(LoginName.name).where(LoginName.person_id == SigninSession.person_id).scalar_subquery(),
)
_OF_GRANT = (
    LIVE.options(*LEAN, load_only(*_GRANTED))
    .add_columns(Grant, _USERNAME)
    .join(Grant, Grant.session_id == SigninSession.id)
    .where(Grant.id == bindparam("grant_id"), Grant.ended_at.is_(None))
)
_TABLE = Grant.metadata.tables[Grant.__tablename__]
_NEW_GRANT = insert(_TABLE)
# Whoever withdraws a consent deletes its row first and ends the grants then.
_NEW_GRANT_AGREED = insert_while(_TABLE, Consent, Consent.id == bindparam("consent"), left_out=("ended_at",))
_OF_TOKEN = _OF_GRANT.where(~exists().where(EndedToken.jti == bindparam("jti")))


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """What an authorization code stands for. It names the session, and copies what a later proof changes.

    `acr` and `amr` are what the sign-in had reached when the code was minted: whoever steps up afterwards
    lifts nobody's code. `consent` is what a third party's code rests on; a first party asks nobody.
    `dpop_jkt` binds the code itself to a key (RFC 9449 §10).
    """

    session_id: str
    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    nonce: str | None
    minted_at: float
    expires_at: float
    code_hash: str = ""
    dpop_jkt: str | None = None
    resources: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    acr: str | None = None
    amr: str | None = None
    consent: str | None = None


_KEPT = tuple(field.name for field in fields(CodeRecord))


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """A grant that counts now, with everything it rests on.

    `username` is the account name that was signed in with, as far as :func:`find_grant` read it.
    """

    grant: Grant
    session: SigninSession
    person: Person
    enterprise: Enterprise | None
    mandate: Mandate | None
    username: str | None = None

    @property
    def acr(self) -> str:
        """The level at which this was granted; what its sign-in proves later lifts later grants alone."""
        return self.grant.acr or self.session.acr

    @property
    def amr(self) -> list[str]:
        """The ways that had been proved when this was granted."""
        return (self.grant.amr or self.session.amr).split()

    def ends_by(self, limit: datetime) -> datetime:
        """The earlier of `limit`, the sign-in's end and the mandate's end: no token outlives them."""
        ends = [limit, self.session.expires_at]
        if self.mandate:
            ends.append(self.mandate.valid_until)
        return min(ends)


def mint_code(store: EphemeralStore, record: CodeRecord, *, ttl: int) -> str:
    """A new authorization code for `record`."""
    code = new_token()
    # Nothing in a record has parts to copy, which `asdict` would look for in each field.
    kept = {name: getattr(record, name) for name in _KEPT}
    store.put(f"code:{hash_token(code).hex()}", json.dumps(kept).encode(), ttl=ttl)
    return code


def redeem_code(
    db: Session, store: EphemeralStore, supplied: str, *, client_id: str, now: datetime
) -> CodeRecord | None:
    """Take the code: whoever gets the record is the only one. None if it is unknown, spent or expired.

    A replay of a code that was redeemed ends what it gave (RFC 6749 §4.1.2). A code presented by
    another client is spent and gives nothing.
    """
    digest = hash_token(supplied)
    kept = store.take(f"code:{digest.hex()}")
    if kept is None:
        end_replayed(db, store, digest.hex(), now=now)
        return None
    record = CodeRecord(**{**json.loads(kept), "code_hash": digest.hex()})
    # A clock that was set back must not revive a code: one from the future is refused too.
    in_its_time = record.minted_at - _CLOCK_SKEW_SECONDS <= now.timestamp() < record.expires_at
    return record if in_its_time and record.client_id == client_id else None


def end_replayed(db: Session, store: EphemeralStore, code_hash: str, *, now: datetime) -> None:
    """End what a code gave that comes back after it was taken; nothing happens for one that never was."""
    # Whoever took it may not have opened his grant yet; then he finds this mark (see `open_grant`).
    store.put(_replay_mark(code_hash), b"1", ttl=_REDEEMING_SECONDS)
    _end(db, Grant.code_hash == bytes.fromhex(code_hash), now=now, **ALONE)


def open_grant(
    db: Session,
    store: EphemeralStore,
    record: CodeRecord,
    *,
    dpop_jkt: str | None = None,
    hung_on: Callable[[SigninSession], SigninSession] | None = None,
    now: datetime,
) -> LiveGrant:
    """The grant a redeemed code gives, if the sign-in behind it still counts.

    `dpop_jkt` binds its refresh tokens to a key; `hung_on` makes the sign-in that it hangs on where that is
    another than the one behind the code (:mod:`idp.access.app_sessions`). Its tokens are dead at birth when
    the code was replayed while it was being redeemed.

    Raises SignInEnded when the session, account, company or mandate ended in between, and ConsentWithdrawn
    when the consent did.
    """
    row = db.execute(_OF_SESSION, {**as_of(now), "session_id": UUID(record.session_id)}).first()
    if row is None:
        raise SignInEnded("the sign-in behind this code has ended")
    behind, person, enterprise, mandate = row
    session = hung_on(behind) if hung_on else behind
    grant_id = uuid7()
    values = {
        "id": grant_id,
        "session_id": session.id,
        "client_id": record.client_id,
        "scope": record.scope,
        "code_hash": bytes.fromhex(record.code_hash),
        "dpop_jkt": dpop_jkt,
        "resources": list(record.resources) or None,
        "claims": list(record.claims) or None,
        "acr": record.acr,
        "amr": record.amr,
        "created_at": now,
    }
    _insert_grant(db, values, record.consent)
    if store.get(_replay_mark(record.code_hash)) is not None:
        end_grant(db, grant_id, now=now)
    # Who asks for single claims may ask for the account name, which only `find_grant` reads.
    complete = find_grant(db, grant_id, now=now) if record.claims else None
    return complete or LiveGrant(Grant(**values), session, person, enterprise, mandate)


def find_grant(db: Session, grant_id: UUID, *, jti: str | None = None, now: datetime) -> LiveGrant | None:
    """The grant with this id if it counts now, and the access token `jti` was not revoked by itself."""
    query, which = _OF_GRANT, {**as_of(now), "grant_id": grant_id}
    if jti is not None:
        query, which["jti"] = _OF_TOKEN, jti
    row = db.execute(query, which).first()
    return LiveGrant(row[4], row[0], row[1], row[2], row[3], row[5]) if row else None


def end_grant(db: Session, grant_id: UUID, *, now: datetime) -> None:
    """End a grant and every token under it, now and for good; with an app's grant, its sign-in."""
    _end(db, Grant.id == grant_id, now=now)


def end_access_token(db: Session, jti: str, *, expires_at: datetime) -> None:
    """Revoke one access token by itself, committed at once."""
    ended = insert(EndedToken).values(jti=jti, expires_at=expires_at)
    # Two may revoke the same token together, and both are right.
    with suppress(IntegrityError):
        db.execute(ended, execution_options=ALONE)


def is_ended(db: Session, jti: str) -> bool:
    """Whether the access token with this id was revoked by itself."""
    return db.scalar(select(EndedToken.jti).where(EndedToken.jti == jti)) is not None


def _end(db: Session, which: ColumnElement[bool], *, now: datetime, **options: Any) -> None:
    options["synchronize_session"] = False
    ended = update(Grant).where(which, Grant.ended_at.is_(None)).values(ended_at=now)
    db.execute(ended, execution_options=options)
    # A phone's sign-in was made for its one grant.
    its_own = SigninSession.id.in_(select(Grant.session_id).where(which)), SigninSession.app.is_not(None)
    of_app = update(SigninSession).where(*its_own, SigninSession.ended_at.is_(None))
    db.execute(of_app.values(ended_at=now, end_reason="signed_out"), execution_options=options)


def _insert_grant(db: Session, values: dict[str, Any], consent: str | None) -> None:
    if consent is None:
        db.execute(_NEW_GRANT, values, execution_options=ALONE)
        return
    rests_on = {**values, "consent": UUID(consent)}
    opened = db.connection().execute(_NEW_GRANT_AGREED, rests_on, execution_options=ALONE)
    if not opened.rowcount:
        raise ConsentWithdrawn("the person has taken back what he allowed")


def _replay_mark(code_hash: str) -> str:
    return f"code-replayed:{code_hash}"
