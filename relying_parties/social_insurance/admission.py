"""Whom the records let in (MISSION A13, A15, J14).

The one who acts must be the one registered for this company here, in the same role. At the first sign-in
his document number is compared; from then on his `sub` at the provider is enough, so a document renewed
under another number locks nobody out. The provider never gives a `sub` to somebody else.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from relying_parties.kit.identity import Company, Identity, Role
from relying_parties.kit.portal import NotAdmitted
from relying_parties.social_insurance.models import InsuredUnit, Link, UnitPerson
from relying_parties.social_insurance.records import document_hash


def admit(session: Session, identity: Identity, now: datetime, *, secret: str) -> None:
    """Return if the records know `identity`, and remember that they do.

    A natural person on his own behalf needs no record. Raises NotAdmitted.
    """
    profile = identity.profile
    if profile.company is None:
        return
    if session.get(InsuredUnit, profile.company.uscc) is None:
        raise NotAdmitted(f"本网厅没有「{profile.company.name}」的参保登记。")
    if session.get(Link, (profile.sub, profile.company.uscc, profile.role)) is not None:
        return
    person_id = _registered_person(session, identity, profile.company, secret)
    session.add(
        Link(
            sub=profile.sub,
            uscc=profile.company.uscc,
            role=profile.role,
            person_id=person_id,
            linked_at=now,
        )
    )


def _registered_person(session: Session, identity: Identity, company: Company, secret: str) -> int:
    if identity.document is None:
        raise NotAdmitted("统一认证平台没有提供您的证件号码，无法与本网厅的登记核对。")
    role = identity.profile.role
    supplied_hash = document_hash(secret, identity.document.id_type, identity.document.number)
    person_id = session.scalar(
        select(UnitPerson.id).where(
            UnitPerson.uscc == company.uscc,
            UnitPerson.role == role,
            UnitPerson.document_hash == supplied_hash,
        )
    )
    if person_id is None:
        raise NotAdmitted(_mismatch(role, company))
    return person_id


def _mismatch(role: Role, company: Company) -> str:
    if role is Role.LEGAL_REPRESENTATIVE:
        return f"您的证件号码与本网厅登记的「{company.name}」法定代表人不一致。"
    return f"您的证件号码与本网厅登记的「{company.name}」经办人都不一致。"
