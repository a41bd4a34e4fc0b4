"""Recovery codes: ten, shown once, each good for one proof when the phone or key is out of reach."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from idp.accounts.factors import RecoveryCode, lock_account
from idp.crypto import Vault, plain

HOW_MANY = 10
# Crockford's letters: none is taken for another when read from paper.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 10
_READ_AS = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v"})


def renew(db: Session, vault: Vault, account: str, *, now: datetime) -> list[str]:
    """Ten new codes in place of those there were, in clear, to be shown once."""
    lock_account(db, account)
    db.execute(
        delete(RecoveryCode).where(RecoveryCode.account == account),
        execution_options={"synchronize_session": False},
    )
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(HOW_MANY)]
    db.add_all(
        RecoveryCode(account=account, code_index=vault.index("recovery_code", code), created_at=now)
        for code in made
    )
    db.flush()
    return [f"{code[:5]}-{code[5:]}" for code in made]


def looks_like_one(typed: str) -> bool:
    """Whether `typed` has the form of a recovery code."""
    return bool(_canonical(typed))


def spend(db: Session, vault: Vault, account: str, typed: str, *, now: datetime) -> bool:
    """Spend the code; True for the one caller who did."""
    code = _canonical(typed)
    if not code:
        return False
    spent = db.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account == account,
            RecoveryCode.code_index.in_(vault.indexes("recovery_code", code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    return bool(spent.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def still_good(db: Session, vault: Vault, account: str, codes: Sequence[str]) -> tuple[str, ...]:
    """Those of these codes, written as they are shown, that can still be spent."""
    unused = select(RecoveryCode.code_index).where(
        RecoveryCode.account == account, RecoveryCode.used_at.is_(None)
    )
    good = set(db.scalars(unused))
    kinds = (vault.indexes("recovery_code", _canonical(code)) for code in codes)
    return tuple(code for code, indexes in zip(codes, kinds, strict=True) if not good.isdisjoint(indexes))


def left(db: Session, account: str) -> int:
    """How many codes of this account are still good."""
    unused = select(func.count()).where(RecoveryCode.account == account, RecoveryCode.used_at.is_(None))
    return db.scalar(unused) or 0


def _canonical(typed: str) -> str:
    letters = plain(typed[:60]).lower().translate(_READ_AS)
    code = "".join(letter for letter in letters if letter.isalnum())
    return code if len(code) == _LENGTH and set(code) <= set(_ALPHABET) else ""
