"""Activating a company's account that was brought in from an older platform (C01–C05): the rules.

Whoever activates it tells all that stands in the record, and is then known by the phone that came with it
(section Y, "activation"). Each step asks the record anew: it is compared with what was told as long as the
journey lasts, so that a record that was changed meanwhile ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.accounts import agreements, directory, obstacles
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.company_claims import Claim
from idp.accounts.documents import Document
from idp.accounts.identifiers import is_same_company_name, is_same_person_name
from idp.accounts.models import Enterprise, LegalAccount, LoginName, Person
from idp.accounts.notices import Kind, Notifier, Told
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.population import Claimed, Population, PopulationUnavailable
from idp.config import Settings
from idp.crypto import Vault, keyed_digest
from idp.db import pause
from idp.proof import throttle
from idp.proof.throttle import Ceiling, Try

_TRIES_A_COMPANY: Final = 60
"""In an hour, whatever documents are told; then one each :data:`_WAIT` seconds."""
_WAIT: Final = 60


class NotFound(Exception):
    """No company as it was told; which part is another, nobody is told."""


class OtherDays(NotFound):
    """All of it is right but the days of the document, which the people registry may know better."""


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
class Pending:
    """A company 待激活 that is as it was told; `phone` is the one that came with its record.

    `days_confirmed`: the people registry confirmed the days that were told, whatever the record says of them.
    """

    account_id: UUID
    enterprise_id: UUID
    representative_id: UUID
    phone: str
    days_confirmed: bool = False

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

    The try is counted before anything is compared: by credit code and document, so that whoever knows the
    public code alone does not use up the representative's tries; by credit code, much wider; by `address`.
    Raises idp.proof.throttle.Throttled, NotFound, NotThePerson, CannotBeChecked, AlreadyActive, Closed,
    NoPhone.
    """
    company, document = f"activation:{claim.uscc}", claim.document
    told = keyed_digest(b"activation", document.id_type, document.id_number)
    attempt = Try(f"{company}:{told}", None, address)
    # The wide one first: whoever it refuses has used up nothing of his own.
    throttle.count_below(tools.store, Ceiling(company, _TRIES_A_COMPANY, _WAIT), now=now)
    at_home = throttle.admit(tools.store, tools.settings, attempt, now=now)
    try:
        pending = _confirmed(db, tools, claim)
    except (NotFound, NotThePerson):
        # Of an address companies are counted, not the documents it told of one.
        throttle.failed(tools.store, Try(company, None, address))
        raise
    except (AlreadyActive, Closed, NoPhone, CannotBeChecked):
        # All of it was right, as far as could be asked: whoever comes back finds no wait.
        throttle.succeeded(tools.store, attempt, at_home=at_home)
        raise
    throttle.succeeded(tools.store, attempt, at_home=at_home)
    return pending


def find(db: Session, vault: Vault, claim: Claim, *, days_confirmed: bool = False) -> Pending:
    """The company of `claim` as its record is now; its days are not compared once they are confirmed.

    Raises NotFound, OtherDays, AlreadyActive, Closed, NoPhone.
    """
    row = db.execute(_RECORD.where(Enterprise.uscc == claim.uscc)).first()
    if row is None:
        raise NotFound
    company, account, representative = row
    has_days = _has_days_of(representative, claim.document)
    if not _is_as_told(vault, company, representative, claim):
        raise NotFound
    if not (has_days or days_confirmed):
        raise OtherDays
    if why := obstacles.of_company(company.status, company.suspended_at):
        raise Closed(why)
    if why := obstacles.of_person(representative.suspended_at):
        raise Closed(why)
    if account.activated_at:
        raise AlreadyActive
    phone = account.phone(vault)
    if phone is None:
        raise NoPhone
    return Pending(account.id, company.id, representative.id, phone, days_confirmed)


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
    if account is None or find(db, tools.vault, claim, days_confirmed=pending.days_confirmed) != pending:
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
    _note_days(db, pending, claim.document)
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
    if db.scalar(mine) is None:
        # Its transaction may be about to be committed: whoever holds the row is waited for.
        _locked(db, account_id)
    return db.scalar(mine) is not None


def note_refused_code(db: Session, trail: Trail, pending: Pending, origin: Origin, *, now: datetime) -> None:
    """Write down that a wrong code was tried on the account: its owner sees that somebody guesses."""
    refused = Event(
        Action.PROOF_REFUSED,
        entity=str(pending.enterprise_id),
        target=pending.key,
        detail={"why": "sms_code"},
    )
    trail.record(db, refused, origin, now=now)


def _confirmed(db: Session, tools: Tools, claim: Claim) -> Pending:
    """The company of `claim`, and its representative as the people registry knows him, where there is one.

    A record that came with the days of an older card gives way to the registry, which knows the renewed one.
    """
    if tools.population is None:
        return find(db, tools.vault, claim)
    unless: Exception = NotThePerson()
    try:
        find(db, tools.vault, claim)
    except OtherDays:
        # Nobody is told that the rest was right.
        unless = NotFound()
    if not _is_one_person(db, tools.population, claim):
        raise unless
    return find(db, tools.vault, claim, days_confirmed=True)


def _is_one_person(db: Session, population: Population, claim: Claim) -> bool:
    """Whether name, document and validity are one person's.

    The phone is left out: a company's phone of record need not be its representative's own. Raises
    CannotBeChecked.
    """
    document = claim.document
    pause(db)
    try:
        return population.matches(
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


def _is_as_told(vault: Vault, company: Enterprise, representative: Person, claim: Claim) -> bool:
    """Whether all but the days is right: each part is compared, so that the time tells of none."""
    document = claim.document
    return all(
        [
            company.type == claim.type,
            is_same_company_name(company.name, claim.name),
            is_same_person_name(representative.name(vault), claim.representative_name),
            representative.id_type == document.id_type.value,
            representative.id_number(vault) == document.id_number,
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


def _note_days(db: Session, pending: Pending, document: Document) -> None:
    """Keep the days he told, where none are on record or the people registry confirmed them."""
    his = update(Person).where(Person.id == pending.representative_id)
    if not pending.days_confirmed:
        his = his.where(Person.id_valid_from.is_(None))
    db.execute(
        his.values(id_valid_from=document.valid_from, id_valid_until=document.valid_until),
        execution_options={"synchronize_session": False},
    )
