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
