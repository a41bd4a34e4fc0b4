"""The PIN a person unlocks his phone app with, and the agreement he gave when he set it (B24).

One PIN a person, whatever phone he has; it is kept as a password is (Argon2id) and checked by this provider
alone. Tries are counted by the caller before it is looked at. It becomes the password of the person's
certificate when the seal service arrives.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.db import Base, begin_write


class AppPin(Base):
    """A person's PIN, and which version of the agreement he gave when."""

    __tablename__ = "app_pins"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    pin_hash: Mapped[str] = mapped_column(String(255))
    set_at: Mapped[datetime]
    agreement: Mapped[str] = mapped_column(String(16))
    agreed_at: Mapped[datetime]


def find_pin(db: Session, person_id: UUID) -> AppPin | None:
    """The person's PIN as it is now; None before he has set one."""
    mine = select(AppPin).where(AppPin.person_id == person_id)
    return db.scalars(mine, execution_options={"populate_existing": True}).first()


def remove_pin(db: Session, person_id: UUID) -> None:
    """Take the person's PIN away, if he has one; he sets another when he signs in to the app again."""
    gone = delete(AppPin).where(AppPin.person_id == person_id)
    db.execute(gone, execution_options={"synchronize_session": False})


def put_pin(
    db: Session, person_id: UUID, *, old_hash: str | None, new_hash: str, agreement: str, now: datetime
) -> bool:
    """Put a PIN in the place of exactly `old_hash`, or of none, with the agreement that was given for it.

    False if somebody else set one meanwhile.
    """
    given = {"pin_hash": new_hash, "set_at": now, "agreement": agreement, "agreed_at": now}
    if old_hash is not None:
        replaced = db.execute(
            update(AppPin)
            .where(AppPin.person_id == person_id, AppPin.pin_hash == old_hash)
            .values(**given)
            .execution_options(synchronize_session=False)
        )
        return bool(replaced.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it
    begin_write(db)
    try:
        with db.begin_nested():
            db.execute(insert(AppPin).values(person_id=person_id, **given))
    except IntegrityError:
        return False
    return True
