"""Second factors: what an account has beside its password.

A factor belongs to one account as a password does: a person's own, a company's, a mandate's, a staff
member's. What was set up for a mandate opens that mandate alone, so that a company that knows a
mandate's password gains nothing towards the person's own account. The account is named by its key
(:func:`idp.accounts.identity.account_of`), the same name that throttling and the audit trail use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Index,
    LargeBinary,
    SQLColumnExpression,
    String,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.crypto import Vault
from idp.db import Base, begin_write, uuid7, written_out

MOST_OF_A_KIND = 5
"""Of one kind, for one account: enough for every device, too few to hide one among."""


class FactorsFull(Exception):
    """The account has as many factors of this kind as it may have."""


class Kind(StrEnum):
    """The kinds of factor one can add, name and remove."""

    TOTP = "totp"
    PASSKEY = "passkey"
    SMS = "sms"


class TotpSecret(Base):
    """An authenticator app (RFC 6238). `last_step` is the time step of the last code it spent."""

    __tablename__ = "totp_secrets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(48))
    name: Mapped[str] = mapped_column(String(40))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_totp_secrets_account", "account"),)

    def secret(self, vault: Vault) -> str:
        """The shared secret, base32."""
        return vault.open("totp_secrets.secret", self.id, self.secret_sealed)


class Passkey(Base):
    """A WebAuthn credential with user verification: a first factor, and a second one."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(48))
    name: Mapped[str] = mapped_column(String(40))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(JSON, default=list)
    backed_up: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_passkeys_account", "account"),)


class SmsFactor(Base):
    """That codes sent to the phone of record are asked for: there is one of these, and nothing to name.

    It names no phone: the codes go to the phone of record as it is when they are sent.
    """

    __tablename__ = "sms_factors"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(48), unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of ten codes for the day the phone is lost; only a keyed digest is kept, and each works once."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(48))
    code_index: Mapped[bytes] = mapped_column(LargeBinary(33))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_recovery_codes_account", "account"),)


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor as its owner sees it."""

    kind: Kind
    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


_TABLES: dict[Kind, type[TotpSecret | Passkey | SmsFactor]] = {
    Kind.TOTP: TotpSecret,
    Kind.PASSKEY: Passkey,
    Kind.SMS: SmsFactor,
}
_NAMED: dict[Kind, type[TotpSecret | Passkey]] = {Kind.TOTP: TotpSecret, Kind.PASSKEY: Passkey}
"""Those of which one may have several, and so calls each by a name."""
_SMS_NAME = "短信验证"


def list_factors(db: Session, account: str) -> list[Factor]:
    """The factors of an account, the oldest first; recovery codes are none of them."""
    found = [
        Factor(kind, *row)
        for kind, table in _TABLES.items()
        for row in db.execute(
            select(table.id, _name_of(kind), table.created_at, table.last_used_at).where(
                table.account == account
            )
        )
    ]
    return sorted(found, key=lambda factor: factor.created_at)


def kinds_of(db: Session, account: str) -> frozenset[Kind]:
    """The kinds of factor an account has, in one look-up; none where the password is all there is."""
    each = [
        select(literal(kind.value)).where(exists().where(table.account == account))
        for kind, table in _TABLES.items()
    ]
    return frozenset(Kind(found) for (found,) in db.connection().execute(union_all(*each)))


def has_any(account: ColumnElement[str]) -> ColumnElement[bool]:
    """A column that says whether the account of a key has a factor: a login asks it with the password."""
    return or_(*(exists().where(table.account == account) for table in _TABLES.values()))


def key_of(kind: str, account_id: SQLColumnExpression[UUID]) -> ColumnElement[str]:
    """The key of an account in SQL, as :func:`idp.accounts.identity.account_of` writes it."""
    return literal_column(f"'{kind}:'", String) + written_out(account_id)


def lock_account(db: Session, account: str) -> None:
    """Let one change of an account's factors run at a time, the first one too, which has no row to lock."""
    begin_write(db)
    # On SQLite the transaction itself is alone.
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"factors:{account}", 0))))


def add_totp(
    db: Session, vault: Vault, *, account: str, name: str, secret: str, step: int, now: datetime
) -> TotpSecret:
    """Add an authenticator app whose code of time step `step` was just seen, and is thereby spent.

    Raises FactorsFull.
    """
    _check_room(db, TotpSecret, account)
    row = TotpSecret(id=uuid7(), account=account, name=name, last_step=step, created_at=now)
    row.secret_sealed = vault.seal("totp_secrets.secret", row.id, secret)
    db.add(row)
    db.flush()
    return row


def add_passkey(db: Session, *, account: str, name: str, now: datetime, **verified: Any) -> Passkey:
    """Add a passkey as :mod:`idp.proof.passkeys` verified it.

    Raises FactorsFull, and IntegrityError where the credential id is somebody's already.
    """
    _check_room(db, Passkey, account)
    row = Passkey(id=uuid7(), account=account, name=name, created_at=now, **verified)
    db.add(row)
    db.flush()
    return row


def add_sms(db: Session, *, account: str, now: datetime) -> SmsFactor:
    """Ask for codes sent to the phone of record from now on. Raises FactorsFull where they are already."""
    lock_account(db, account)
    if Kind.SMS in kinds_of(db, account):
        raise FactorsFull
    row = SmsFactor(id=uuid7(), account=account, created_at=now)
    db.add(row)
    db.flush()
    return row


def note_sms_used(db: Session, account: str, *, now: datetime) -> None:
    """Note that a code sent to the phone proved the account, if it asks for such codes."""
    begin_write(db)
    db.execute(
        update(SmsFactor).where(SmsFactor.account == account).values(last_used_at=now),
        execution_options={"synchronize_session": False},
    )


def rename(db: Session, account: str, kind: Kind, factor_id: UUID, name: str) -> bool:
    """Give a factor of this account another name; False if it has no such factor, or none that has a name."""
    table = _NAMED.get(kind)
    if table is None:
        return False
    renamed = db.execute(
        update(table).where(table.id == factor_id, table.account == account).values(name=name),
        execution_options={"synchronize_session": False},
    )
    return bool(renamed.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def remove(db: Session, account: str, kind: Kind, factor_id: UUID) -> bool:
    """Remove a factor of this account; False if it has no such factor.

    With the last one the recovery codes go: they stand in for a factor, and are none.
    """
    table = _TABLES[kind]
    removed = db.execute(
        delete(table).where(table.id == factor_id, table.account == account),
        execution_options={"synchronize_session": "fetch"},
    )
    if not kinds_of(db, account):
        db.execute(delete(RecoveryCode).where(RecoveryCode.account == account))
    return bool(removed.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it


def remove_all(db: Session, account: str) -> int:
    """Take every factor and recovery code from an account; how many factors."""
    lock_account(db, account)
    went = len(list_factors(db, account))
    for table in (*_TABLES.values(), RecoveryCode):
        db.execute(
            delete(table).where(table.account == account),
            execution_options={"synchronize_session": "fetch"},
        )
    return went


def passkeys_of(db: Session, account: str) -> Sequence[Passkey]:
    """The passkeys of an account."""
    return db.scalars(select(Passkey).where(Passkey.account == account)).all()


def find_passkey(db: Session, credential_id: bytes) -> Passkey | None:
    """The passkey an authenticator names."""
    return db.scalars(select(Passkey).where(Passkey.credential_id == credential_id)).first()


def _name_of(kind: Kind) -> ColumnElement[str] | SQLColumnExpression[str]:
    table = _NAMED.get(kind)
    return table.name if table else literal(_SMS_NAME)


def _check_room(db: Session, table: type[TotpSecret | Passkey], account: str) -> None:
    lock_account(db, account)
    held = db.scalar(select(func.count()).select_from(table).where(table.account == account)) or 0
    if held >= MOST_OF_A_KIND:
        raise FactorsFull
