"""Which phone hears what happens to an account: the human's own, or one that a company wrote down.

A company's account has the phone its registration reserved. An operator's own phone goes before the one in
his mandate: what the latter shows says nothing of the person.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from idp.accounts.models import LegalAccount, Mandate, Person
from idp.crypto import Vault

_Sealed = Select[UUID, bytes | None]
_ACCOUNT: BindParameter[UUID] = bindparam("account_id")
# Built once, and for columns: whoever signs in from a new browser waits for it.
_HIS_OWN: dict[str, tuple[str, _Sealed]] = {
    "person": ("people.phone", select(Person.id, Person.phone_sealed).where(Person.id == _ACCOUNT)),
    "legal": (
        "legal_accounts.phone",
        select(LegalAccount.id, LegalAccount.phone_sealed).where(LegalAccount.id == _ACCOUNT),
    ),
    "mandate": (
        "people.phone",
        select(Person.id, Person.phone_sealed)
        .join(Mandate, Mandate.person_id == Person.id)
        .where(Mandate.id == _ACCOUNT),
    ),
}
_WRITTEN_DOWN = select(Mandate.id, Mandate.phone_sealed).where(Mandate.id == _ACCOUNT)


def phone_of_record(db: Session, vault: Vault, account: str) -> str | None:
    """The phone that is told what happens to the account with this key.

    Raises NoResultFound for an account of a kind that has phones, where there is none.
    """
    own, (kind, _, account_id) = own_phone(db, vault, account), account.partition(":")
    if own is None and kind == "mandate":
        return _opened(db, vault, "mandates.phone", _WRITTEN_DOWN, account_id)
    return own


def own_phone(db: Session, vault: Vault, account: str) -> str | None:
    """The same without the phone that a company wrote down. Raises NoResultFound likewise."""
    kind, _, account_id = account.partition(":")
    if kind not in _HIS_OWN:
        return None
    return _opened(db, vault, *_HIS_OWN[kind], account_id)


def _opened(db: Session, vault: Vault, column: str, asked: _Sealed, account_id: str) -> str | None:
    db.flush()  # a phone that this transaction gave counts
    row = db.connection().execute(asked, {"account_id": UUID(account_id)}).first()
    if row is None:
        raise NoResultFound
    row_id, sealed = row
    return vault.open(column, row_id, sealed) if sealed else None
