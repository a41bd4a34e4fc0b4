"""A forgotten password: whose it is, the phone that proves it, and a new one in its place (D01–D06, X27).

What somebody tells of himself is looked up whole and answered by one sentence, with the same look-ups
whether the account exists or not. Between the steps the account may change hands or password: each step asks
whether it is still what it was when the identity was checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access import endings
from idp.accounts import credentials
from idp.accounts.audit import Action, Event
from idp.accounts.calendar import civil_day
from idp.accounts.directory import canonical_name, find_enterprise, find_person
from idp.accounts.models import Credential, LegalAccount, Mandate, Person
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.accounts.passwords import check_new_password
from idp.accounts.phones import phone_of_record
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import Vault, keyed_digest
from idp.db import pause
from idp.login.candidates import PendingActivation
from idp.login.entry import Browser, Tools
from idp.proof import throttle
from idp.proof.face_record import Whom, person_of
from idp.proof.throttle import Ceiling, Throttled, Try, neighbourhood

_NOBODY: Final = UUID(int=0)
_TRIES_A_DOCUMENT: Final = 10
"""In an hour, told of one account by strangers; a browser that the account knows has as many of its own."""
_TRIES_AN_ACCOUNT: Final = 60
"""In an hour, whatever documents are told."""
_TRIES_AN_ADDRESS: Final = 60
"""In an hour; offices share one address."""
_WAIT: Final = 60
"""Seconds from one try to the next beyond them."""


class Kind(StrEnum):
    """Whose password: a company's, an operator's for one company, a person's own."""

    LEGAL = "legal"
    OPERATOR = "operator"
    PERSON = "person"


class NoSuchAccount(Exception):
    """No account of this kind with a password is what was told of it; what was wrong is said to nobody."""


class NoPhone(Exception):
    """All of it is right, and there is no phone to send a code to."""


class Changed(Exception):
    """Password or phone of the account are not those the journey began with, or its mandate has ended."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What somebody says of himself, unchecked: the account (of an operator the company's), his document."""

    kind: Kind
    account: str = field(repr=False)
    whom: Whom = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """An account whose password is forgotten, as it was when its holder was recognised.

    `account` is its key, `phone` that of record, `set_at` when its password was set (ISO 8601).
    """

    account: str
    phone: str = field(repr=False)
    set_at: str

    @property
    def facts(self) -> dict[str, Any]:
        """What a journey keeps of it."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """The same from a journey."""
        return cls(facts["account"], facts["phone"], facts["set_at"])


@dataclass(frozen=True, slots=True)
class _Match:
    """Under which name tries are counted, the key of the account that is named, and whether all is right."""

    counted: str
    named: str = ""
    is_right: bool = False
    is_pending: bool = False


def identify(db: Session, tools: Tools, claimed: Claimed, browser: Browser, *, now: datetime) -> Lost:
    """The account that all of `claimed` describes. The try is counted before anything is said of it.

    Raises NoSuchAccount, idp.login.candidates.PendingActivation, NoPhone, idp.proof.throttle.Throttled.
    """
    match = _MATCHES[claimed.kind](db, tools.vault, claimed, now)
    # Looked for in any case, so that it takes as long.
    credential = credentials.find(db, match.named or f"person:{_NOBODY}")
    is_known = credential is not None and _knows(match.named, credential, browser)
    try:
        for ceiling in _ceilings(match, claimed, browser, is_known=is_known):
            throttle.count_below(tools.store, ceiling, now=now)
    except Throttled as slowed:
        slowed.spares_known = not is_known
        raise
    if not match.is_right:
        raise NoSuchAccount
    if match.is_pending:
        raise PendingActivation
    if credential is None:
        raise NoSuchAccount
    phone = phone_of_record(db, tools.vault, match.named)
    if phone is None:
        raise NoPhone
    return Lost(match.named, phone, credential.changed_at.isoformat())


def check_unchanged(db: Session, vault: Vault, lost: Lost, *, now: datetime) -> Credential:
    """The credential of `lost`, if account and phone are what they were. Raises Changed."""
    return _unchanged(db, vault, lost, credentials.find(db, lost.account), now=now)


def save(
    db: Session, tools: Tools, lost: Lost, password: str, browser: Browser, *, now: datetime
) -> datetime:
    """Put `password` in the place of the forgotten one, in the caller's transaction; when it was set.

    Whoever knew the old one is out: each sign-in it opened ends with its tokens, each browser is a stranger,
    and the lock of 不是我 is lifted. Second factors stay, and a suspension by staff does too. Raises Changed,
    idp.accounts.passwords.PasswordRefused, TooBusy.
    """
    about = credentials.words_about(db, tools.vault, lost.account)
    check_new_password(password, settings=tools.settings, about=about)
    pause(db)
    fresh = tools.hasher.hash(password)
    db.expire_all()
    # Under its lock: another reset, 不是我 or a change of the password waits for this, or this for it.
    held = _held(db, lost.account)
    credential = _unchanged(db, tools.vault, lost, held, now=now)
    credential.password_hash, credential.must_change, credential.changed_at = fresh, False, now
    credential.locked_at, credential.forgotten_browsers = None, []
    # Written before the sign-ins end: one that is being opened meanwhile waits for it, and does not open.
    db.flush()
    endings.end_sign_ins_by(db, tools.vault, lost.account, reason="password_reset", now=now)
    reset = Event(Action.PASSWORD_RESET, target=lost.account)
    tools.trail.record(db, reset, browser.origin, now=now)
    told = Told(NoticeKind.PASSWORD_RESET, device=browser.device)
    tools.notifier.tell(db, lost.account, told, now=now)
    return now


def note_refused_code(db: Session, tools: Tools, lost: Lost, browser: Browser, *, now: datetime) -> None:
    """Write down that a wrong code was tried on the account: its owner sees that somebody guesses."""
    refused = Event(Action.PROOF_REFUSED, target=lost.account, detail={"why": "sms_code"})
    tools.trail.record(db, refused, browser.origin, now=now)


def forgive(store: EphemeralStore, lost: Lost, browser: Browser) -> None:
    """Forget the failed sign-ins with the old password: of strangers and of this browser (section Y)."""
    address = browser.origin.address
    for known in (None, browser.known_id):
        throttle.forgive(store, Try(lost.account, known, address))


def was_set(db: Session, account: str, at: datetime) -> bool:
    """Whether the password that a journey set at this instant was kept, or has another after it."""
    credential = credentials.find(db, account)
    if credential is None or credential.changed_at < at:
        # Its transaction may be about to be committed: whoever holds the row is waited for.
        credential = _held(db, account)
    return credential is not None and credential.changed_at >= at


def _knows(account: str, credential: Credential, browser: Browser) -> bool:
    """Whether `browser` signed in to the account before, and was not forgotten."""
    is_forgotten = browser.known_id in credential.forgotten_browsers
    return credentials.browser_tag(account, credential.changed_at) in browser.known_tags and not is_forgotten


def _ceilings(match: _Match, claimed: Claimed, browser: Browser, *, is_known: bool) -> tuple[Ceiling, ...]:
    """Under what a try is counted: strangers slow strangers, and not whoever tells another document.

    The narrowest comes last: whoever another one refuses has used up nothing of his own.
    """
    account = f"reset:{match.counted}"
    if is_known:
        return (Ceiling(f"{account}:{browser.known_id}", _TRIES_A_DOCUMENT, _WAIT),)
    document = keyed_digest(b"reset", claimed.whom.id_type, claimed.whom.id_number)
    return (
        Ceiling(f"reset-from:{neighbourhood(browser.origin.address)}", _TRIES_AN_ADDRESS, _WAIT),
        Ceiling(account, _TRIES_AN_ACCOUNT, _WAIT),
        Ceiling(f"{account}:{document}", _TRIES_A_DOCUMENT, _WAIT),
    )


def _unchanged(
    db: Session, vault: Vault, lost: Lost, credential: Credential | None, *, now: datetime
) -> Credential:
    kind, _, account_id = lost.account.partition(":")
    if credential is None or credential.changed_at.isoformat() != lost.set_at:
        raise Changed
    if phone_of_record(db, vault, lost.account) != lost.phone:
        raise Changed
    if kind == "mandate" and _is_over(db.get_one(Mandate, UUID(account_id)), now=now):
        raise Changed
    return credential


def _held(db: Session, account: str) -> Credential | None:
    """The credential of the account with this key, its row locked until the transaction ends."""
    mine = select(Credential).where(credentials.owned_by(account)).with_for_update()
    return db.scalars(mine, execution_options={"populate_existing": True}).first()


# Each of these asks the same questions whatever the answers are, so that the time they take tells nothing.


def _company(db: Session, vault: Vault, claimed: Claimed, _now: datetime) -> _Match:
    company, holder = find_enterprise(db, claimed.account), person_of(db, vault, claimed.whom)
    if company is None:
        return _Match(_nobody(claimed))
    account: LegalAccount | None = company.account
    counted = f"enterprise:{company.id}"
    if account is None:
        return _Match(counted)
    is_him = holder is not None and holder.id == company.representative_id
    return _Match(counted, f"legal:{account.id}", is_him, is_pending=account.activated_at is None)


def _operator(db: Session, vault: Vault, claimed: Claimed, now: datetime) -> _Match:
    whom = claimed.whom
    company, holder = find_enterprise(db, claimed.account), person_of(db, vault, whom)
    # Whatever he calls himself: his account is named by the company and his document.
    of_both = (
        Mandate.enterprise_id == (company.id if company else _NOBODY),
        Person.id_number_index.in_(vault.indexes("id_number", whom.id_number)),
        Person.id_type == whom.id_type,
    )
    found = select(Mandate).join(Mandate.person).where(*of_both, Mandate.ended_at.is_(None))
    mandate = db.scalars(found).first()
    # No colleague waits for what is tried on him.
    him = keyed_digest(b"operator", whom.id_type, whom.id_number)
    counted = f"{f'operators:{company.id}' if company else _nobody(claimed)}:{him}"
    if mandate is None or _is_over(mandate, now=now):
        return _Match(counted)
    return _Match(counted, f"mandate:{mandate.id}", is_right=holder is not None)


def _person(db: Session, vault: Vault, claimed: Claimed, _now: datetime) -> _Match:
    named, holder = find_person(db, vault, claimed.account), person_of(db, vault, claimed.whom)
    if named is None:
        return _Match(_nobody(claimed))
    is_him = holder is not None and holder.id == named.id
    return _Match(f"person:{named.id}", f"person:{named.id}", is_him)


_MATCHES: Final[dict[Kind, Callable[[Session, Vault, Claimed, datetime], _Match]]] = {
    Kind.LEGAL: _company,
    Kind.OPERATOR: _operator,
    Kind.PERSON: _person,
}


def _is_over(mandate: Mandate, *, now: datetime) -> bool:
    """Whether the mandate was ended or its last day is past; one that is to come may have its password."""
    return mandate.ended_at is not None or civil_day(now) > mandate.last_day


def _nobody(claimed: Claimed) -> str:
    # Under what the name means, not how it was typed: a name nobody has is slowed like one that somebody has.
    return f"{claimed.kind}:" + keyed_digest(b"nobody", canonical_name(claimed.account))
