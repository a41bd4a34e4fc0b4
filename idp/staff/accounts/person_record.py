"""A person as the console shows him: what is read for his page, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts.factors import Factor, list_factors
from idp.accounts.models import Enterprise, LoginName, Person
from idp.accounts.sessions import SignedIn, SigninSession
from idp.accounts.whose_sign_ins import speaking_for
from idp.staff.accounts.changes import locked_at
from idp.staff.accounts.live_sign_ins import count_live, list_live
from idp.staff.accounts.mandate_rows import MandatePage, read_page

MOST_COMPANIES = 50


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What is known of a person; names and numbers are still sealed in the rows."""

    person: Person
    account: str | None
    locked_at: datetime | None
    factors: Sequence[Factor]
    last_sign_in: datetime | None
    live: Sequence[SignedIn]
    live_count: int
    mandates: MandatePage
    companies: Sequence[Enterprise]


def read_person(db: Session, person: Person, *, mandates_page: int = 1, now: datetime) -> PersonRecord:
    """Everything his page shows; `mandates_page` counts from 1."""
    last = (
        select(SigninSession.created_at)
        .where(SigninSession.person_id == person.id)
        .order_by(SigninSession.created_at.desc())
    )
    led = select(Enterprise).where(Enterprise.representative_id == person.id).order_by(Enterprise.id)
    return PersonRecord(
        person=person,
        account=db.scalar(select(LoginName.name).where(LoginName.person_id == person.id)),
        locked_at=locked_at(db, person),
        factors=list_factors(db, f"person:{person.id}"),
        last_sign_in=db.scalar(last.limit(1)),
        live=list_live(db, speaking_for(person), now=now),
        live_count=count_live(db, speaking_for(person), now=now),
        mandates=read_page(db, person=person.id, number=mandates_page, now=now),
        companies=db.scalars(led.limit(MOST_COMPANIES)).all(),
    )
