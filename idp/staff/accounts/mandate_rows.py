"""Mandates as the console lists them: their state on this day, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session, joinedload

from idp.accounts.calendar import civil_day
from idp.accounts.factors import has_any, key_of
from idp.accounts.models import Credential, Mandate

PAGE = 20


class MandateState(StrEnum):
    """Where a mandate stands on a day; the value of the filter in the address."""

    LIVE = "live"
    FUTURE = "future"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class MandateRow:
    """One mandate with its company and person loaded; `locked` by its holder, `has_factors` of its own."""

    mandate: Mandate
    state: MandateState
    locked: bool
    has_factors: bool


@dataclass(frozen=True, slots=True)
class MandatePage:
    """One page of the mandates of somebody, and how many there are in each state."""

    rows: Sequence[MandateRow]
    counts: dict[MandateState, int]
    matching: int
    number: int
    pages: int


def state_of(mandate: Mandate, today: date) -> MandateState:
    """The state of one mandate."""
    if mandate.ended_at:
        return MandateState.ENDED
    if today < mandate.first_day:
        return MandateState.FUTURE
    return MandateState.LIVE if today <= mandate.last_day else MandateState.EXPIRED


def read_page(
    db: Session,
    *,
    now: datetime,
    company: UUID | None = None,
    person: UUID | None = None,
    state: MandateState | None = None,
    number: int = 1,
) -> MandatePage:
    """One page of a company's or a person's mandates, those not ended first, the latest days first.

    A page beyond the last is the last.
    """
    today = civil_day(now)
    whose = Mandate.enterprise_id == company if company else Mandate.person_id == person
    counts = _counts(db, whose, today)
    matching = counts[state] if state else sum(counts.values())
    pages = max(1, -(-matching // PAGE))
    number = min(max(number, 1), pages)
    rows = db.execute(
        select(Mandate, Credential.locked_at, has_any(key_of("mandate", Mandate.id)))
        .outerjoin(Credential, Credential.mandate_id == Mandate.id)
        .options(joinedload(Mandate.person), joinedload(Mandate.enterprise))
        .where(whose, *([_stands(state, today)] if state else []))
        .order_by(Mandate.ended_at.is_not(None), Mandate.last_day.desc(), Mandate.id.desc())
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    shown = [_row(*row, today) for row in rows]
    return MandatePage(shown, counts, matching, number, pages)


def _row(mandate: Mandate, locked_at: datetime | None, has_factors: bool, today: date) -> MandateRow:  # noqa: FBT001 - a column of the row
    # What is over needs no unlocking.
    locked = bool(locked_at) and not mandate.ended_at
    return MandateRow(mandate, state_of(mandate, today), locked, has_factors)


def find_mandate(db: Session, company_id: UUID, mandate_id: UUID) -> Mandate | None:
    """The mandate of this company with this id, its person loaded."""
    which = select(Mandate).options(joinedload(Mandate.person))
    return db.scalars(which.where(Mandate.id == mandate_id, Mandate.enterprise_id == company_id)).first()


def _counts(db: Session, whose: ColumnElement[bool], today: date) -> dict[MandateState, int]:
    each = [func.coalesce(func.sum(case((_stands(state, today), 1), else_=0)), 0) for state in MandateState]
    return dict(zip(MandateState, db.execute(select(*each).where(whose)).one(), strict=True))


def _stands(state: MandateState, today: date) -> ColumnElement[bool]:
    """The same as :func:`state_of`, for the database."""
    if state is MandateState.ENDED:
        return Mandate.ended_at.is_not(None)
    days = {
        MandateState.FUTURE: Mandate.first_day > today,
        MandateState.LIVE: and_(Mandate.first_day <= today, Mandate.last_day >= today),
        MandateState.EXPIRED: Mandate.last_day < today,
    }
    return and_(Mandate.ended_at.is_(None), days[state])
