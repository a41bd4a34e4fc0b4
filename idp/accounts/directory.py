"""Finding accounts by what people type, and opening new ones.

A look-up never says why it found nothing: a stranger may not know which part was wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from idp.accounts.calendar import civil_day
from idp.accounts.factors import has_any, key_of
from idp.accounts.identifiers import parse_account, parse_phone, parse_resident_id, parse_uscc
from idp.accounts.models import (
    Credential,
    Enterprise,
    EnterpriseStatus,
    EnterpriseType,
    IdType,
    LegalAccount,
    LoginName,
    Mandate,
    Person,
)
from idp.accounts.sessions import has_signed_in
from idp.crypto import Vault, plain
from idp.db import uuid7

_ANY_LENGTH = {"shortest": 1, "longest": 64}

_LEGAL_KEY = key_of("legal", LegalAccount.id)
_COMPANY = select(Enterprise).options(joinedload(Enterprise.account), joinedload(Enterprise.representative))
_LEGAL_LOGIN = (
    select(
        LegalAccount.id,
        LegalAccount.activated_at,
        Enterprise.id,
        Enterprise.status,
        Enterprise.suspended_at,
        Enterprise.representative_id,
        Person.suspended_at,
        Credential.id,
        Credential.password_hash,
        Credential.must_change,
        Credential.changed_at,
        Credential.locked_at,
        Credential.forgotten_browsers,
        has_any(_LEGAL_KEY),
        has_signed_in(_LEGAL_KEY),
    )
    .select_from(Enterprise)
    .join(LegalAccount, LegalAccount.enterprise_id == Enterprise.id)
    .join(Person, Person.id == Enterprise.representative_id)
    .outerjoin(Credential, Credential.legal_account_id == LegalAccount.id)
)
_NAMED = (
    select(LegalAccount.enterprise_id)
    .join(LoginName, LoginName.legal_account_id == LegalAccount.id)
    .where(LoginName.name == bindparam("typed"))
    .scalar_subquery()
)
_WHICH = {"code": Enterprise.uscc == bindparam("typed"), "name": Enterprise.id == _NAMED}
# Built once: building them costs as much as running them.
_COMPANIES = {kind: _COMPANY.where(which) for kind, which in _WHICH.items()}
_LEGAL_LOGINS = {kind: _LEGAL_LOGIN.where(which) for kind, which in _WHICH.items()}
_LEGAL_LOGIN_OF = _LEGAL_LOGIN.where(LegalAccount.id == bindparam("account_id"))


class AlreadyTaken(Exception):
    """An account name, phone, ID number or credit code belongs to somebody already."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is known of a person who gets an account; every field in canonical form."""

    name: str
    phone: str | None = None
    id_number: str | None = None
    id_type: IdType = IdType.RESIDENT
    account: str | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class NewMandate:
    """What a company grants; days in Asia/Shanghai, both ends included."""

    first_day: date
    last_day: date
    phone: str | None = None
    manage_operators: bool = False
    manage_seals: bool = False
    department: str | None = None


class CompanyName(NamedTuple):
    """Which name of a company somebody typed, `code` or `name`, in its canonical form."""

    kind: str
    name: str


class LegalLogin(NamedTuple):
    """A company's account as far as its login asks: columns, because objects cost more than the look-up."""

    account_id: UUID
    activated_at: datetime | None
    enterprise_id: UUID
    status: str
    suspended_at: datetime | None
    representative_id: UUID
    representative_suspended_at: datetime | None
    credential_id: UUID | None
    password_hash: str | None
    must_change: bool | None
    changed_at: datetime | None
    locked_at: datetime | None
    forgotten_browsers: list[str] | None
    has_factor: bool
    has_signed_in: bool


def company_typed(typed: str) -> CompanyName | None:
    """The credit code or account name that somebody typed; None where it can be neither."""
    code = parse_uscc(typed)
    if code:
        return CompanyName("code", code)
    name = parse_account(typed, **_ANY_LENGTH)
    return CompanyName("name", name) if name else None


def find_enterprise(db: Session, typed: str) -> Enterprise | None:
    """The company with this credit code or account name, with its account and representative."""
    named = company_typed(typed)
    return db.scalars(_COMPANIES[named.kind], {"typed": named.name}).first() if named else None


def find_legal_login(db: Session, named: CompanyName) -> LegalLogin | None:
    """What decides the login of the company of this name (:func:`company_typed`), in one look-up."""
    # Columns alone need nothing of the session but its connection.
    row = db.connection().execute(_LEGAL_LOGINS[named.kind], {"typed": named.name}).first()
    return LegalLogin._make(row) if row else None


def get_legal_login(db: Session, account_id: UUID) -> LegalLogin | None:
    """The same of the company's account with this id."""
    row = db.connection().execute(_LEGAL_LOGIN_OF, {"account_id": account_id}).first()
    return LegalLogin._make(row) if row else None


def find_person(db: Session, vault: Vault, typed: str) -> Person | None:
    """The person with this account name, phone or ID number (A09)."""
    conditions: list[ColumnElement[bool]] = []
    phone = parse_phone(typed)
    if phone:
        conditions.append(Person.phone_index.in_(vault.indexes("phone", phone)))
    number = id_number_typed(typed)
    if number:
        conditions.append(Person.id_number_index.in_(vault.indexes("id_number", number)))
    name = parse_account(typed, **_ANY_LENGTH)
    if name:
        conditions.append(
            Person.id == select(LoginName.person_id).where(LoginName.name == name).scalar_subquery()
        )
    found = db.scalars(select(Person).where(or_(*conditions)).limit(2)).all() if conditions else []
    # A passport number may look like somebody else's account name: two matches are none.
    return found[0] if len(found) == 1 else None


def find_mandate(db: Session, vault: Vault, enterprise: Enterprise, typed: str) -> Mandate | None:
    """The company's mandate of the operator with this phone or ID number (A08, X3); the latest if several."""
    conditions: list[ColumnElement[bool]] = []
    phone = parse_phone(typed)
    if phone:
        conditions.append(Mandate.phone_index.in_(vault.indexes("phone", phone)))
    number = id_number_typed(typed)
    if number:
        conditions.append(Person.id_number_index.in_(vault.indexes("id_number", number)))
    if not conditions:
        return None
    query = (
        select(Mandate)
        .join(Mandate.person)
        .options(joinedload(Mandate.person))
        .where(Mandate.enterprise_id == enterprise.id, or_(*conditions))
        .order_by(Mandate.ended_at.is_not(None), Mandate.created_at.desc())
    )
    return db.scalars(query.limit(1)).first()


def live_mandates(db: Session, person_id: UUID, *, now: datetime) -> list[Mandate]:
    """The mandates a person may use now, companies loaded, by company name."""
    today = civil_day(now)
    query = (
        select(Mandate)
        .join(Mandate.enterprise)
        .options(joinedload(Mandate.enterprise))
        .where(
            Mandate.person_id == person_id,
            Mandate.ended_at.is_(None),
            Mandate.first_day <= today,
            Mandate.last_day >= today,
            Enterprise.status == EnterpriseStatus.NORMAL.value,
            Enterprise.suspended_at.is_(None),
        )
        .order_by(Enterprise.name)
    )
    return list(db.scalars(query))


def id_number_typed(typed: str) -> str | None:
    """The ID number somebody typed: a resident number in canonical form, or another document's."""
    resident = parse_resident_id(typed)
    if resident:
        return resident
    other = plain(typed).replace(" ", "").upper() if len(typed) <= 64 else ""
    return other if 5 <= len(other) <= 20 and other.isalnum() and other.isascii() else None


def canonical_name(typed: str) -> str:
    """The one form of whatever somebody typed as a name, known here or not."""
    return (
        parse_uscc(typed)
        or parse_phone(typed)
        or id_number_typed(typed)
        or plain(re.sub(r"[\s\-]", "", plain(typed[:128])).upper())
    )


def add_person(db: Session, vault: Vault, new: NewPerson, *, now: datetime) -> Person:
    """A new natural person, with account name and password where given. Raises AlreadyTaken."""
    person = Person(id=uuid7(), created_at=now, id_type=new.id_type.value)
    person.set_name(vault, new.name)
    if new.id_number:
        person.set_id_number(vault, new.id_number)
    if new.phone:
        person.set_phone(vault, new.phone)
    db.add(person)
    _flush(db)
    if new.account:
        db.add(LoginName(name=new.account, person_id=person.id))
    if new.password_hash:
        db.add(Credential(person_id=person.id, password_hash=new.password_hash, changed_at=now))
    _flush(db)
    return person


def add_enterprise(
    db: Session,
    *,
    uscc: str,
    name: str,
    type_: EnterpriseType,
    representative: Person,
    now: datetime,
    id_: UUID | None = None,
) -> Enterprise:
    """A company and its account, still 待激活: no account name, no password. Raises AlreadyTaken.

    `id_` is the company's id where somebody has to know it before.
    """
    enterprise = Enterprise(
        id=id_ or uuid7(),
        uscc=uscc,
        name=name,
        type=type_.value,
        representative=representative,
        created_at=now,
    )
    enterprise.account = LegalAccount(created_at=now)
    db.add(enterprise)
    _flush(db)
    return enterprise


def activate(
    db: Session,
    vault: Vault,
    account: LegalAccount,
    *,
    name: str,
    password_hash: str,
    phone: str,
    now: datetime,
) -> None:
    """Give a company's account its name, password and reserved phone (C04). Raises AlreadyTaken.

    A name that was reserved for it gives way to another one.
    """
    account.set_phone(vault, phone)
    account.activated_at = now
    if name != name_of_company(db, account.id):
        db.execute(delete(LoginName).where(LoginName.legal_account_id == account.id))
        db.add(LoginName(name=name, legal_account_id=account.id))
    db.add(Credential(legal_account_id=account.id, password_hash=password_hash, changed_at=now))
    _flush(db)


def reserve(db: Session, vault: Vault, account: LegalAccount, *, name: str, phone: str) -> None:
    """Give a company's account, which stays 待激活, its reserved phone, and `name` unless it is empty.

    The phone opens the activation; the name is kept for it and opens nothing (X21). Raises AlreadyTaken.
    """
    account.set_phone(vault, phone)
    if name:
        db.add(LoginName(name=name, legal_account_id=account.id))
    _flush(db)


def name_of_company(db: Session, account_id: UUID) -> str:
    """The account name of a company's account, reserved or in use; empty where it has none."""
    mine = select(LoginName.name).where(LoginName.legal_account_id == account_id)
    return db.scalar(mine) or ""


def add_mandate(
    db: Session, vault: Vault, enterprise: Enterprise, person: Person, new: NewMandate, *, now: datetime
) -> Mandate:
    """A new mandate. Raises AlreadyTaken while another one of the same two is not ended."""
    mandate = Mandate(
        id=uuid7(),
        enterprise=enterprise,
        person=person,
        first_day=new.first_day,
        last_day=new.last_day,
        manage_operators=new.manage_operators,
        manage_seals=new.manage_seals,
        department=new.department,
        created_at=now,
    )
    if new.phone:
        mandate.set_phone(vault, new.phone)
    db.add(mandate)
    _flush(db)
    return mandate


def set_mandate_password(
    db: Session, mandate: Mandate, password_hash: str, *, must_change: bool, now: datetime
) -> Credential:
    """The password that opens this mandate alone; by default it is changed at its first use (section Y)."""
    credential = Credential(
        mandate_id=mandate.id, password_hash=password_hash, must_change=must_change, changed_at=now
    )
    db.add(credential)
    _flush(db)
    return credential


def _flush(db: Session) -> None:
    try:
        db.flush()
    except IntegrityError as taken:
        db.rollback()
        raise AlreadyTaken from taken
