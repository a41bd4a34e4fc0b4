"""What an applicant does with his appeal: begins it, sends it in, adds what it lacks, withdraws it (E01–E13).

A draft is there as soon as both phones are proved, so that papers have a place and nothing that was typed is
lost. Papers change while the applicant has the word, and under the row's lock alone (:func:`hold`): nothing
comes to an appeal that was sent in, and none is sent in while one of its papers goes.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.accounts import files
from idp.accounts.audit import Action, Origin, Trail
from idp.accounts.calendar import civil_day
from idp.accounts.models import Enterprise
from idp.accounts.working_days import calendar_of, due_after
from idp.appeal import messages
from idp.appeal.messages import Message
from idp.appeal.models import OPEN, Appeal, AppealKind, State, Statement
from idp.appeal.papers import BY_SLOT, Paper, papers_for
from idp.appeal.states import Act, Moved, move
from idp.config import Settings
from idp.crypto import Vault
from idp.db import begin_write, uuid7

LONGEST_REMARK: Final = 150
"""Characters of 申诉备注, as people count them (E12)."""
WITH_THE_APPLICANT: Final = frozenset({State.DRAFT, State.MORE})
"""Where his papers may change."""
LONGEST_KEPT: Final = 1000
_UNSEEN: Final = {"Cc", "Cf", "Zs", "Zl", "Zp"}
"""The categories of what takes no ink."""
_ATTEMPTS: Final = 5


class Incomplete(Exception):
    """The appeal may not be sent in: these papers of it are not there."""

    def __init__(self, missing: Iterable[Paper]) -> None:
        self.missing = tuple(missing)
        super().__init__(", ".join(paper.slot for paper in self.missing))


@dataclass(frozen=True, slots=True)
class Tools:
    """What an appeal is written with."""

    vault: Vault
    trail: Trail
    settings: Settings


def remark_of(typed: str) -> str:
    """What was typed as one counts it: composed, a line's end one character, no blanks around it.

    Empty if there is nothing to see.
    """
    said = unicodedata.normalize("NFC", typed.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return said if any(unicodedata.category(mark) not in _UNSEEN for mark in said) else ""


def begin(
    db: Session, tools: Tools, kind: AppealKind, statement: Statement, origin: Origin, *, now: datetime
) -> Appeal:
    """The appeal of whoever proved both phones: a new draft, or his own of this credit code that is not over.

    A draft says from now on what was told now; one that was sent in stays as it is. `created_at` is `now` for
    a new one. In a transaction of its own until here; flushed when this returns.
    """
    for _ in range(_ATTEMPTS - 1):
        # Somebody has the number since it was drawn; what was written is rolled back.
        with suppress(IntegrityError):
            return _begun(db, tools, kind, statement, origin, now=now)
    return _begun(db, tools, kind, statement, origin, now=now)


def hold(db: Session, appeal: Appeal, *states: State) -> None:
    """Read the row anew and hold it under its lock. Raises Moved if it is in none of `states`, or gone."""
    db.flush()
    row = select(Appeal).where(Appeal.id == appeal.id).with_for_update()
    held = db.scalars(row, execution_options={"populate_existing": True}).one_or_none()
    if held is None or State(held.state) not in states:
        raise Moved


def keep_remark(vault: Vault, appeal: Appeal, typed: str) -> None:
    """Keep 申诉备注 with a draft as it was typed, too long as it may be."""
    appeal.set_remark(vault, remark_of(typed)[:LONGEST_KEPT])


def papers_wanted(appeal: Appeal) -> tuple[Paper, ...]:
    """The papers the applicant is asked for now: all of them, or those staff asks for anew."""
    if appeal.state == State.MORE:
        return tuple(BY_SLOT[slot] for slot in BY_SLOT if slot in appeal.asked_for)
    return papers_for(AppealKind(appeal.kind))


def wanted_since(appeal: Appeal) -> datetime | None:
    """Since when a paper counts: what staff asks for anew was sent in before."""
    return appeal.submitted_at if appeal.state == State.MORE else None


def submit(db: Session, tools: Tools, appeal: Appeal, remark: str, origin: Origin, *, now: datetime) -> None:
    """Send a draft in, in the caller's transaction. Raises Moved, Incomplete."""
    hold(db, appeal, State.DRAFT)
    _check_complete(db, appeal)
    appeal.set_remark(tools.vault, remark)
    _send_in(db, tools, appeal, Act.SUBMIT, now=now, first_submitted_at=now)
    tools.trail.record(db, appeal.event(Action.APPEAL_SUBMITTED), origin, now=now)


def supplement(
    db: Session, tools: Tools, appeal: Appeal, remark: str, origin: Origin, *, now: datetime
) -> None:
    """Send in what staff asked for; `remark` is added to what was said before. Raises Moved, Incomplete."""
    hold(db, appeal, State.MORE)
    _check_complete(db, appeal)
    if remark:
        said = appeal.remark(tools.vault)
        appeal.set_remark(tools.vault, f"{said}\n{civil_day(now).isoformat()} 补充：{remark}".strip())
    _send_in(db, tools, appeal, Act.SUPPLEMENT, now=now, claimed_by=None, claimed_at=None, answer_until=None)
    tools.trail.record(
        db, appeal.event(Action.APPEAL_SUPPLEMENTED, slots=list(appeal.asked_for)), origin, now=now
    )


def withdraw(db: Session, tools: Tools, appeal: Appeal, origin: Origin, *, now: datetime) -> None:
    """End an appeal that is not decided, and delete its papers with it. Raises Moved."""
    gone = files.forget_all(db, appeal.key, now=now)
    hold(db, appeal, State.DRAFT, *OPEN)
    move(db, appeal, Act.WITHDRAW, papers_erased_at=now)
    messages.tell_proved(db, tools, appeal, Message.WITHDRAWN, now=now)
    tools.trail.record(db, appeal.event(Action.APPEAL_WITHDRAWN, papers=len(gone)), origin, now=now)


def find_by_number(db: Session, vault: Vault, number: str, phone: str) -> Appeal | None:
    """The appeal of this number, if `phone` is one of the two proved in it."""
    found = db.scalars(select(Appeal).where(Appeal.number == number)).first()
    mine = vault.indexes("phone", phone)
    return found if found and {found.phone_index, found.operator_phone_index} & set(mine) else None


def _begun(
    db: Session, tools: Tools, kind: AppealKind, statement: Statement, origin: Origin, *, now: datetime
) -> Appeal:
    _one_at_a_time(db, statement.claim.uscc)
    appeal = _own(db, tools.vault, statement)
    if appeal is not None:
        if appeal.state == State.DRAFT:
            _tell_anew(db, tools.vault, appeal, kind, statement)
        return appeal
    appeal = _draft(db, tools.vault, kind, statement, now=now)
    try:
        db.flush()
    except IntegrityError:
        db.rollback()
        raise
    tools.trail.record(db, appeal.event(Action.APPEAL_BEGUN, kind=kind.value), origin, now=now)
    return appeal


def _one_at_a_time(db: Session, uscc: str) -> None:
    """Hold back whoever else begins one of this credit code: one's second tab finds what the first began."""
    begin_write(db)
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"appeal:{uscc}", 0))))


def _own(db: Session, vault: Vault, statement: Statement) -> Appeal | None:
    """The newest appeal of the same credit code and the same two phones that is not over."""
    mine = (
        select(Appeal)
        .where(
            Appeal.uscc == statement.claim.uscc,
            Appeal.state.in_([State.DRAFT.value, *(state.value for state in OPEN)]),
            Appeal.phone_index.in_(vault.indexes("phone", statement.phone)),
            Appeal.operator_phone_index.in_(vault.indexes("phone", statement.operator_phone)),
        )
        .order_by(Appeal.id.desc())
        .with_for_update()
    )
    return db.scalars(mine, execution_options={"populate_existing": True}).first()


def _draft(db: Session, vault: Vault, kind: AppealKind, statement: Statement, *, now: datetime) -> Appeal:
    appeal = Appeal(
        id=uuid7(),
        number=_number(db, now=now),
        kind=kind.value,
        state=State.DRAFT.value,
        version=0,
        asked_for=[],
        changes=[],
        created_at=now,
    )
    _tell_anew(db, vault, appeal, kind, statement)
    db.add(appeal)
    return appeal


def _tell_anew(db: Session, vault: Vault, appeal: Appeal, kind: AppealKind, statement: Statement) -> None:
    appeal.kind = kind.value
    appeal.set_statement(vault, statement)
    with db.no_autoflush:
        appeal.enterprise_id = db.scalar(select(Enterprise.id).where(Enterprise.uscc == appeal.uscc))


def _number(db: Session, *, now: datetime) -> str:
    """A number nobody has: the day, and six digits by chance, which say nothing of how many there are."""
    for _ in range(_ATTEMPTS):
        drawn = f"SS-{civil_day(now):%Y%m%d}-{secrets.randbelow(1_000_000):06}"
        if db.scalar(select(Appeal.id).where(Appeal.number == drawn)) is None:
            break
    return drawn


def _check_complete(db: Session, appeal: Appeal) -> None:
    since = wanted_since(appeal)
    there = {one.slot for one in files.of(db, appeal.key) if since is None or one.created_at > since}
    if missing := [paper for paper in papers_wanted(appeal) if paper.slot not in there]:
        raise Incomplete(missing)


def _send_in(db: Session, tools: Tools, appeal: Appeal, act: Act, *, now: datetime, **values: object) -> None:
    """To the queue, with a day it is due, and a word to both phones."""
    due = due_after(now, tools.settings.appeal_due_days, calendar_of(tools.settings))
    move(db, appeal, act, submitted_at=now, due_at=due, **values)
    received = Message.RECEIVED if act is Act.SUBMIT else Message.SUPPLEMENT_RECEIVED
    messages.tell_proved(db, tools, appeal, received, now=now, what=due)
