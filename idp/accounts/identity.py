"""One identity: the human, the company he acts for or none, and by what right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """By what right one acts; the value of the `role` claim."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    OPERATOR = "operator"
    NATURAL_PERSON = "natural_person"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a sign-in session is for. Exactly one company, or none for a natural person."""

    person_id: UUID
    role: Role
    enterprise_id: UUID | None = None
    mandate_id: UUID | None = None
    legal_account_id: UUID | None = None


def account_of(identity: Identity) -> str:
    """The key of the account whose own secrets open `identity`: the person's, the company's or the mandate's.

    A person who chose one of his mandates came with his own secrets: the sign-in remembers that
    (:attr:`idp.accounts.sessions.SigninSession.account`), and is asked first.
    """
    if identity.role is Role.LEGAL_REPRESENTATIVE:
        return f"legal:{identity.legal_account_id}"
    if identity.role is Role.OPERATOR:
        return f"mandate:{identity.mandate_id}"
    return f"person:{identity.person_id}"
