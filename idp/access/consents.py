"""What a person allowed a third-party client to see: remembered per person, identity, client and scope.

What is taken back is dead at once: the grants end, so that no token of theirs counts any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Select, String, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.access import logouts
from idp.access.clients import Client
from idp.access.grants import Grant
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.identity import Identity
from idp.accounts.models import Person
from idp.accounts.sessions import SigninSession
from idp.crypto import Vault
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


def withdraw(
    db: Session,
    vault: Vault,
    trail: Trail,
    identity: Identity,
    client_id: str,
    origin: Origin,
    *,
    now: datetime,
) -> bool:
    """Take back what was allowed to a client; False if nothing was.

    What it was granted in this capacity ends with it, and it is told that its sign-ins have ended.
    """
    begin_write(db)
    gone = db.execute(
        delete(Consent).where(*_of(identity), Consent.client_id == client_id),
        execution_options={"synchronize_session": False},
    )
    if not gone.rowcount:  # type: ignore[attr-defined]  # a DELETE's result has it
        return False
    sessions = set(
        db.scalars(
            update(Grant)
            .where(
                Grant.client_id == client_id, Grant.ended_at.is_(None), Grant.session_id.in_(_open(identity))
            )
            .values(ended_at=now)
            .returning(Grant.session_id)
            .execution_options(synchronize_session=False)
        )
    )
    logouts.tell(db, vault, sessions, only=client_id, now=now)
    event = Event(
        Action.CONSENT_WITHDRAWN, entity=str(identity.enterprise_id or ""), target=f"client:{client_id}"
    )
    trail.record(db, event, origin, now=now)
    return True


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
    return db.scalars(select(Consent).where(*_of(identity), Consent.client_id == client_id)).first()


def _of(identity: Identity) -> tuple[ColumnElement[bool], ...]:
    return Consent.person_id == identity.person_id, Consent.identity_key == _key(identity)


def _open(identity: Identity) -> Select[UUID]:
    """The ids of the sign-ins of this human in this capacity that did not end."""
    return select(SigninSession.id).where(
        SigninSession.person_id == identity.person_id,
        SigninSession.role == identity.role.value,
        SigninSession.enterprise_id == identity.enterprise_id,
        SigninSession.ended_at.is_(None),
    )


def _key(identity: Identity) -> str:
    return f"{identity.role.value}:{identity.enterprise_id or ''}"
