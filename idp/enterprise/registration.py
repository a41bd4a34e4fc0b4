"""Registering a company (B01–B21): the rules, without pages.

What is told is compared with both registries before anybody is asked for his face: the business registry
knows the company and who represents it, the people registry knows him by his four elements. Neither says what
differs, and neither do we (B20). Proofs are of what was told: whoever corrects another field keeps them,
whoever names another company or another representative has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.accounts import agreements, companies, obstacles
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.calendar import civil_day
from idp.accounts.companies import MayNotAct, NewCompany
from idp.accounts.company_claims import Claim
from idp.accounts.models import EnterpriseType
from idp.accounts.notices import Kind, Notifier, Told
from idp.accounts.phones import phone_of_record
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.population import Claimed, Population, PopulationUnavailable
from idp.adapters.registry import Company, Registry, RegistryUnavailable
from idp.crypto import Vault
from idp.db import pause
from idp.proof import throttle
from idp.proof.throttle import Ceiling

_A_PHONE: Final = 10
_A_CODE: Final = 30
_WAIT: Final = 60
"""Applications in an hour that are looked at: of one proved phone, for one credit code; then one a minute."""


class Mismatch(Exception):
    """Company, representative, or both together are not on record as they were told (B20)."""


class Closed(Exception):
    """Company and representative are as told, and the company is no more; the message is the sentence."""


class CannotBeChecked(Exception):
    """A registry gave no answer, which is neither yes nor no."""


class DocumentOver(Exception):
    """The representative's document has run out since it was told."""


class ProvedBy(StrEnum):
    """How the representative proved that he registers the company himself; the trail keeps it."""

    FACE = "face"
    ACCOUNT = "account"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Registries:
    """The two that are asked, both of them named in the settings."""

    business: Registry
    people: Population


@dataclass(frozen=True, slots=True)
class Application:
    """A company as somebody wants it registered, each value in canonical form."""

    claim: Claim
    phone: str
    account: str

    def as_facts(self) -> dict[str, Any]:
        """As a journey keeps it."""
        return {"claim": self.claim.as_facts(), "phone": self.phone, "account": self.account}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Application:
        """From what a journey keeps."""
        return cls(Claim.of(facts["claim"]), facts["phone"], facts["account"])

    @property
    def about(self) -> list[str]:
        """For what, and of whom, a proof is asked; of anything else it is none."""
        claim = self.claim
        document = claim.document
        return [
            claim.uscc,
            claim.name,
            claim.representative_name,
            document.id_type.value,
            document.id_number,
        ]


@dataclass(frozen=True, slots=True)
class Proof:
    """How the representative proved himself; `reference` is the face check's, as the trail calls it."""

    by: ProvedBy
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Applicant:
    """From where somebody registers."""

    origin: Origin
    device: Device


@dataclass(frozen=True, slots=True)
class Tools:
    """What a registration writes with."""

    vault: Vault
    trail: Trail
    notifier: Notifier


def count(store: EphemeralStore, application: Application, phone_key: str, *, now: datetime) -> None:
    """Count an application whose phone is proved, before anything is said of it.

    `phone_key` stands for the phone in the store. Whoever has a phone would otherwise try names, codes and
    numbers with it all day. Raises idp.proof.throttle.Throttled.
    """
    throttle.count_below(store, Ceiling(f"register-company:{phone_key}", _A_PHONE, _WAIT), now=now)
    code = application.claim.uscc
    throttle.count_below(store, Ceiling(f"register-company:{code}", _A_CODE, _WAIT), now=now)


def check_on_record(db: Session, registries: Registries, application: Application) -> None:
    """Return if both registries know it so, and the company is a live one (B21).

    Both are asked whatever the first one says, so that the time tells nothing. Raises Mismatch, Closed,
    CannotBeChecked.
    """
    claim, document = application.claim, application.claim.document
    company = Company(
        claim.uscc,
        claim.name,
        claim.type,
        claim.representative_name,
        document.id_type.value,
        document.id_number,
    )
    person = Claimed(
        claim.representative_name,
        document.id_type.value,
        document.id_number,
        document.valid_from,
        document.valid_until,
        application.phone,
    )
    pause(db)
    try:
        registered = registries.business.check(company)
        is_he = registries.people.matches(person)
    except (RegistryUnavailable, PopulationUnavailable):
        raise CannotBeChecked from None
    if not (registered.matches and is_he):
        raise Mismatch
    if why := obstacles.of_company(registered.status, None):
        raise Closed(why.replace("登录", "注册"))


def check_person_here(db: Session, vault: Vault, application: Application) -> None:
    """Return if whoever has this document here, if anybody, may stand for the company.

    Raises idp.accounts.companies.MayNotAct, Mismatch.
    """
    person = companies.find_by_document(db, vault, application.claim.document)
    if person is None:
        return
    if not companies.is_called(person, vault, application.claim.representative_name):
        raise Mismatch
    if why := obstacles.of_person(person.suspended_at):
        raise MayNotAct(why)


def register(
    db: Session,
    tools: Tools,
    application: Application,
    proof: Proof,
    applicant: Applicant,
    *,
    company_id: UUID,
    password_hash: str,
    accepted: dict[str, str],
    agreed_at: datetime,
    now: datetime,
) -> None:
    """Make the company and its account, in the caller's transaction; flushed when this returns.

    `accepted` are the versions of the agreements that were accepted, `agreed_at`. Raises DocumentOver,
    Mismatch, and as :func:`idp.accounts.companies.register_company` but AnotherName.
    """
    claim = application.claim
    if not claim.document.is_valid_on(civil_day(now)):
        raise DocumentOver
    new = NewCompany(
        company_id,
        claim.uscc,
        claim.name,
        EnterpriseType(claim.type),
        claim.representative_name,
        claim.document,
        application.phone,
        application.account,
        password_hash,
    )
    try:
        made = companies.register_company(db, tools.vault, new, now=now)
    except companies.AnotherName:
        raise Mismatch from None
    key = f"legal:{made.account_id}"
    agreements.accept(db, key, accepted_at=agreed_at, versions=accepted)
    detail = {"proved_by": proof.by.value} | ({"face_check": proof.reference} if proof.reference else {})
    event = Event(Action.ENTERPRISE_REGISTERED, entity=str(company_id), target=key, detail=detail)
    himself = f"person:{made.representative_id}"
    tools.trail.record(db, event, replace(applicant.origin, actor=himself), now=now)
    told = Told(Kind.COMPANY_REGISTERED, device=applicant.device)
    tools.notifier.tell(db, key, told, now=now)
    if phone_of_record(db, tools.vault, himself) != application.phone:
        # Who is known here by another phone hears what was registered in his name, and may stop it for good.
        named = Told(Kind.REPRESENTATIVE_NAMED, device=applicant.device)
        tools.notifier.tell(db, key, named, to=himself, now=now)
    db.flush()
