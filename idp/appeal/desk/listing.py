"""The list of appeals as the desk searches it: what is due first stands first, what is over by its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, UnaryExpression, func, or_, select
from sqlalchemy.orm import Session

from idp.accounts import searching
from idp.accounts.calendar import civil_day, day_begins
from idp.accounts.identifiers import company_name, parse_uscc
from idp.accounts.searching import Listing
from idp.appeal.models import OPEN, OVER, Appeal, AppealKind, State
from idp.crypto import plain

_NUMBER: Final = "SS-"
_RUNNING: Final = (State.WAITING.value, State.IN_HAND.value, State.SECOND.value)


class Shown(StrEnum):
    """What the list can be narrowed to; the value of the filter in the address, empty for what is open."""

    WAITING = "waiting"
    DUE = "due"
    IN_HAND = "in_hand"
    SECOND = "second"
    MORE = "more"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; what is empty is not asked for. `hand` is in whose hand. `number` counts from 1."""

    text: str = ""
    kind: AppealKind | None = None
    shown: Shown | None = None
    hand: UUID | None = None
    number: int = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands above the list."""

    waiting: int
    due: int
    mine: int
    decided: int


def list_appeals(db: Session, search: Search, *, now: datetime) -> Listing[Appeal]:
    """One page of what is looked for."""
    which = _matching(search, now=now)
    rows = select(Appeal).where(*which).order_by(*_order(search))
    return searching.one_page(db, select(Appeal.id).where(*which), rows, search.number)


def others_of(db: Session, appeal: Appeal, *, limit: int = 20) -> Sequence[Appeal]:
    """Other appeals that were sent in for the same credit code, the newest first."""
    same = select(Appeal).where(Appeal.uscc == appeal.uscc, Appeal.id != appeal.id, _sent_in())
    return db.scalars(same.order_by(Appeal.id.desc()).limit(limit)).all()


def count(db: Session, member_id: UUID, *, now: datetime) -> Counts:
    """How the queue stands, for this member."""
    today = day_begins(civil_day(now))
    tomorrow = today + timedelta(days=1)

    def how_many(*which: ColumnElement[bool]) -> int:
        return db.scalar(select(func.count()).select_from(Appeal).where(*which)) or 0

    return Counts(
        waiting=how_many(Appeal.state == State.WAITING.value),
        due=how_many(_due(now)),
        mine=how_many(Appeal.claimed_by == member_id, Appeal.state == State.IN_HAND.value),
        decided=how_many(
            Appeal.decided_at >= today,
            Appeal.decided_at < tomorrow,
            Appeal.state.in_((State.APPROVED.value, State.REFUSED.value)),
        ),
    )


def _sent_in() -> ColumnElement[bool]:
    return Appeal.submitted_at.is_not(None) & (Appeal.state != State.DRAFT.value)


def _due(now: datetime) -> ColumnElement[bool]:
    """What is due today, or was before."""
    tomorrow = day_begins(civil_day(now)) + timedelta(days=1)
    return Appeal.state.in_(_RUNNING) & (Appeal.due_at < tomorrow)


def _matching(search: Search, *, now: datetime) -> list[ColumnElement[bool]]:
    conditions = [_sent_in(), _due(now) if search.shown is Shown.DUE else _in_states(search.shown)]
    if search.kind:
        conditions.append(Appeal.kind == search.kind.value)
    if search.hand:
        conditions.append(or_(Appeal.claimed_by == search.hand, Appeal.decided_by == search.hand))
    if search.text:
        conditions.append(_named(search.text))
    return conditions


def _in_states(shown: Shown | None) -> ColumnElement[bool]:
    if shown is None:
        return Appeal.state.in_(sorted(OPEN))
    if shown is Shown.OVER:
        return Appeal.state.in_(sorted(OVER))
    return Appeal.state == shown.value


def _named(text: str) -> ColumnElement[bool]:
    folded = plain(text)
    code = parse_uscc(text)
    if code:
        return Appeal.uscc == code
    if folded.upper().startswith(_NUMBER):
        return Appeal.number.istartswith(folded, autoescape=True)
    spellings = sorted({text, folded, company_name(text)})
    return or_(*(Appeal.name.icontains(one, autoescape=True) for one in spellings))


def _order(search: Search) -> list[UnaryExpression[Any]]:
    if search.shown is None or search.shown.value not in OVER | {Shown.OVER.value}:
        return [Appeal.due_at.asc().nulls_last(), Appeal.id.asc()]
    return [Appeal.decided_at.desc().nulls_last(), Appeal.id.desc()]
