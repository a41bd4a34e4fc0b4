"""Activating a company's account that was brought in from an older platform (C01–C05): the rules.

Whoever activates it tells all that stands in the record, and is then known by the phone that came with it
(section Y, "activation"). Each step asks the record anew: it is compared with what was told as long as the
journey lasts, so that a record that was changed meanwhile ends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.accounts import agreements, directory, obstacles
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.documents import Document
from idp.accounts.identifiers import is_same_person_name
from idp.accounts.models import Enterprise, IdType, LegalAccount, LoginName, Person
from idp.accounts.notices import Kind, Notifier, Told
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.population import Claimed, Population, PopulationUnavailable
from idp.config import Settings
from idp.crypto import Vault, plain
from idp.db import pause
from idp.proof import throttle
from idp.proof.throttle import Try


class NotFound(Exception):
    """No company as it was told; which part is another, nobody is told."""


class AlreadyActive(Exception):
    """All of it is right, and the account was activated before."""


class Closed(Exception):
    """All of it is right, and the company or its representative may not act; the message says why."""


class NoPhone(Exception):
    """All of it is right, and the record has no phone to which a code could be sent."""


class NotThePerson(Exception):
    """The people registry does not know the representative with these four elements."""


class CannotBeChecked(Exception):
    """The people registry gave no answer, which is neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody tells of a company and its representative, each value as the form parsed it."""

    type: str
    name: str
    uscc: str
    representative_name: str
    document: Document

    def as_facts(self) -> dict[str, Any]:
        """As a journey keeps it."""
        document = self.document
        return {
            "type": self.type,
            "name": self.name,
            "uscc": self.uscc,
            "representative_name": self.representative_name,
            "id_type": document.id_type.value,
            "id_number": document.id_number,
            "valid_from": document.valid_from.isoformat(),
            "valid_until": document.valid_until.isoformat() if document.valid_until else "",
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Claim:
        """From what a journey keeps."""
        until = facts["valid_until"]
        return cls(
            facts["type"],
            facts["name"],
            facts["uscc"],
            facts["representative_name"],
            Document(
                IdType(facts["id_type"]),
                facts["id_number"],
                date.fromisoformat(facts["valid_from"]),
                date.fromisoformat(until) if until else None,
            ),
        )


@dataclass(frozen=True, slots=True)
class Pending:
    """A company 待激活 that is as it was told; `phone` is the one that came with its record."""

    account_id: UUID
    enterprise_id: UUID
    representative_id: UUID
    phone: str

    @property
    def key(self) -> str:
        """The account, as codes, notices and the trail name it."""
        return f"legal:{self.account_id}"


@dataclass(frozen=True, slots=True)
class Tools:
    """What an activation works with."""

    settings: Settings
    store: EphemeralStore
    vault: Vault
    trail: Trail
    notifier: Notifier
    population: Population | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the representative chose: the account name in canonical form, and the hash of his password."""

    name: str
    password_hash: str


_RECORD = (
    select(Enterprise, LegalAccount, Person)
    .join(LegalAccount, LegalAccount.enterprise_id == Enterprise.id)
    .join(Person, Person.id == Enterprise.representative_id)
    .execution_options(populate_existing=True)
)


def confirm(db: Session, tools: Tools, claim: Claim, *, address: str, now: datetime) -> Pending:
    """The company that `claim` tells, if it is 待激活 and all of it is right; what comes next finds it anew.

    The try is counted under its credit code and `address` before anything is compared. Raises
    idp.proof.throttle.Throttled, NotFound, NotThePerson, CannotBeChecked, AlreadyActive, Closed, NoPhone.
    """
    attempt = Try(f"activation:{claim.uscc}", None, address)
    at_home = throttle.admit(tools.store, tools.settings, attempt, now=now)
    try:
        pending = find(db, tools.vault, claim)
        _ask_people_registry(db, tools.population, claim)
    except (NotFound, NotThePerson):
        throttle.failed(tools.store, attempt)
        raise
    except (AlreadyActive, Closed, NoPhone, CannotBeChecked):
        # All of it was right: whoever comes back finds no wait.
        throttle.succeeded(tools.store, attempt, at_home=at_home)
        raise
    throttle.succeeded(tools.store, attempt, at_home=at_home)
    return pending


def find(db: Session, vault: Vault, claim: Claim) -> Pending:
    """The company of `claim` as its record is now. Raises NotFound, AlreadyActive, Closed, NoPhone."""
    row = db.execute(_RECORD.where(Enterprise.uscc == claim.uscc)).first()
    if row is None:
        raise NotFound
    company, account, representative = row
    if not _is_as_told(vault, company, representative, claim):
        raise NotFound
    if why := obstacles.of_company(company.status, company.suspended_at):
        raise Closed(why)
    if why := obstacles.of_person(representative.suspended_at):
        raise Closed(why)
    if account.activated_at:
        raise AlreadyActive
    phone = account.phone(vault)
    if phone is None:
        raise NoPhone
    return Pending(account.id, company.id, representative.id, phone)


def activate(
    db: Session,
    tools: Tools,
    pending: Pending,
    claim: Claim,
    chosen: Chosen,
    *,
    origin: Origin,
    device: Device,
    now: datetime,
) -> None:
    """Give the account its name and password, in the caller's transaction; flushed when this returns.

    One caller passes at a time. Raises as :func:`find`, also where the record has another phone by now, and
    idp.accounts.directory.AlreadyTaken where somebody else has the account name.
    """
    account = _locked(db, pending.account_id)
    if account is None or find(db, tools.vault, claim) != pending:
        raise NotFound
    directory.activate(
        db,
        tools.vault,
        account,
        name=chosen.name,
        password_hash=chosen.password_hash,
        phone=pending.phone,
        now=now,
    )
    _note_days(db, pending.representative_id, claim.document)
    agreements.accept(db, pending.key, accepted_at=now)
    event = Event(Action.ACCOUNT_ACTIVATED, entity=str(pending.enterprise_id), target=pending.key)
    tools.trail.record(db, event, origin, now=now)
    tools.notifier.tell(db, pending.key, Told(Kind.ACCOUNT_ACTIVATED, device=device), now=now)
    db.flush()


def is_active(db: Session, account_id: UUID, name: str) -> bool:
    """Whether the account was activated under this account name."""
    found = select(LoginName.name).join(LegalAccount, LegalAccount.id == LoginName.legal_account_id)
    mine = found.where(
        LegalAccount.id == account_id, LegalAccount.activated_at.is_not(None), LoginName.name == name
    )
    return db.scalar(mine) is not None


def _ask_people_registry(db: Session, population: Population | None, claim: Claim) -> None:
    """Return if name, document and validity are one person's, or where there is nobody to ask.

    The phone is left out: a company's phone of record need not be its representative's own. Raises
    NotThePerson, CannotBeChecked.
    """
    if population is None:
        return
    document = claim.document
    pause(db)
    try:
        matches = population.matches(
            Claimed(
                claim.representative_name,
                document.id_type.value,
                document.id_number,
                document.valid_from,
                document.valid_until,
                phone=None,
            )
        )
    except PopulationUnavailable:
        raise CannotBeChecked from None
    if not matches:
        raise NotThePerson


def _is_as_told(vault: Vault, company: Enterprise, representative: Person, claim: Claim) -> bool:
    """Whether all of it is right: each part is compared, so that the time says of none that it was wrong."""
    document = claim.document
    return all(
        [
            company.type == claim.type,
            _folded(company.name) == _folded(claim.name),
            is_same_person_name(representative.name(vault), claim.representative_name),
            representative.id_type == document.id_type.value,
            representative.id_number(vault) == document.id_number,
            _has_days_of(representative, document),
        ]
    )


def _has_days_of(representative: Person, document: Document) -> bool:
    """Whether the record's days are those of `document`; one without days has nothing to compare."""
    if representative.id_valid_from is None:
        return True
    if representative.id_valid_from != document.valid_from:
        return False
    until, told = representative.id_valid_until, document.valid_until
    if until is None or told is None:
        return until is told
    return until == told or _is_leap_days_end(document.valid_from, until, told)


def _is_leap_days_end(first: date, one: date, other: date) -> bool:
    """Whether the two days are one: of a card issued on 29 February some print 28 February, some 1 March."""
    both = {(one.month, one.day), (other.month, other.day)}
    return (first.month, first.day) == (2, 29) and one.year == other.year and both == {(2, 28), (3, 1)}


def _locked(db: Session, account_id: UUID) -> LegalAccount | None:
    # The account before its people, as an import locks them.
    mine = select(LegalAccount).where(LegalAccount.id == account_id).with_for_update()
    return db.scalars(mine.execution_options(populate_existing=True)).first()


def _note_days(db: Session, representative_id: UUID, document: Document) -> None:
    """Keep the days he told, where none are on record."""
    unknown = update(Person).where(Person.id == representative_id, Person.id_valid_from.is_(None))
    db.execute(
        unknown.values(id_valid_from=document.valid_from, id_valid_until=document.valid_until),
        execution_options={"synchronize_session": False},
    )


def _folded(name: str) -> str:
    """A company's name without what keyboards differ in: spaces, capitals, full-width forms, brackets too."""
    return re.sub(r"\s", "", plain(name)).casefold()
