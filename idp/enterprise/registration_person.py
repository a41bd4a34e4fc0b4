"""The way beside the face: the representative proves himself by his personal account (section Y, "face").

Its password, guarded as at a sign-in, and then a code to its own phone. Whether he has an account here, only
its password tells: until then everybody hears the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.accounts import companies, credentials, obstacles
from idp.accounts.companies import MayNotAct
from idp.accounts.credentials import browser_tag
from idp.accounts.directory import canonical_name
from idp.accounts.documents import Document
from idp.accounts.factors import Kind, kinds_of
from idp.accounts.models import Credential
from idp.accounts.passwords import PasswordHasher
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault, keyed_digest
from idp.proof import password as password_proof
from idp.proof.throttle import Try


class WrongPassword(Exception):
    """No such account, or another password: the two are never told apart."""


class NoPhone(Exception):
    """The password was right, and the account has no phone to which a code could be sent."""


class StrongerFactor(Exception):
    """The password was right, and the account has a factor that this and a code would go round (0017)."""


class AnotherNow(Exception):
    """The account's password was changed after it was proved."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the account is proved with."""

    settings: Settings
    store: EphemeralStore
    vault: Vault
    hasher: PasswordHasher


@dataclass(frozen=True, slots=True)
class Asking:
    """The browser as far as throttling cares: its signed id, the accounts it knows, where it is."""

    known_id: str
    known_tags: tuple[str, ...]
    address: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The representative's personal account, whose password was right; `phone` is where its code goes."""

    key: str
    phone: str
    changed_at: datetime


def key_of(db: Session, vault: Vault, document: Document) -> str:
    """Under what tries are counted: the account, or what stands for that nobody has it, as at a sign-in."""
    person = companies.find_by_document(db, vault, document)
    if person:
        return f"person:{person.id}"
    return "nobody:" + keyed_digest(b"nobody", canonical_name(document.id_number))


def prove_password(
    db: Session,
    tools: Tools,
    document: Document,
    name: str,
    password: str,
    asking: Asking,
    *,
    now: datetime,
) -> Holder:
    """The account of the person with this document and name, if `password` is its own.

    Raises WrongPassword, NoPhone, StrongerFactor, idp.accounts.companies.MayNotAct,
    idp.proof.throttle.Throttled, idp.accounts.passwords.TooBusy.
    """
    key = key_of(db, tools.vault, document)
    credential = _credential(db, tools.vault, document, name)
    attempt = Try(key, _known(key, credential, asking), asking.address)
    stored = credential.password_hash if credential else None
    verdict = password_proof.check(
        db, tools.store, tools.settings, tools.hasher, attempt, password, stored=stored, now=now
    )
    if not verdict.right:
        raise WrongPassword
    # The hash took its time: what was read before it may be another by now.
    credential = _credential(db, tools.vault, document, name)
    if credential is None or credential.password_hash != stored:
        raise WrongPassword
    return _holder(db, tools.vault, document, credential)


def still_holds(db: Session, vault: Vault, document: Document, name: str, kept: dict[str, Any]) -> Holder:
    """The account as it is now, if it is still what was proved.

    Raises AnotherNow, NoPhone, StrongerFactor, idp.accounts.companies.MayNotAct.
    """
    credential = _credential(db, vault, document, name)
    if credential is None or [f"person:{credential.person_id}", credential.changed_at.isoformat()] != [
        kept["key"],
        kept["changed_at"],
    ]:
        raise AnotherNow
    return _holder(db, vault, document, credential)


def _holder(db: Session, vault: Vault, document: Document, credential: Credential) -> Holder:
    person = companies.find_by_document(db, vault, document)
    if person is None:
        raise AnotherNow
    why = obstacles.of_person(person.suspended_at) or obstacles.of_lock(credential.locked_at)
    if why:
        raise MayNotAct(why)
    key, phone = f"person:{person.id}", person.phone(vault)
    if kinds_of(db, key) - {Kind.SMS}:
        raise StrongerFactor
    if phone is None:
        raise NoPhone
    return Holder(key, phone, credential.changed_at)


def _credential(db: Session, vault: Vault, document: Document, name: str) -> Credential | None:
    person = companies.find_by_document(db, vault, document)
    if person is None or not companies.is_called(person, vault, name):
        return None
    return credentials.find(db, f"person:{person.id}")


def _known(key: str, credential: Credential | None, asking: Asking) -> str | None:
    """The id by which the account knows the browser, if it does."""
    if credential is None or asking.known_id in credential.forgotten_browsers:
        return None
    return asking.known_id if browser_tag(key, credential.changed_at) in asking.known_tags else None
