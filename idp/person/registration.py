"""Registering as a natural person (B22): what is asked of those outside before his face is.

What somebody told is kept in his journey from then on: it was checked, and his phone was proved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from idp.accounts.documents import Document
from idp.accounts.identifiers import person_name
from idp.accounts.models import IdType
from idp.accounts.registering import Applicant
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.population import Claimed, Population, PopulationUnavailable
from idp.crypto import Vault
from idp.db import pause
from idp.proof import throttle
from idp.proof.face_record import Whom
from idp.proof.throttle import Ceiling, neighbourhood

TRIES_A_PHONE: Final = 20
_TRIES_AN_ADDRESS: Final = 200
"""In an hour; offices share one address."""
_WAIT: Final = 60


class NotThePerson(Exception):
    """The people registry does not know anybody with these four elements."""


class CannotBeChecked(Exception):
    """The people registry gave no answer, which is neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody told of himself, in canonical form; `account` is empty where he wants no account name."""

    applicant: Applicant
    account: str

    @property
    def whom(self) -> Whom:
        """Whose face is wanted."""
        document = self.applicant.document
        return Whom(person_name(self.applicant.name), document.id_number, document.id_type.value)

    def as_facts(self) -> dict[str, str]:
        """As a journey keeps it."""
        document = self.applicant.document
        return {
            "name": self.applicant.name,
            "id_type": document.id_type.value,
            "id_number": document.id_number,
            "valid_from": document.valid_from.isoformat(),
            "valid_until": document.valid_until.isoformat() if document.valid_until else "",
            "phone": self.applicant.phone,
            "account": self.account,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Told:
        """From what a journey keeps."""
        until = facts["valid_until"]
        document = Document(
            IdType(facts["id_type"]),
            facts["id_number"],
            date.fromisoformat(facts["valid_from"]),
            date.fromisoformat(until) if until else None,
        )
        return cls(Applicant(facts["name"], document, facts["phone"]), facts["account"])


def count_try(store: EphemeralStore, vault: Vault, phone: str, *, address: str, now: datetime) -> None:
    """Count a form before anything of it is looked up: its answer says whose a name is, and who somebody is.

    Raises idp.proof.throttle.Throttled.
    """
    for name, most in (
        (f"register-from:{neighbourhood(address)}", _TRIES_AN_ADDRESS),
        (f"register:{vault.index('phone', phone).hex()}", TRIES_A_PHONE),
    ):
        throttle.count_below(store, Ceiling(name, most, _WAIT), now=now)


def check_four_elements(db: Session, population: Population | None, applicant: Applicant) -> None:
    """Return if name, document, its days and the phone are one person's.

    Raises NotThePerson, CannotBeChecked.
    """
    document = applicant.document
    claimed = Claimed(
        applicant.name,
        document.id_type.value,
        document.id_number,
        document.valid_from,
        document.valid_until,
        applicant.phone,
    )
    pause(db)
    if population is None:
        raise CannotBeChecked
    try:
        matches = population.matches(claimed)
    except PopulationUnavailable:
        raise CannotBeChecked from None
    if not matches:
        raise NotThePerson
