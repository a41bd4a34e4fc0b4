"""What a person allowed a third-party client to see: remembered per person, identity, client and scope."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts.identity import Identity
from idp.accounts.models import Person
from idp.db import Base, begin_write, uuid7


class Consent(Base):
    """One remembered decision."""

    __tablename__ = "consents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    identity_key: Mapped[str] = mapped_column(String(80))
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(500))
    given_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("person_id", "identity_key", "client_id"),)


def is_given(db: Session, identity: Identity, client_id: str, scope: tuple[str, ...]) -> bool:
    """Whether everything in `scope` was allowed before, by this human in this capacity."""
    consent = _find(db, identity, client_id)
    return consent is not None and set(scope) <= set(consent.scope.split())


def give(db: Session, identity: Identity, client_id: str, scope: tuple[str, ...], *, now: datetime) -> None:
    """Remember that `scope` was allowed, beside what was allowed before."""
    # Two first answers of one person at once: the second finds what the first has written.
    begin_write(db)
    db.execute(select(Person.id).where(Person.id == identity.person_id).with_for_update())
    consent = _find(db, identity, client_id)
    if consent is None:
        consent = Consent(
            person_id=identity.person_id,
            identity_key=_key(identity),
            client_id=client_id,
            scope="",
            given_at=now,
        )
        db.add(consent)
    consent.scope = " ".join(sorted(set(consent.scope.split()) | set(scope)))
    consent.given_at = now


def _find(db: Session, identity: Identity, client_id: str) -> Consent | None:
    query = select(Consent).where(
        Consent.person_id == identity.person_id,
        Consent.identity_key == _key(identity),
        Consent.client_id == client_id,
    )
    return db.scalars(query).first()


def _key(identity: Identity) -> str:
    return f"{identity.role.value}:{identity.enterprise_id or ''}"
