"""Passwords of accounts: whose they are, what they may not contain, and putting a new one in place.

A browser is known to an account by a tag that names the account and when its password was set, so that a
new password makes every browser a stranger.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from idp.accounts.models import Credential, Enterprise, LegalAccount, LoginName, Mandate, Person
from idp.crypto import Vault, keyed_digest

_OWNERS = {
    "person": Credential.person_id,
    "legal": Credential.legal_account_id,
    "mandate": Credential.mandate_id,
}


def owned_by(account: str) -> ColumnElement[bool]:
    """Which credential is that of the account with this key (``person:…``, ``legal:…``, ``mandate:…``)."""
    kind, _, account_id = account.partition(":")
    return _OWNERS[kind] == UUID(account_id)


def find(db: Session, account: str) -> Credential | None:
    """The credential of the account with this key, as it is now."""
    mine = select(Credential).where(owned_by(account)).execution_options(populate_existing=True)
    return db.scalars(mine).first()


def browser_tag(account: str, changed_at: datetime | None) -> str:
    """What a known browser remembers of an account (a key) whose password was set at this instant."""
    return keyed_digest(b"known-browser", account, changed_at.isoformat() if changed_at else "")


def put_in_place(db: Session, credential_id: UUID, old_hash: str, new_hash: str, **values: Any) -> bool:
    """Put `new_hash` in the place of exactly `old_hash`, with other columns' `values`.

    False if somebody else changed the password meanwhile.
    """
    replaced = db.execute(
        update(Credential)
        .where(Credential.id == credential_id, Credential.password_hash == old_hash)
        .values(password_hash=new_hash, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(replaced.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def unknowable(password_hash: str) -> str:
    """A hash in the place of this one that no password makes; to be compared with takes as long."""
    made_with, _, digest = password_hash.rpartition("$")
    return f"{made_with}${b64encode(secrets.token_bytes(len(digest) * 3 // 4)).decode().rstrip('=')}"


def words_about(db: Session, vault: Vault, account: str) -> tuple[str, ...]:
    """The names, phones and numbers that the password of the account with this key may not contain (X2)."""
    kind, _, account_id = account.partition(":")
    if kind == "person":
        return _of_person(db, vault, db.get_one(Person, UUID(account_id)))
    if kind == "legal":
        legal = db.get_one(LegalAccount, UUID(account_id))
        company = db.get_one(Enterprise, legal.enterprise_id)
        phone, holder = legal.phone(vault), company.representative_id
    else:
        mandate = db.get_one(Mandate, UUID(account_id))
        company = db.get_one(Enterprise, mandate.enterprise_id)
        phone, holder = mandate.phone(vault), mandate.person_id
    of_company = select(LegalAccount.id).where(LegalAccount.enterprise_id == company.id)
    names = db.scalars(select(LoginName.name).where(LoginName.legal_account_id.in_(of_company)))
    own = _of_person(db, vault, db.get_one(Person, holder))
    return (*own, *([phone] if phone else ()), company.uscc, *names)


def _of_person(db: Session, vault: Vault, holder: Person) -> tuple[str, ...]:
    names = select(LoginName.name).where(LoginName.person_id == holder.id)
    words = (holder.phone(vault), holder.id_number(vault), *db.scalars(names))
    return tuple(word for word in words if word)
