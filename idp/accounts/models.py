"""The tables of accounts: the human, the company, and the right by which one acts for the other.

ID numbers, phones and names of people are sealed (:class:`idp.crypto.Vault`); the ``*_index``
columns are blind indexes for look-up. Column names used for sealing are part of the data format.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.accounts.calendar import civil_day, day_begins
from idp.crypto import Vault, new_token
from idp.db import Base, partial_index, uuid7


class IdType(StrEnum):
    """Kinds of identity document (MISSION section Y)."""

    RESIDENT = "resident_id"
    HK_MACAO = "hk_macao_permit"
    TAIWAN = "taiwan_permit"
    FOREIGN_PR = "foreign_permanent_id"
    PASSPORT = "passport"


class EnterpriseType(StrEnum):
    """法人类型 (B03, MISSION section Y)."""

    COMPANY = "企业法人"
    SOLE_TRADER = "个体工商户"
    COOPERATIVE = "农民专业合作社"
    INSTITUTION = "事业单位法人"
    ORGAN = "机关法人"
    SOCIAL_GROUP = "社会团体法人"
    PRIVATE_NON_ENTERPRISE = "民办非企业单位"
    RURAL_COLLECTIVE = "农村集体经济组织"
    OTHER = "其他组织"


class EnterpriseStatus(StrEnum):
    """What the business registry says of a company."""

    NORMAL = "normal"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"


class Person(Base):
    """A human. `subject_salt` is what subject identifiers are made of; it never changes.

    One who is known as a company's representative, or was brought over from an older platform
    (`brought_from`, B23), may have no password of his own yet. Where `id_valid_from` is known,
    `id_valid_until` None is 长期.
    """

    __tablename__ = "people"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    id_type: Mapped[str] = mapped_column(String(32), default=IdType.RESIDENT.value)
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary(33))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(33), unique=True)
    id_valid_from: Mapped[date | None]
    id_valid_until: Mapped[date | None]
    brought_from: Mapped[str] = mapped_column(String(40), default="", server_default="")
    subject_salt: Mapped[str] = mapped_column(String(64), default=new_token)
    suspended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (Index("uq_people_id_number", "id_number_index", "id_type", unique=True),)

    def name(self, vault: Vault) -> str:
        """The full name."""
        return vault.open("people.name", self.id, self.name_sealed)

    def id_number(self, vault: Vault) -> str | None:
        """The number of the identity document, if one is known."""
        return (
            vault.open("people.id_number", self.id, self.id_number_sealed) if self.id_number_sealed else None
        )

    def phone(self, vault: Vault) -> str | None:
        """The phone number, 11 digits, if one is known."""
        return vault.open("people.phone", self.id, self.phone_sealed) if self.phone_sealed else None

    def set_name(self, vault: Vault, name: str) -> None:
        """Seal `name` into this row, which must already have its id."""
        self.name_sealed = vault.seal("people.name", self.id, name)

    def set_id_number(self, vault: Vault, id_number: str) -> None:
        """Seal the document number and its blind index."""
        self.id_number_sealed = vault.seal("people.id_number", self.id, id_number)
        self.id_number_index = vault.index("id_number", id_number)

    def set_phone(self, vault: Vault, phone: str) -> None:
        """Seal the phone number and its blind index."""
        self.phone_sealed = vault.seal("people.phone", self.id, phone)
        self.phone_index = vault.index("phone", phone)

    def forget_phone(self) -> None:
        """No phone is known of him any more."""
        self.phone_sealed = self.phone_index = None


class Enterprise(Base):
    """A company, known by its unified social credit code; name and code are public registry data."""

    __tablename__ = "enterprises"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    type: Mapped[str] = mapped_column(String(32), default=EnterpriseType.COMPANY.value)
    status: Mapped[str] = mapped_column(String(16), default=EnterpriseStatus.NORMAL.value)
    representative_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    suspended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    representative: Mapped[Person] = relationship(lazy="raise_on_sql")
    account: Mapped[LegalAccount | None] = relationship(back_populates="enterprise", lazy="raise_on_sql")


class LegalAccount(Base):
    """A company's own account, held by its legal representative; `activated_at` None is 待激活 (A19)."""

    __tablename__ = "legal_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), unique=True)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    activated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    enterprise: Mapped[Enterprise] = relationship(back_populates="account", lazy="raise_on_sql")

    def phone(self, vault: Vault) -> str | None:
        """The company's reserved phone, 11 digits, if one is known."""
        return vault.open("legal_accounts.phone", self.id, self.phone_sealed) if self.phone_sealed else None

    def set_phone(self, vault: Vault, phone: str) -> None:
        """Seal the reserved phone."""
        self.phone_sealed = vault.seal("legal_accounts.phone", self.id, phone)


class Mandate(Base):
    """The right of one person to act for one company, on calendar days, both ends included (section Y)."""

    __tablename__ = "mandates"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    manage_operators: Mapped[bool] = mapped_column(default=False)
    manage_seals: Mapped[bool] = mapped_column(default=False)
    department: Mapped[str | None] = mapped_column(String(100))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(33))
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    enterprise: Mapped[Enterprise] = relationship(lazy="raise_on_sql")
    person: Mapped[Person] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days_in_order"),
        partial_index(
            "uq_mandates_one_live", "enterprise_id", "person_id", unique=True, where="ended_at IS NULL"
        ),
        Index("ix_mandates_phone", "enterprise_id", "phone_index"),
    )

    @property
    def valid_from(self) -> datetime:
        """The first instant of the mandate."""
        return day_begins(self.first_day)

    @property
    def valid_until(self) -> datetime:
        """The first instant after the mandate: 20210331 ends at 2021-04-01T00:00+08:00."""
        return day_begins(self.last_day + timedelta(days=1))

    def is_live(self, now: datetime) -> bool:
        """Whether it was not ended and `now` is one of its days."""
        return self.ended_at is None and self.first_day <= civil_day(now) <= self.last_day

    def phone(self, vault: Vault) -> str | None:
        """The operator's phone for this company, 11 digits, if one is known."""
        return vault.open("mandates.phone", self.id, self.phone_sealed) if self.phone_sealed else None

    def set_phone(self, vault: Vault, phone: str) -> None:
        """Seal the operator's phone for this company and its blind index."""
        self.phone_sealed = vault.seal("mandates.phone", self.id, phone)
        self.phone_index = vault.index("phone", phone)


class LoginName(Base):
    """An account name, lower case, unique over people and companies (X1)."""

    __tablename__ = "login_names"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), unique=True)
    legal_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("legal_accounts.id"), unique=True)

    __table_args__ = (CheckConstraint("(person_id IS NULL) <> (legal_account_id IS NULL)", name="one_owner"),)


class Credential(Base):
    """A password (Argon2id) of exactly one owner. A mandate's password opens that mandate alone.

    `locked_at`: its owner said 不是我, and nothing of the account opens until its password is reset.
    `forgotten_browsers`: ids of browsers that were known to the account and are so no longer.
    """

    __tablename__ = "credentials"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), unique=True)
    legal_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("legal_accounts.id"), unique=True)
    mandate_id: Mapped[UUID | None] = mapped_column(ForeignKey("mandates.id"), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]
    locked_at: Mapped[datetime | None]
    forgotten_browsers: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")

    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN person_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN legal_account_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN mandate_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_owner",
        ),
    )
