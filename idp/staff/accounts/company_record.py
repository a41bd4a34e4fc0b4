"""Companies as the console lists and shows them; their names and codes are public registry data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from idp.accounts import searching
from idp.accounts.factors import Factor, list_factors
from idp.accounts.identifiers import parse_uscc
from idp.accounts.models import Enterprise, EnterpriseStatus, LegalAccount, LoginName
from idp.accounts.searching import Listing
from idp.accounts.sessions import SignedIn
from idp.accounts.whose_sign_ins import speaking_for
from idp.crypto import plain
from idp.staff.accounts.changes import locked_at
from idp.staff.accounts.live_sign_ins import count_live, list_live

_WIDE = str.maketrans("()", "（）")


class CompanyState(StrEnum):
    """What the list can be narrowed to; the value of the filter in the address."""

    NORMAL = "normal"
    PENDING = "pending"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    DEREGISTERED = "deregistered"


@dataclass(frozen=True, slots=True)
class Search:
    """What the list is narrowed to: part of a name or a credit code, and a state. `number` counts from 1."""

    text: str = ""
    state: CompanyState | None = None
    number: int = 1


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """What is known of a company beside its mandates; account and representative are loaded."""

    company: Enterprise
    account: str | None
    locked_at: datetime | None
    factors: Sequence[Factor]
    live: Sequence[SignedIn]
    live_count: int


def list_companies(db: Session, search: Search) -> Listing[Enterprise]:
    """One page, accounts loaded, the newest first."""
    which = _matching(search)
    ids = select(Enterprise.id).outerjoin(Enterprise.account).where(*which)
    rows = (
        select(Enterprise)
        .outerjoin(Enterprise.account)
        .options(contains_eager(Enterprise.account))
        .where(*which)
        .order_by(Enterprise.id.desc())
    )
    return searching.one_page(db, ids, rows, search.number)


def find_company(db: Session, company_id: UUID) -> Enterprise | None:
    """A company with its account and representative."""
    loaded = (joinedload(Enterprise.account), joinedload(Enterprise.representative))
    return db.scalars(select(Enterprise).options(*loaded).where(Enterprise.id == company_id)).first()


def read_company(db: Session, company: Enterprise, *, now: datetime) -> CompanyRecord:
    """What its page shows beside the mandates."""
    legal = company.account
    name = select(LoginName.name).where(LoginName.legal_account_id == legal.id) if legal else None
    return CompanyRecord(
        company=company,
        account=db.scalar(name) if name is not None else None,
        locked_at=locked_at(db, company),
        factors=list_factors(db, f"legal:{legal.id}") if legal else [],
        live=list_live(db, speaking_for(company), now=now),
        live_count=count_live(db, speaking_for(company), now=now),
    )


def _matching(search: Search) -> list[ColumnElement[bool]]:
    conditions = [_STATES[search.state]] if search.state else []
    code = parse_uscc(search.text)
    if code:
        return [*conditions, Enterprise.uscc == code]
    if search.text:
        folded = plain(search.text)
        # The registry writes （ ） wide, keyboards write them narrow.
        spellings = {search.text, folded, folded.translate(_WIDE)}
        named = [Enterprise.name.icontains(one, autoescape=True) for one in sorted(spellings)]
        conditions.append(or_(*named))
    return conditions


_REGISTERED = Enterprise.status == EnterpriseStatus.NORMAL.value
_OPEN = and_(_REGISTERED, Enterprise.suspended_at.is_(None))
_STATES = {
    CompanyState.NORMAL: and_(_OPEN, LegalAccount.activated_at.is_not(None)),
    CompanyState.PENDING: and_(_OPEN, LegalAccount.activated_at.is_(None)),
    CompanyState.SUSPENDED: Enterprise.suspended_at.is_not(None),
    CompanyState.REVOKED: Enterprise.status == EnterpriseStatus.REVOKED.value,
    CompanyState.DEREGISTERED: Enterprise.status == EnterpriseStatus.DEREGISTERED.value,
}
