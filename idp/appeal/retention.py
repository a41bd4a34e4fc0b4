"""What becomes of appeals by itself: drafts are forgotten, unanswered questions end, papers are erased.

Done by `idp worker` each minute, each appeal in a transaction of its own: of two workers one does it, and
what an applicant or a member of the staff does at that moment goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from idp.accounts import files
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.appeal import messages
from idp.appeal.messages import Message
from idp.appeal.models import OVER, Appeal, State
from idp.appeal.states import Act, Moved, move
from idp.config import Settings
from idp.crypto import Vault
from idp.db import Database, is_outage

_WORKER: Final = Origin(actor="worker")
_LIMIT: Final = 100
Conditions = list[ColumnElement[bool]]
Deed = Callable[[Session, Appeal, datetime], None]


@dataclass(frozen=True, slots=True)
class Keeper:
    """What appeals are looked after with."""

    database: Database
    vault: Vault
    trail: Trail
    settings: Settings

    def tend(self, *, now: datetime, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Do all that is due; how many appeals were touched.

        An appeal that cannot be dealt with keeps none of the others waiting: the first error is raised when
        all have had their turn. An outage is raised at once.
        """
        raised: list[Exception] = []
        done = 0
        for which, do in (
            (_old_drafts(self.settings, now=now), self._forget),
            (_unanswered(now=now), self._lapse),
            (_kept_long_enough(self.settings, now=now), self._erase),
        ):
            for appeal_id in self._due(which, is_stopping):
                try:
                    done += self._one(appeal_id, which, do, now=now)
                except Exception as error:
                    if is_outage(error):
                        raise
                    raised.append(error)
        if raised:
            raise raised[0]
        return done

    def _due(self, which: Conditions, is_stopping: Callable[[], bool]) -> Iterator[UUID]:
        """The appeals, a hundred at a time, each once: what fails is not met again."""
        after = UUID(int=0)
        while not is_stopping():
            batch = select(Appeal.id).where(Appeal.id > after, *which).order_by(Appeal.id).limit(_LIMIT)
            with self.database.session() as db:
                due = list(db.scalars(batch))
            yield from due
            if len(due) < _LIMIT:
                return
            after = due[-1]

    def _one(self, appeal_id: UUID, which: Conditions, do: Deed, *, now: datetime) -> bool:
        """Whether it was done: somebody else may have been faster."""
        with suppress(Moved), self.database.begin() as db:
            if do != self._lapse:
                # Before the row is locked, as a withdrawal does it: the two never wait for each other.
                files.forget_all(db, f"appeal:{appeal_id}", now=now)
            do(db, _still(db, appeal_id, which), now)
            return True
        return False

    def _forget(self, db: Session, appeal: Appeal, now: datetime) -> None:
        self._record(db, appeal, Action.APPEAL_PAPERS_ERASED, "draft", now=now)
        db.delete(appeal)

    def _lapse(self, db: Session, appeal: Appeal, now: datetime) -> None:
        move(db, appeal, Act.LAPSE, decided_at=now)
        self._record(db, appeal, Action.APPEAL_LAPSED, "unanswered", now=now)
        messages.tell_proved(db, self, appeal, Message.LAPSED, now=now)

    def _erase(self, db: Session, appeal: Appeal, now: datetime) -> None:
        appeal.papers_erased_at = now
        self._record(db, appeal, Action.APPEAL_PAPERS_ERASED, "retention", now=now)

    def _record(self, db: Session, appeal: Appeal, action: Action, purpose: str, *, now: datetime) -> None:
        event = Event(action, target=appeal.key, detail={"purpose": purpose})
        self.trail.record(db, event, _WORKER, now=now)


def _still(db: Session, appeal_id: UUID, which: Conditions) -> Appeal:
    """The appeal under its lock, if it is still one of those. Raises Moved: what was done is rolled back."""
    held = select(Appeal).where(Appeal.id == appeal_id, *which).with_for_update()
    appeal = db.scalars(held, execution_options={"populate_existing": True}).first()
    if appeal is None:
        raise Moved
    return appeal


def _old_drafts(settings: Settings, *, now: datetime) -> Conditions:
    before = now - timedelta(days=settings.appeal_draft_days)
    return [Appeal.state == State.DRAFT.value, Appeal.created_at < before]


def _unanswered(*, now: datetime) -> Conditions:
    return [Appeal.state == State.MORE.value, Appeal.answer_until < now]


def _kept_long_enough(settings: Settings, *, now: datetime) -> Conditions:
    """What was decided long ago, and what was withdrawn, whose papers go at once."""
    before = now - timedelta(days=settings.appeal_keep_days)
    over = Appeal.state.in_(sorted(OVER)) & (Appeal.decided_at < before)
    withdrawn = Appeal.state == State.WITHDRAWN.value
    return [over | withdrawn, Appeal.papers_erased_at.is_(None)]
