"""As whom a person who proved that he is himself may act: himself, a company he represents, a mandate.

A person's own proof opens all of these (section Y); a company's or a mandate's password opens one alone and
never comes here. Each has a key that a phone or a form may name; what is named is looked up anew, so that a
right that ended meanwhile opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from idp.accounts import locks, obstacles
from idp.accounts.directory import live_mandates
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Credential, Enterprise, EnterpriseStatus, LegalAccount, Mandate, Person

HIMSELF = "person"


class NoSuchStanding(Exception):
    """The key names nobody this person may be, or may be no more; the message is the sentence for him."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One of the identities of a person: `key` names it, the company is loaded where there is one."""

    key: str
    identity: Identity
    enterprise: Enterprise | None = None


def standings(db: Session, person: Person, *, now: datetime) -> list[Standing]:
    """Every identity the person may take now: companies he represents, his mandates, and himself last."""
    represented = [_as_representative(company) for company in _represented(db, person.id)]
    mandated = [_as_operator(mandate) for mandate in live_mandates(db, person.id, now=now)]
    return [*represented, *mandated, Standing(HIMSELF, Identity(person.id, Role.NATURAL_PERSON))]


def find_standing(db: Session, person: Person, key: str, *, now: datetime) -> Standing:
    """The identity that `key` names, if he may take it now. Raises NoSuchStanding.

    He hears why a company or a mandate of his own does not open; what is somebody else's does not exist.
    """
    if key == HIMSELF:
        return Standing(HIMSELF, Identity(person.id, Role.NATURAL_PERSON))
    kind, _, supplied_id = key.partition(":")
    try:
        wanted = UUID(supplied_id)
    except ValueError:
        raise NoSuchStanding("没有找到这个身份。请重新选择。") from None
    if kind == "legal":
        return _found_company(db, person, wanted)
    if kind == "mandate":
        return _found_mandate(db, person, wanted, now=now)
    raise NoSuchStanding("没有找到这个身份。请重新选择。")


def _represented(db: Session, person_id: UUID) -> list[Enterprise]:
    query = (
        select(Enterprise)
        .join(LegalAccount, LegalAccount.enterprise_id == Enterprise.id)
        .outerjoin(Credential, Credential.legal_account_id == LegalAccount.id)
        .options(joinedload(Enterprise.account))
        .where(
            Enterprise.representative_id == person_id,
            Enterprise.status == EnterpriseStatus.NORMAL.value,
            Enterprise.suspended_at.is_(None),
            LegalAccount.activated_at.is_not(None),
            Credential.locked_at.is_(None),
        )
        .order_by(Enterprise.name)
    )
    return list(db.scalars(query))


def _found_company(db: Session, person: Person, enterprise_id: UUID) -> Standing:
    query = (
        select(Enterprise).options(joinedload(Enterprise.account)).where(Enterprise.id == enterprise_id)
    ).execution_options(populate_existing=True)
    company = db.scalars(query).first()
    if company is None or company.representative_id != person.id or company.account is None:
        raise NoSuchStanding("您已不是这家企业的法定代表人，不能以法人身份登录。请选择其他身份。")
    if company.account.activated_at is None:
        raise NoSuchStanding("这家企业的账号待激活，激活后才能登录。请选择其他身份，或拨打服务热线办理激活。")
    # Who was put in the place of whoever said 不是我 may not come in by his own account either.
    locked_at = locks.locked_since(db, f"legal:{company.account.id}")
    obstacle = obstacles.of_company(company.status, company.suspended_at) or obstacles.of_lock(locked_at)
    if obstacle:
        raise NoSuchStanding(obstacle)
    return _as_representative(company)


def _found_mandate(db: Session, person: Person, mandate_id: UUID, *, now: datetime) -> Standing:
    query = (
        select(Mandate)
        .options(joinedload(Mandate.enterprise))
        .where(Mandate.id == mandate_id, Mandate.person_id == person.id)
    ).execution_options(populate_existing=True)
    mandate = db.scalars(query).first()
    if mandate is None:
        raise NoSuchStanding("没有找到这个身份。请重新选择。")
    company = mandate.enterprise
    obstacle = obstacles.of_company(company.status, company.suspended_at) or obstacles.of_mandate(
        mandate, now=now
    )
    if obstacle:
        raise NoSuchStanding(obstacle)
    return _as_operator(mandate)


def _as_representative(company: Enterprise) -> Standing:
    account = company.account
    if account is None:
        raise NoSuchStanding
    identity = Identity(
        company.representative_id, Role.LEGAL_REPRESENTATIVE, company.id, legal_account_id=account.id
    )
    return Standing(f"legal:{company.id}", identity, company)


def _as_operator(mandate: Mandate) -> Standing:
    identity = Identity(mandate.person_id, Role.OPERATOR, mandate.enterprise_id, mandate.id)
    return Standing(f"mandate:{mandate.id}", identity, mandate.enterprise)
