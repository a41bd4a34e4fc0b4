"""Initial access tokens: by them an integrator registers clients without an administrator at hand.

An administrator makes one, says what may be registered with it and how often, and hands it over
(RFC 7591 §3). It is a right to register and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import JSON, CursorResult, LargeBinary, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.access.app_rules import APP_SCOPE
from idp.access.clients import ClientRefused
from idp.access.profiles import PROFILES
from idp.access.registration import DEFAULT_SCOPES, RESOURCE_SCOPE, SCOPES
from idp.crypto import hash_token, new_token
from idp.db import Base, uuid7

MOST_USES = 1000
LONGEST = timedelta(days=366)


class InvitationRefused(Exception):
    """The initial access token is unknown, ended, expired or used up."""


class RegistrationToken(Base):
    """An initial access token; `profile` and `scopes` bound what is registered, `uses_left` how often."""

    __tablename__ = "registration_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    label: Mapped[str] = mapped_column(String(120))
    profile: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    uses_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    def counts(self, *, now: datetime) -> bool:
        """Whether something can be registered with it now."""
        return self.ended_at is None and self.uses_left > 0 and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an administrator allows: to whom it is handed (`label`), what, how often, for how long."""

    label: str
    uses: int = 1
    life: timedelta = timedelta(days=7)
    profile: str = "basic"
    scopes: tuple[str, ...] = DEFAULT_SCOPES


def invite(db: Session, invitation: Invitation, *, now: datetime) -> tuple[RegistrationToken, str]:
    """Make an initial access token; returns its row and the token in clear, to be shown once.

    Raises ClientRefused.
    """
    _check(invitation)
    token = new_token()
    row = RegistrationToken(
        id=uuid7(),
        token_hash=hash_token(token),
        label=invitation.label,
        profile=invitation.profile,
        scopes=list(invitation.scopes),
        uses_left=invitation.uses,
        created_at=now,
        expires_at=now + invitation.life,
    )
    db.add(row)
    db.flush()
    return row, token


def find_invitation(db: Session, supplied: str, *, now: datetime) -> RegistrationToken:
    """The row of a token that counts; nothing is spent yet. Raises InvitationRefused."""
    by_hash = select(RegistrationToken).where(RegistrationToken.token_hash == hash_token(supplied))
    row = db.scalars(by_hash).first()
    if row is None or not row.counts(now=now):
        raise InvitationRefused
    return row


def redeem(db: Session, token_id: UUID, *, now: datetime) -> None:
    """Spend one use, in the transaction of what is registered with it. Of N at once, `uses_left` win.

    Raises InvitationRefused.
    """
    spend = (
        update(RegistrationToken)
        .where(
            RegistrationToken.id == token_id,
            RegistrationToken.uses_left > 0,
            RegistrationToken.ended_at.is_(None),
            RegistrationToken.expires_at > now,
        )
        .values(uses_left=RegistrationToken.uses_left - 1)
    )
    spent = db.execute(spend, execution_options={"synchronize_session": False})
    if not isinstance(spent, CursorResult) or spent.rowcount != 1:
        raise InvitationRefused


def end_invitation(row: RegistrationToken, *, now: datetime) -> None:
    """Nothing more is registered with it; what was registered stays. Raises ClientRefused."""
    if row.ended_at is not None:
        raise ClientRefused("This invitation has ended before.")
    row.ended_at = now


def list_invitations(db: Session) -> list[RegistrationToken]:
    """Every invitation, the latest first."""
    return list(db.scalars(select(RegistrationToken).order_by(RegistrationToken.id.desc())))


def _check(invitation: Invitation) -> None:
    label = invitation.label
    if not label.strip() or len(label) > 120 or not label.isprintable():
        raise ClientRefused("An invitation needs a label of at most 120 printable characters.")
    if not 1 <= invitation.uses <= MOST_USES:
        raise ClientRefused(f"An invitation has 1 to {MOST_USES} uses.")
    if not timedelta(0) < invitation.life <= LONGEST:
        raise ClientRefused(f"An invitation lives 1 to {LONGEST.days} days.")
    if invitation.profile not in PROFILES:
        raise ClientRefused(f"Unknown profile: choose from {', '.join(PROFILES)}.")
    for scope in invitation.scopes:
        if scope not in SCOPES and not RESOURCE_SCOPE.fullmatch(scope):
            raise ClientRefused(f"Unknown scope {scope[:60]!r}: choose from {', '.join(SCOPES)}.")
    if APP_SCOPE in invitation.scopes:
        raise ClientRefused("The scope app cannot be invited: an administrator registers apps himself.")
