"""What a person allowed a third-party client to see: remembered per person, identity, client and scope.

A third party's code names the consent it rests on, and becomes a grant only while that row is there
(:func:`idp.access.grants.open_grant`). A consent only ever grows; what was taken back and is given again
is another row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.access.clients import Client
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


@dataclass(frozen=True, slots=True)
class Allowed:
    """What somebody allowed a client, as he reads it."""

    client_id: str
    client_name: str
    scope: tuple[str, ...]
    given_at: datetime


def list_allowed(db: Session, identity: Identity) -> list[Allowed]:
    """What this human allowed in this capacity, the latest first; a first party asks nobody."""
    query = (
        select(Consent, Client.name)
        .join(Client, Client.client_id == Consent.client_id)
        .where(*_of(identity), Client.first_party.is_(False))
        .order_by(Consent.given_at.desc())
    )
    return [
        Allowed(consent.client_id, name, tuple(consent.scope.split()), consent.given_at)
        for consent, name in db.execute(query)
    ]


def find_given(db: Session, identity: Identity, client_id: str, scope: tuple[str, ...]) -> UUID | None:
    """The consent by which everything in `scope` is allowed, by this human in this capacity."""
    found = db.execute(
        select(Consent.id, Consent.scope).where(*_of(identity), Consent.client_id == client_id)
    ).first()
    return found.id if found is not None and set(scope) <= set(found.scope.split()) else None


def give(db: Session, identity: Identity, client_id: str, scope: tuple[str, ...], *, now: datetime) -> UUID:
    """Remember that `scope` was allowed, beside what was allowed before; the consent's id."""
    _lock(db, identity)
    query = select(Consent).where(*_of(identity), Consent.client_id == client_id)
    consent = db.scalars(query.execution_options(populate_existing=True)).first()
    if consent is None:
        consent = Consent(
            id=uuid7(),
            person_id=identity.person_id,
            identity_key=_key(identity),
            client_id=client_id,
            scope="",
            given_at=now,
        )
        db.add(consent)
    consent.scope = " ".join(sorted(set(consent.scope.split()) | set(scope)))
    consent.given_at = now
    return consent.id


def take_back(db: Session, identity: Identity, client_id: str) -> bool:
    """Forget what was allowed; False if nothing was.

    The rest is done by :func:`idp.access.endings.withdraw_consent`.
    """
    _lock(db, identity)
    gone = db.execute(
        delete(Consent).where(*_of(identity), Consent.client_id == client_id),
        execution_options={"synchronize_session": False},
    )
    return bool(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it


def _lock(db: Session, identity: Identity) -> None:
    """Of two changes by one person at once the second finds what the first has written."""
    begin_write(db)
    db.execute(select(Person.id).where(Person.id == identity.person_id).with_for_update())


def _of(identity: Identity) -> tuple[ColumnElement[bool], ...]:
    return Consent.person_id == identity.person_id, Consent.identity_key == _key(identity)


def _key(identity: Identity) -> str:
    return f"{identity.role.value}:{identity.enterprise_id or ''}"
