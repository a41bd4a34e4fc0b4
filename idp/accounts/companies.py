"""A company that comes into being here: its rows, all of them or none (B17, B21, X21, section Y).

The company's account is held by the Person of its legal representative, who is known by his document: he is
there already, or comes into being here without a password of his own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import directory, obstacles
from idp.accounts.directory import AlreadyTaken, NewPerson
from idp.accounts.documents import Document
from idp.accounts.identifiers import is_same_person_name
from idp.accounts.models import Enterprise, EnterpriseType, LegalAccount, LoginName, Person
from idp.crypto import Vault

_ATTEMPTS = 3


class CompanyKnown(Exception):
    """The credit code is a company's already: `company_id`, and whether its account `is_active`."""

    def __init__(self, company_id: UUID, *, is_active: bool) -> None:
        super().__init__("active" if is_active else "waiting to be activated")
        self.company_id = company_id
        self.is_active = is_active


class AccountTaken(Exception):
    """The account name is somebody's already."""


class AnotherName(Exception):
    """The representative's document is known here under another name."""


class MayNotAct(Exception):
    """The representative may not act; the message is the sentence that says why."""


@dataclass(frozen=True, slots=True)
class NewCompany:
    """What is known of a company that registers; every field in canonical form, the phone proved.

    `id` is the one the company will have, by which whoever registered it finds it. `password_hash` is empty
    where the account waits for its password, and `account` where it waits for its name too.
    """

    id: UUID
    uscc: str
    name: str
    type: EnterpriseType
    representative_name: str
    document: Document
    phone: str
    account: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: the ids of the account and of the Person who holds it."""

    account_id: UUID
    representative_id: UUID


def check_free(db: Session, *, uscc: str, account: str) -> None:
    """Return if neither the credit code nor the account name is anybody's. Raises CompanyKnown, AccountTaken.

    Whoever asks has proved a phone: a stranger may not know (SECURITY 3).
    """
    known = (
        select(Enterprise.id, LegalAccount.activated_at)
        .outerjoin(LegalAccount, LegalAccount.enterprise_id == Enterprise.id)
        .where(Enterprise.uscc == uscc)
    )
    if found := db.execute(known).first():
        raise CompanyKnown(found[0], is_active=found[1] is not None)
    if db.scalar(select(LoginName.name).where(LoginName.name == account)):
        raise AccountTaken


def register_company(db: Session, vault: Vault, new: NewCompany, *, now: datetime) -> Made:
    """A new company with its account, active, in the caller's transaction; flushed when this returns.

    Of several at once one passes. Where another one was faster, nothing of this one is written. Raises
    CompanyKnown, AccountTaken, AnotherName, MayNotAct.
    """
    for _ in range(_ATTEMPTS):
        check_free(db, uscc=new.uscc, account=new.account)
        try:
            return _write(db, vault, new, now=now)
        except AlreadyTaken:
            # Rolled back: of what was taken the next look says what. Two companies of one new person meet
            # here as well, and he is there at the next attempt.
            continue
    check_free(db, uscc=new.uscc, account=new.account)
    raise AlreadyTaken


def reserve_company(db: Session, vault: Vault, new: NewCompany, *, now: datetime) -> Made:
    """A new company whose account waits to be activated, in the caller's transaction; flushed (X21).

    Raises AnotherName, MayNotAct; and AlreadyTaken where somebody was faster, with all of the caller's
    transaction undone.
    """
    return _write(db, vault, new, now=now)


def _write(db: Session, vault: Vault, new: NewCompany, *, now: datetime) -> Made:
    representative = representative_of(db, vault, new.representative_name, new.document, now=now)
    company = directory.add_enterprise(
        db,
        id_=new.id,
        uscc=new.uscc,
        name=new.name,
        type_=new.type,
        representative=representative,
        now=now,
    )
    account = company.account
    if account is None:
        msg = "a company was added without its account"
        raise ValueError(msg)
    if new.password_hash:
        directory.activate(
            db,
            vault,
            account,
            name=new.account,
            password_hash=new.password_hash,
            phone=new.phone,
            now=now,
        )
    else:
        directory.reserve(db, vault, account, name=new.account, phone=new.phone)
    return Made(account.id, representative.id)


def representative_of(db: Session, vault: Vault, name: str, document: Document, *, now: datetime) -> Person:
    """The Person with this document, who is there or comes into being; the days are kept where none were.

    Raises AnotherName, MayNotAct, AlreadyTaken.
    """
    person = find_by_document(db, vault, document)
    if person is None:
        told = NewPerson(name, id_number=document.id_number, id_type=document.id_type)
        person = directory.add_person(db, vault, told, now=now)
    elif not is_called(person, vault, name):
        raise AnotherName
    elif why := obstacles.of_person(person.suspended_at):
        raise MayNotAct(why)
    if person.id_valid_from is None:
        person.id_valid_from, person.id_valid_until = document.valid_from, document.valid_until
    return person


def find_by_document(db: Session, vault: Vault, document: Document) -> Person | None:
    """The person with this document, whatever he is called."""
    indexes = vault.indexes("id_number", document.id_number)
    same_kind = Person.id_type == document.id_type.value
    mine = select(Person).where(Person.id_number_index.in_(indexes), same_kind)
    return db.scalars(mine.execution_options(populate_existing=True)).first()


def is_called(person: Person, vault: Vault, name: str) -> bool:
    """Whether `name` is that person's, however it was typed."""
    return is_same_person_name(person.name(vault), name)
