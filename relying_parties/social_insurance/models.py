"""The portal's own records: insured units, the people registered for them, and who of them has signed in.

A document number is kept as a keyed hash, for comparison, and masked, for showing.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from relying_parties.kit.database import Base
from relying_parties.kit.identity import Role


class InsuredUnit(Base):
    """A unit registered for social insurance."""

    __tablename__ = "insured_units"

    uscc: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    people: Mapped[list["UnitPerson"]] = relationship(order_by="UnitPerson.id", cascade="all, delete-orphan")

    def registered(self, role: str) -> list["UnitPerson"]:
        """The people registered for this unit in `role`."""
        return [person for person in self.people if person.role == role]

    @property
    def representatives(self) -> list["UnitPerson"]:
        """Its 法定代表人."""
        return self.registered(Role.LEGAL_REPRESENTATIVE)

    @property
    def operators(self) -> list["UnitPerson"]:
        """Its 经办人."""
        return self.registered(Role.OPERATOR)


class UnitPerson(Base):
    """Somebody registered for a unit, as its legal representative or as an operator."""

    __tablename__ = "unit_people"
    __table_args__ = (UniqueConstraint("uscc", "role", "document_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(ForeignKey("insured_units.uscc", ondelete="CASCADE"))
    role: Mapped[str]
    name: Mapped[str]
    document_hash: Mapped[str]
    document_masked: Mapped[str]


class Link(Base):
    """The provider's subject who proved at his first sign-in to be registered here; gone with that record."""

    __tablename__ = "links"

    sub: Mapped[str] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("unit_people.id", ondelete="CASCADE"), index=True)
    linked_at: Mapped[datetime]
