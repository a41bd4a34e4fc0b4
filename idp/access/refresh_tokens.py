"""Refresh tokens: families under a grant, rotated with reuse detection.

A refresh token's successor is derived from it by HMAC: a client whose answer was lost repeats the
request within the grace time and gets the same successor, although only hashes are stored; one that
proves the key its grant is bound to may do so until it has used the successor. Any other reuse ends the
whole grant (RFC 9700 §4.14).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.access.ended_sessions import end_grant
from idp.access.grants import Grant, GrantRefused, LiveGrant, SignInEnded, find_grant
from idp.crypto import Vault, hash_token, keyed_digest, new_token
from idp.db import Base


class RefreshUnknown(GrantRefused):
    """No such refresh token for this client, or its grant was ended."""


class ScopeWidened(GrantRefused):
    """More was asked for than the grant allows; nothing was spent."""


class RefreshReused(GrantRefused):
    """A refresh token was used again after its grace: the grant has been ended."""


class RefreshToken(Base):
    """One member of a grant's family of refresh tokens."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_refresh_tokens_grant", "grant_id"),)


def first_refresh_token(db: Session, grant: Grant, *, now: datetime) -> str:
    """The first refresh token of a grant's family."""
    token = new_token()
    _store_refresh(db, token, grant.id, now=now)
    return token


def rotate_refresh_token(
    db: Session,
    vault: Vault,
    supplied: str,
    *,
    client_id: str,
    wanted: frozenset[str],
    admit: Callable[[Grant], None],
    rotates: bool = True,
    key: bytes,
    grace: timedelta,
    now: datetime,
) -> tuple[LiveGrant, str]:
    """Spend `supplied` and return its grant with the successor; `wanted` is the scope asked for.

    `admit` looks at the grant before anything is spent, and raises what it will to refuse it. Where nothing
    `rotates`, a token that was never spent is its own successor.

    Raises RefreshReused when a spent token comes back after its grace (a grant bound to a key has no such
    limit) or once its successor was used: the family is ended. Raises ScopeWidened before anything is
    spent. Raises RefreshUnknown when the token is unknown, another client's, or its grant was ended,
    SignInEnded when the sign-in was.
    """
    digest = hash_token(supplied)
    found = db.execute(
        select(RefreshToken, Grant)
        .join(Grant, Grant.id == RefreshToken.grant_id)
        .where(RefreshToken.token_hash == digest)
    ).first()
    if found is None or found[1].client_id != client_id or found[1].ended_at is not None:
        raise RefreshUnknown("unknown, another client's, or revoked")
    token, grant = found
    if not wanted <= set(grant.scope.split()):
        msg = "The scope is wider than what was granted."
        raise ScopeWidened(msg)
    admit(grant)
    if not rotates and token.used_at is None:
        return _alive(db, grant.id, now=now), supplied
    successor = keyed_digest(key, "refresh", supplied)
    spent = db.execute(
        update(RefreshToken)
        .where(RefreshToken.token_hash == digest, RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if spent.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        _store_refresh(db, successor, grant.id, now=now)
    else:
        _forgive_or_end(db, vault, token, successor, grant, grace=grace, now=now)
    return _alive(db, grant.id, now=now), successor


def find_refresh_token(db: Session, supplied: str) -> tuple[RefreshToken, Grant] | None:
    """The refresh token and its grant, whatever their state."""
    row = db.execute(
        select(RefreshToken, Grant)
        .join(Grant, Grant.id == RefreshToken.grant_id)
        .where(RefreshToken.token_hash == hash_token(supplied))
    ).first()
    return (row[0], row[1]) if row else None


def _alive(db: Session, grant_id: UUID, *, now: datetime) -> LiveGrant:
    lives = find_grant(db, grant_id, now=now)
    if lives is None:
        raise SignInEnded("the sign-in behind this refresh token has ended")
    return lives


def _forgive_or_end(
    db: Session,
    vault: Vault,
    token: RefreshToken,
    successor: str,
    grant: Grant,
    *,
    grace: timedelta,
    now: datetime,
) -> None:
    db.refresh(token)
    next_one = db.get(RefreshToken, hash_token(successor))
    # `admit` saw the key proved: it is the client that lost the answer, however long its phone lay in a
    # tunnel. Whoever stole both would have used the successor.
    in_time = grant.dpop_jkt is not None or (token.used_at is not None and now - token.used_at <= grace)
    if in_time and next_one is not None and next_one.used_at is None:
        return
    end_grant(db, vault, grant.id, now=now)
    msg = "The refresh token was used before; every token of this sign-in with the client is revoked."
    raise RefreshReused(msg)


def _store_refresh(db: Session, token: str, grant_id: UUID, *, now: datetime) -> None:
    db.add(RefreshToken(token_hash=hash_token(token), grant_id=grant_id, created_at=now))
    db.flush()
