"""Giving a person an account of his own (B22, B23): a new one, or one that is here and has no password yet.

Somebody may be known as a company's representative, or from an older app. Who proves himself as that person
takes the same row over, so that he keeps his `subject_salt` and all that hangs on him.

Everything is looked up under the lock that the first look takes, and then written; where two who cannot see
one another's rows write the same name, phone or document, a unique index lets one of them through, and the
other looks anew and finds whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.accounts import agreements, credentials, obstacles
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.calendar import civil_day
from idp.accounts.companies import find_by_document, is_called
from idp.accounts.documents import Document
from idp.accounts.models import Credential, Enterprise, LoginName, Mandate, Person
from idp.accounts.notices import Kind, Notifier, Told
from idp.accounts.sessions import Device
from idp.crypto import Vault

_LOOKS: Final = 5
"""How often a conflict is looked into: each time somebody else was faster, and may have given up since."""


class HasAccount(Exception):
    """The person has a password of his own."""


class AnotherName(Exception):
    """Who holds this document is known here under another name."""


class Closed(Exception):
    """The person's account is suspended; the message is the sentence to show."""


class ActsForOthers(Exception):
    """The person acts for a company, so that his password would open more than what is his own."""


class Expired(Exception):
    """The document is not valid any more."""


class NotBroughtOver(Exception):
    """Nobody waits here to be taken over by this phone."""


class Taken(Exception):
    """`field`, `phone` or `account`, is somebody else's."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Tools:
    """What an account is made with."""

    vault: Vault
    trail: Trail
    notifier: Notifier


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person chose for his account: a name or none, a password, and which texts he agreed to when."""

    account: str
    password_hash: str = field(repr=False)
    agreed: Mapping[str, str]
    agreed_at: datetime


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who registers, every element checked against the people registry; `phone` is proved."""

    name: str = field(repr=False)
    document: Document = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class By:
    """From where an account is made; `face_check` is the reference of the check, empty without one."""

    origin: Origin
    device: Device
    face_check: str = ""


def check_free(db: Session, vault: Vault, applicant: Applicant, account: str) -> None:
    """Return if phone and account name are nobody else's, as far as one sees now. Raises Taken.

    The answer tells what is known of whoever has the document, so `applicant` is he, as the people registry
    said before.
    """
    person = find_by_document(db, vault, applicant.document)
    mine = person.id if person and not has_account(db, person.id) else None
    _check_free(db, vault, applicant.phone, account, mine)


def register_person(
    db: Session,
    tools: Tools,
    applicant: Applicant,
    chosen: Chosen,
    new_id: UUID,
    *,
    by: By,
    now: datetime,
) -> UUID:
    """Give `applicant` his account in the caller's transaction, flushed when this returns; whose it is.

    A new person gets `new_id`. Raises HasAccount, AnotherName, Closed, Expired, Taken.
    """
    if not applicant.document.is_valid_on(civil_day(now)):
        raise Expired
    for _ in range(_LOOKS - 1):
        try:
            return _register(db, tools, applicant, chosen, new_id, by=by, now=now)
        except IntegrityError:
            db.rollback()
    return _register(db, tools, applicant, chosen, new_id, by=by, now=now)


def find_brought_over(db: Session, vault: Vault, phone: str) -> Person:
    """Who was brought over with this phone, and has no password yet.

    Raises NotBroughtOver, HasAccount, Closed.
    """
    with_phone = Person.phone_index.in_(vault.indexes("phone", phone))
    found = select(Person).where(with_phone).execution_options(populate_existing=True)
    return _brought_over(db, db.scalars(found).first())


def check_acts_for_himself(db: Session, person_id: UUID, *, now: datetime) -> None:
    """Return unless he represents a company, or has a mandate that is not over. Raises ActsForOthers."""
    represents = select(Enterprise.id).where(Enterprise.representative_id == person_id)
    is_mandated = select(Mandate.id).where(
        Mandate.person_id == person_id, Mandate.ended_at.is_(None), Mandate.last_day >= civil_day(now)
    )
    if db.scalar(select(or_(represents.exists(), is_mandated.exists()))):
        raise ActsForOthers


def check_account_free(db: Session, account: str, mine: UUID | None) -> None:
    """Return if nobody but the person `mine` has this account name, or it is empty. Raises Taken."""
    owner = func.coalesce(LoginName.person_id, LoginName.legal_account_id)
    if account and any(one != mine for one in db.scalars(select(owner).where(LoginName.name == account))):
        raise Taken("account")


def open_brought_over(
    db: Session, tools: Tools, person_id: UUID, phone: str, chosen: Chosen, *, by: By, now: datetime
) -> None:
    """Give who was brought over his password, in the caller's transaction; flushed when this returns.

    Raises NotBroughtOver where his phone is another by now, HasAccount, ActsForOthers, Closed, Taken.
    """
    person = _brought_over(db, next(iter(_locked(db, Person.id == person_id)), None))
    if person.phone(tools.vault) != phone:
        raise NotBroughtOver
    check_acts_for_himself(db, person_id, now=now)
    check_account_free(db, chosen.account, person_id)
    try:
        _open(db, tools, person, chosen, by=by, taken_over=True, now=now)
    except IntegrityError:
        # The row is locked, so it is the name that somebody else took meanwhile.
        db.rollback()
        raise Taken("account") from None


def login_name(db: Session, person_id: UUID) -> str:
    """The account name of a person; empty where he has none."""
    return db.scalar(select(LoginName.name).where(LoginName.person_id == person_id)) or ""


def has_account(db: Session, person_id: UUID) -> bool:
    """Whether the person has a password of his own."""
    return credentials.find(db, f"person:{person_id}") is not None


def _register(
    db: Session,
    tools: Tools,
    applicant: Applicant,
    chosen: Chosen,
    new_id: UUID,
    *,
    by: By,
    now: datetime,
) -> UUID:
    vault, document = tools.vault, applicant.document
    has_number = Person.id_number_index.in_(vault.indexes("id_number", document.id_number))
    has_phone = Person.phone_index.in_(vault.indexes("phone", applicant.phone))
    known = _locked(db, or_(and_(has_number, Person.id_type == document.id_type.value), has_phone))
    person = next((one for one in known if _holds(one, vault, document)), None)
    if has_account(db, person.id if person else new_id):
        raise HasAccount
    if person is not None:
        _check_may_be_taken_over(vault, person, applicant)
    _check_free(db, vault, applicant.phone, chosen.account, person.id if person else None)
    key, taken_over = f"person:{person.id if person else new_id}", person is not None
    for other in known:
        if other is not person:
            _give_phone_up(db, tools, other, replace(by.origin, actor=key), now=now)
    if person is None:
        person = Person(id=new_id, created_at=now, id_type=document.id_type.value)
        person.set_name(vault, applicant.name)
        person.set_id_number(vault, document.id_number)
    elif person.phone(vault) not in {None, applicant.phone}:
        # Who reads the phone that was on record hears of it, too.
        tools.notifier.tell(db, key, _told(by), now=now)
    person.set_phone(vault, applicant.phone)
    person.id_valid_from, person.id_valid_until = document.valid_from, document.valid_until
    db.add(person)
    _open(db, tools, person, chosen, by=by, taken_over=taken_over, now=now)
    return person.id


def _open(
    db: Session, tools: Tools, person: Person, chosen: Chosen, *, by: By, taken_over: bool, now: datetime
) -> None:
    """Write what opens the account, and what is to be remembered of it. Raises IntegrityError."""
    key = f"person:{person.id}"
    db.flush()
    if chosen.account and login_name(db, person.id) != chosen.account:
        db.execute(delete(LoginName).where(LoginName.person_id == person.id))
        db.add(LoginName(name=chosen.account, person_id=person.id))
    db.add(Credential(person_id=person.id, password_hash=chosen.password_hash, changed_at=now))
    db.flush()
    agreements.accept(db, key, accepted_at=chosen.agreed_at, versions=dict(chosen.agreed))
    detail = {"taken_over": taken_over} | ({"face_check": by.face_check} if by.face_check else {})
    event = Event(Action.PERSON_REGISTERED, target=key, detail=detail)
    tools.trail.record(db, event, replace(by.origin, actor=key), now=now)
    tools.notifier.tell(db, key, _told(by), now=now)
    db.flush()


def _told(by: By) -> Told:
    return Told(Kind.REGISTERED, device=by.device)


def _give_phone_up(db: Session, tools: Tools, person: Person, origin: Origin, *, now: datetime) -> None:
    """Whose number went to somebody else since: that one reads its messages, and the people registry says so.

    He has no password, so that nothing he set himself is lost.
    """
    person.forget_phone()
    tools.trail.record(db, Event(Action.PHONE_GIVEN_UP, target=f"person:{person.id}"), origin, now=now)
    # Before its new owner has it: it is one person's only.
    db.flush()


def _locked(db: Session, which: ColumnElement[bool]) -> list[Person]:
    # The lock opens the transaction, so that on SQLite nobody writes after what is read here; in one order,
    # so that two who are in one another's way wait for each other but once.
    mine = select(Person).where(which).order_by(Person.id).with_for_update()
    return list(db.scalars(mine.execution_options(populate_existing=True)))


def _holds(person: Person, vault: Vault, document: Document) -> bool:
    return (person.id_type, person.id_number(vault)) == (document.id_type.value, document.id_number)


def _brought_over(db: Session, person: Person | None) -> Person:
    if person is None:
        raise NotBroughtOver
    if has_account(db, person.id):
        raise HasAccount
    if not person.brought_from:
        raise NotBroughtOver
    if why := obstacles.of_person(person.suspended_at):
        raise Closed(why)
    return person


def _check_may_be_taken_over(vault: Vault, person: Person, applicant: Applicant) -> None:
    if not is_called(person, vault, applicant.name):
        raise AnotherName
    if why := obstacles.of_person(person.suspended_at):
        raise Closed(why)


def _check_free(db: Session, vault: Vault, phone: str, account: str, mine: UUID | None) -> None:
    with_phone = select(Person.id).where(Person.phone_index.in_(vault.indexes("phone", phone)))
    # Who has no password cannot be asked to change it, and may have lost the number long ago.
    if any(owner != mine and has_account(db, owner) for owner in db.scalars(with_phone)):
        raise Taken("phone")
    check_account_free(db, account, mine)
