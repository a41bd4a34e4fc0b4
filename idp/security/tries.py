"""The tries that did not come in: alike ones together, none that knew the password hidden among others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from idp.accounts.audit import Action, AuditEvent

SHOWN_FOR = timedelta(days=30)
"""How far back they are shown."""
MOST = 50
_ASKED = Action.SECOND_STEP_ASKED.value
_REFUSALS = (Action.SIGN_IN_REFUSED.value, Action.PROOF_REFUSED.value)
_LATEST = 1000
"""How many second steps that were asked for are looked through."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Tries alike: for the same reason, at the same point, from one address. `device` is the latest one's."""

    at: datetime
    action: str
    why: str
    after: str
    address: str
    device: str
    times: int

    @property
    def knew_password(self) -> bool:
        """Whether the password was right at the sign-in that did not come about."""
        return self.action == _ASKED or bool(self.after)


def failed(db: Session, account: str, *, now: datetime) -> Sequence[Tries]:
    """Who tried to come in to an account (a key) and did not, or failed to prove himself again.

    The latest first. Whoever does not know the password can fill a list; those who did come first into it.
    """
    recent = and_(AuditEvent.target == account, AuditEvent.at > now - SHOWN_FOR)
    not_finished = and_(AuditEvent.action == _ASKED, AuditEvent.request_id.in_(_unfinished(db, recent)))
    why, after = _told("why"), _told("after")
    alike = (AuditEvent.action, why, after, AuditEvent.address)
    numbered = (
        select(
            AuditEvent.at,
            AuditEvent.action,
            why.label("why"),
            after.label("after"),
            AuditEvent.address,
            AuditEvent.device,
            func.count().over(partition_by=alike).label("times"),
            func.row_number()
            .over(partition_by=alike, order_by=(AuditEvent.at.desc(), AuditEvent.id.desc()))
            .label("place"),
        )
        .where(recent, or_(AuditEvent.action.in_(_REFUSALS), not_finished))
        .subquery()
    )
    knew = case((or_(numbered.c.action == _ASKED, numbered.c.after != ""), 0), else_=1)
    latest = select(numbered).where(numbered.c.place == 1).order_by(knew, numbered.c.at.desc()).limit(MOST)
    found = [
        Tries(row.at, row.action, row.why, row.after, row.address, row.device, row.times)
        for row in db.execute(latest)
    ]
    return sorted(found, key=lambda tries: tries.at, reverse=True)


def _unfinished(db: Session, recent: ColumnElement[bool]) -> list[str]:
    """The requests that asked for a second step which no sign-in followed."""
    asked = select(AuditEvent.request_id).where(recent, AuditEvent.action == _ASKED)
    wanted = db.scalars(asked.order_by(AuditEvent.at.desc()).limit(_LATEST)).all()
    if not wanted:
        return []
    done = select(_told("asked_in")).where(recent, AuditEvent.action == Action.SIGNED_IN.value)
    return list(set(wanted) - set(db.scalars(done)))


def _told(name: str) -> ColumnElement[str]:
    """A word of an event's detail, or nothing."""
    return func.coalesce(AuditEvent.detail[name].as_string(), "")
