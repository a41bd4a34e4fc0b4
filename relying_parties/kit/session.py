"""What a portal remembers of browsers, in its own database: sign-ins under way, sessions, refusals.

The browser holds opaque keys only and the database their hashes, so a copy of it opens nothing. A sign-in
under way is found by its `state` and only for the browser that began it: an answer carried to another
browser is worth nothing there (RFC 9700 §4.7). One session a browser; it is keyed by `sub` and the
company's credit code.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Text, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from relying_parties.kit.database import Base
from relying_parties.kit.identity import Kind, Profile
from relying_parties.kit.oidc import AuthorizationRequest, Begun, SignIn

ATTEMPT_LIFE: Final = timedelta(minutes=10)
REFUSAL_LIFE: Final = timedelta(minutes=10)
IDLE: Final = timedelta(minutes=30)
LIFETIME: Final = timedelta(hours=8)
_NOTICED_EVERY = timedelta(minutes=1)


class Attempt(Base):
    """A sign-in under way."""

    __tablename__ = "sign_in_attempts"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]
    kind: Mapped[str]
    nonce: Mapped[str]
    verifier: Mapped[str]
    next_path: Mapped[str]
    anew: Mapped[bool]
    begun_at: Mapped[datetime] = mapped_column(index=True)


class PortalSession(Base):
    """A browser signed in to this portal."""

    __tablename__ = "sessions"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str]
    sid: Mapped[str | None] = mapped_column(index=True)
    uscc: Mapped[str | None]
    profile: Mapped[str] = mapped_column(Text)
    id_token: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class Refusal(Base):
    """Somebody the provider knows and this portal does not let in, kept for him to read why and sign out."""

    __tablename__ = "refusals"

    browser_hash: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    id_token: Mapped[str] = mapped_column(Text)
    refused_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Taken:
    """A sign-in under way, taken once by its answer."""

    begun: Begun
    next_path: str


@dataclass(frozen=True)
class Live:
    """A live session, or a refusal that can still be read."""

    profile: Profile
    id_token: str = field(repr=False)
    reason: str = ""


def new_key() -> str:
    """A fresh opaque key for a cookie: 256 random bits."""
    return secrets.token_urlsafe(32)


def keep_attempt(
    session: Session,
    request: AuthorizationRequest,
    browser: str,
    kind: Kind,
    next_path: str,
    *,
    anew: bool,
    now: datetime,
) -> None:
    """Remember `request` for the browser with this key; what is too old goes."""
    session.execute(delete(Attempt).where(Attempt.begun_at <= now - ATTEMPT_LIFE))
    session.add(
        Attempt(
            state_hash=_hash(request.state),
            browser_hash=_hash(browser),
            kind=kind,
            nonce=request.nonce,
            verifier=request.verifier,
            next_path=next_path,
            anew=anew,
            begun_at=now,
        )
    )


def take_attempt(session: Session, state: str, browser: str, now: datetime) -> Taken | None:
    """The sign-in that `browser` began with `state`, which is then gone; None if there is no such one."""
    attempt = session.scalars(
        delete(Attempt)
        .where(Attempt.state_hash == _hash(state), Attempt.browser_hash == _hash(browser))
        .returning(Attempt)
    ).one_or_none()
    if attempt is None or attempt.begun_at <= now - ATTEMPT_LIFE:
        return None
    since = attempt.begun_at if attempt.anew else None
    return Taken(Begun(Kind(attempt.kind), attempt.nonce, attempt.verifier, since), attempt.next_path)


def open_session(session: Session, signed_in: SignIn, now: datetime) -> str:
    """The key of a new session; it ends with the mandate it rests on, if not before."""
    session.execute(delete(PortalSession).where(PortalSession.ends_at <= now))
    profile = signed_in.identity.profile
    ends_at = now + LIFETIME
    if profile.mandate is not None:
        ends_at = min(ends_at, profile.mandate.valid_until)
    key = new_key()
    session.add(
        PortalSession(
            key_hash=_hash(key),
            sub=profile.sub,
            sid=signed_in.sid,
            uscc=profile.company.uscc if profile.company else None,
            profile=profile.model_dump_json(),
            id_token=signed_in.id_token,
            seen_at=now,
            ends_at=ends_at,
        )
    )
    return key


def live_session(session: Session, key: str, now: datetime) -> tuple[Live, bool] | None:
    """The session with this key if it has not ended, and whether `notice` is due; None otherwise."""
    row = session.scalars(
        select(PortalSession).where(
            PortalSession.key_hash == _hash(key),
            PortalSession.ends_at > now,
            PortalSession.seen_at > now - IDLE,
        )
    ).one_or_none()
    if row is None:
        return None
    return Live(Profile.model_validate_json(row.profile), row.id_token), now - row.seen_at >= _NOTICED_EVERY


def notice(session: Session, key: str, now: datetime) -> None:
    """The session with this key was used just now."""
    session.execute(update(PortalSession).where(PortalSession.key_hash == _hash(key)).values(seen_at=now))


def end_session(session: Session, key: str) -> str | None:
    """End the session with this key; its ID token, so that even an idle one can be ended at the provider."""
    return session.scalars(
        delete(PortalSession).where(PortalSession.key_hash == _hash(key)).returning(PortalSession.id_token)
    ).one_or_none()


def end_sessions_of(session: Session, *, sub: str | None, sid: str | None) -> None:
    """End the sessions that came from the provider's sign-in `sid`, of the person `sub` where he is named."""
    which = PortalSession.sid == sid
    session.execute(delete(PortalSession).where(which & (PortalSession.sub == sub) if sub else which))


def keep_refusal(session: Session, signed_in: SignIn, reason: str, browser: str, now: datetime) -> None:
    """Remember why the identity in this browser was not let in; what is too old goes."""
    session.execute(delete(Refusal).where(Refusal.refused_at <= now - REFUSAL_LIFE))
    session.merge(
        Refusal(
            browser_hash=_hash(browser),
            profile=signed_in.identity.profile.model_dump_json(),
            reason=reason,
            id_token=signed_in.id_token,
            refused_at=now,
        )
    )


def live_refusal(session: Session, browser: str, now: datetime) -> Live | None:
    """Why this browser's last sign-in was refused, while that can be read."""
    row = session.scalars(
        select(Refusal).where(Refusal.browser_hash == _hash(browser), Refusal.refused_at > now - REFUSAL_LIFE)
    ).one_or_none()
    return None if row is None else Live(Profile.model_validate_json(row.profile), row.id_token, row.reason)


def forget_refusal(session: Session, browser: str) -> str | None:
    """Forget what was refused to this browser; the ID token it came with."""
    return session.scalars(
        delete(Refusal).where(Refusal.browser_hash == _hash(browser)).returning(Refusal.id_token)
    ).one_or_none()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
