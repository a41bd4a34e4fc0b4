"""Whom a typed name means, without saying yet whether he may come in.

A candidate always exists: for a name nobody has, it is one without a credential, so that the rest
of the sign-in does the same work and gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, bindparam, select
from sqlalchemy.orm import Session

from idp.accounts import obstacles
from idp.accounts.credentials import browser_tag, words_about
from idp.accounts.directory import (
    LegalLogin,
    canonical_name,
    company_typed,
    find_enterprise,
    find_legal_login,
    find_mandate,
    find_person,
    get_legal_login,
)
from idp.accounts.factors import has_any
from idp.accounts.identity import Identity, Role
from idp.accounts.models import (
    Credential,
    Enterprise,
    Mandate,
    Person,
)
from idp.accounts.sessions import has_signed_in
from idp.crypto import Vault, keyed_digest


class PendingActivation(Exception):
    """The company is 待激活: it has no account name and no password yet (A19)."""


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """A credential as it was when it was read.

    `has_factor`: its account has a second factor beside it; `has_signed_in`: a sign-in of it is kept.
    """

    id: UUID
    password_hash: str
    must_change: bool
    changed_at: datetime
    locked_at: datetime | None
    forgotten_browsers: list[str]
    has_factor: bool
    has_signed_in: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whom somebody claims to be. `obstacle` is said only after the password was right."""

    key: str
    credential: StoredPassword | None = None
    identity: Identity | None = None
    obstacle: str = ""
    about: tuple[str, ...] = ()

    @property
    def browser_tag(self) -> str:
        """What a known browser remembers: the account and when its password was set."""
        return browser_tag(self.key, self.credential.changed_at if self.credential else None)

    def is_forgotten(self, browser: str) -> bool:
        """Whether its owner took the browser with this id from those he knows."""
        return self.credential is not None and browser in self.credential.forgotten_browsers

    def knows(self, browser: str, tags: tuple[str, ...]) -> bool:
        """Whether it signed in before in the browser with this id that remembers `tags`."""
        return self.browser_tag in tags and not self.is_forgotten(browser)

    @property
    def has_factor(self) -> bool:
        """Whether a second factor is asked for beside the password."""
        return self.credential is not None and self.credential.has_factor


_ACCOUNT = bindparam("account", type_=String)
_STORED = select(
    Credential.id,
    Credential.password_hash,
    Credential.must_change,
    Credential.changed_at,
    Credential.locked_at,
    Credential.forgotten_browsers,
    has_any(_ACCOUNT),
    has_signed_in(_ACCOUNT),
)
# Built once: building them costs as much as running them.
_STORED_OF = {
    "person": _STORED.where(Credential.person_id == bindparam("owner")),
    "mandate": _STORED.where(Credential.mandate_id == bindparam("owner")),
}
Finder = Callable[[Session, Vault, datetime], Candidate]


def legal(typed: str) -> Finder:
    """A company's own account, by account name or credit code (A06)."""
    named = company_typed(typed)

    def find(db: Session, _vault: Vault, _now: datetime) -> Candidate:
        found = find_legal_login(db, named) if named else None
        if found is None:
            return _nobody("legal", typed)
        if found.activated_at is None:
            raise PendingActivation
        return _legal(found)

    return find


def operator(typed_enterprise: str, typed_account: str) -> Finder:
    """A company's operator, by the company's code or account and his phone or ID number (A08, X3)."""

    def find(db: Session, vault: Vault, now: datetime) -> Candidate:
        enterprise = find_enterprise(db, typed_enterprise)
        if enterprise is None:
            return _nobody("operator", typed_enterprise, typed_account)
        mandate = find_mandate(db, vault, enterprise, typed_account)
        if mandate is None:
            return _nobody("operator", str(enterprise.id), typed_account)
        return _operator(db, mandate, enterprise, mandate.person, now=now)

    return find


def person(typed: str) -> Finder:
    """A natural person, by account name, phone or ID number (A09)."""

    def find(db: Session, vault: Vault, _now: datetime) -> Candidate:
        found = find_person(db, vault, typed)
        if found is None:
            return _nobody("person", typed)
        return _person(db, found)

    return find


def of_mandate(mandate_id: UUID) -> Finder:
    """The operator of this very mandate, for the second step of its first use."""

    def find(db: Session, vault: Vault, now: datetime) -> Candidate:
        mandate = db.get_one(Mandate, mandate_id)
        enterprise = db.get_one(Enterprise, mandate.enterprise_id)
        holder = db.get_one(Person, mandate.person_id)
        found = _operator(db, mandate, enterprise, holder, now=now)
        return replace(found, about=words_about(db, vault, found.key))

    return find


def of_account(key: str) -> Finder:
    """The account with this key (:func:`idp.accounts.identity.account_of`), proved by something else."""
    kind, _, account_id = key.partition(":")

    def find(db: Session, vault: Vault, now: datetime) -> Candidate:
        if kind == "person" and (human := db.get(Person, UUID(account_id))):
            return _person(db, human)
        if kind == "legal" and (found := get_legal_login(db, UUID(account_id))) and found.activated_at:
            return _legal(found)
        if kind == "mandate":
            return of_mandate(UUID(account_id))(db, vault, now)
        return _nobody(key)

    return find


def _legal(found: LegalLogin) -> Candidate:
    credential = _password_of(found)
    return Candidate(
        key=f"legal:{found.account_id}",
        credential=credential,
        identity=Identity(
            found.representative_id,
            Role.LEGAL_REPRESENTATIVE,
            found.enterprise_id,
            legal_account_id=found.account_id,
        ),
        obstacle=obstacles.of_company(found.status, found.suspended_at)
        or obstacles.of_person(found.representative_suspended_at)
        or obstacles.of_lock(credential.locked_at if credential else None),
    )


def _person(db: Session, found: Person) -> Candidate:
    key = f"person:{found.id}"
    credential = _credential(db, "person", found.id)
    return Candidate(
        key=key,
        credential=credential,
        identity=Identity(found.id, Role.NATURAL_PERSON),
        obstacle=obstacles.of_person(found.suspended_at)
        or obstacles.of_lock(credential.locked_at if credential else None),
    )


def _operator(
    db: Session, mandate: Mandate, enterprise: Enterprise, holder: Person, *, now: datetime
) -> Candidate:
    key = f"mandate:{mandate.id}"
    credential = _credential(db, "mandate", mandate.id)
    return Candidate(
        key=key,
        credential=credential,
        identity=Identity(holder.id, Role.OPERATOR, enterprise.id, mandate.id),
        obstacle=obstacles.of_company(enterprise.status, enterprise.suspended_at)
        or obstacles.of_person(holder.suspended_at)
        or obstacles.of_mandate(mandate, now=now)
        or obstacles.of_lock(credential.locked_at if credential else None),
    )


def _nobody(*typed: str) -> Candidate:
    # Counted under what the name means, not how it was typed: guessing at a name nobody has is slowed
    # just as it is at one that somebody has, so that the waiting tells nothing either.
    return Candidate(key="nobody:" + keyed_digest(b"nobody", *(canonical_name(word) for word in typed)))


def _credential(db: Session, kind: str, owner: UUID) -> StoredPassword | None:
    asked = {"account": f"{kind}:{owner}", "owner": owner}
    row = db.connection().execute(_STORED_OF[kind], asked).first()
    return StoredPassword(*row) if row else None


def _password_of(found: LegalLogin) -> StoredPassword | None:
    if found.credential_id is None or found.password_hash is None or found.changed_at is None:
        return None
    return StoredPassword(
        found.credential_id,
        found.password_hash,
        bool(found.must_change),
        found.changed_at,
        found.locked_at,
        found.forgotten_browsers or [],
        found.has_factor,
        found.has_signed_in,
    )
