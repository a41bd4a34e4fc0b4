"""What staff do with an appeal: take it, hand it on, ask for more, approve, confirm, refuse (E14, E17).

Each is one act of :mod:`idp.appeal.states` with its line in the audit trail, in the caller's transaction;
what an approval changes is done in the same one (:mod:`idp.appeal.applying`). Words to the applicant are
sealed with the appeal and stand in no trail; reasons among staff stand there and hold no personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts.audit import Action, Origin
from idp.accounts.staff import StaffMember, StaffRole
from idp.accounts.working_days import calendar_of, due_after
from idp.appeal import applying, messages, outcome
from idp.appeal.applying import Tools, Unapplicable
from idp.appeal.messages import Message
from idp.appeal.models import Appeal, State
from idp.appeal.outcome import SECOND, Seen
from idp.appeal.states import Act, Moved, move

HANDLERS: Final = frozenset({StaffRole.SERVICE, StaffRole.SUPERVISOR})
"""Who may have an appeal in hand."""
CHANGED: Final = "就在刚才，平台上这家企业的登记有变动，没有做任何更改。请按现在的比对结果重新决定。"
_TRIES: Final = 20
_READ_BY_HANDS: Final = frozenset(
    state.value for state in (State.SECOND, State.MORE, State.APPROVED, State.REFUSED)
)
"""Where those through whose hands it went may still read."""


class NotYours(Exception):
    """The appeal is in somebody else's hand, or the act is not this member's to do."""


class NeedsSecond(Exception):
    """What the approval changes takes the approval of another staff member as well."""


class SameHand(Exception):
    """The second approval is not given by whoever gave the first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an appeal lacks: the slots of papers that are asked for anew, and the words to its applicant."""

    slots: Sequence[str]
    words: str


def oldest_waiting(db: Session) -> UUID | None:
    """The appeal that is due first among those nobody has in hand."""
    waiting = select(Appeal.id).where(Appeal.state == State.WAITING.value)
    return db.scalar(waiting.order_by(Appeal.due_at, Appeal.id).limit(1))


def claim_next(
    db: Session, tools: Tools, member: StaffMember, origin: Origin, *, now: datetime
) -> Appeal | None:
    """Take the appeal that is due first; None where none waits. Of several at once each gets another one."""
    for _ in range(_TRIES):
        found = oldest_waiting(db)
        appeal = db.get(Appeal, found, populate_existing=True) if found else None
        if appeal is None:
            return None
        try:
            claim(db, tools, appeal, member, origin, now=now)
        except Moved:
            continue
        return appeal
    return None


def claim(
    db: Session, tools: Tools, appeal: Appeal, member: StaffMember, origin: Origin, *, now: datetime
) -> None:
    """Take an appeal that waits in hand. Raises Moved, NotYours."""
    _check_role(member)
    move(db, appeal, Act.CLAIM, claimed_by=member.id, claimed_at=now)
    tools.trail.record(db, appeal.event(Action.APPEAL_CLAIMED), origin, now=now)


def release(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    reason: str,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Give an appeal back to those that wait. Raises Moved, NotYours."""
    _check_in_hand(appeal, member)
    move(db, appeal, Act.RELEASE, claimed_by=None, claimed_at=None)
    tools.trail.record(db, appeal.event(Action.APPEAL_RELEASED, reason=reason), origin, now=now)


def assign(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    to: StaffMember,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Put an appeal that waits, or is in somebody's hand, into that of `to`. Raises Moved, NotYours."""
    if member.role != StaffRole.SUPERVISOR.value:
        raise NotYours
    _check_role(to)
    move(db, appeal, Act.ASSIGN, claimed_by=to.id, claimed_at=now)
    tools.trail.record(db, appeal.event(Action.APPEAL_ASSIGNED, to=to.key), origin, now=now)


def ask_for_more(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    wanted: Wanted,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Ask the applicant for papers anew; the clock stops until they are there. Raises Moved, NotYours."""
    _check_in_hand(appeal, member)
    until = due_after(now, tools.settings.appeal_answer_days, calendar_of(tools.settings))
    slots = list(wanted.slots)
    appeal.set_answer(tools.vault, wanted.words)
    move(db, appeal, Act.ASK, asked_for=slots, answer_until=until, due_at=None)
    tools.trail.record(db, appeal.event(Action.APPEAL_MORE_WANTED, papers=slots), origin, now=now)
    messages.tell_proved(db, tools, appeal, Message.MORE_WANTED, now=now, what=until)


def propose(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    seen: Seen,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Approve first, where another one has to approve as well; nothing is changed yet.

    Raises Moved, NotYours, applying.Unapplicable.
    """
    _check_in_hand(appeal, member)
    found = outcome.plan(db, tools.vault, appeal)
    if not found.is_as(seen):
        raise Unapplicable(found.obstacles or (CHANGED,))
    changes = [change.value for change in found.changes]
    decided = {"changes": changes, "basis": found.basis}
    move(db, appeal, Act.PROPOSE, proposed_by=member.id, proposed_at=now, **decided)
    tools.trail.record(db, appeal.event(Action.APPEAL_PROPOSED, changes=changes), origin, now=now)


def give_back(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    reason: str,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Return an appeal to whoever approved it first, and say why. Raises Moved, NotYours, SameHand."""
    _check_second(appeal, member)
    move(db, appeal, Act.RETURN, proposed_by=None, proposed_at=None, changes=[], basis=None)
    tools.trail.record(db, appeal.event(Action.APPEAL_RETURNED, reason=reason), origin, now=now)


def approve(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    seen: Seen,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Approve what takes one approval, and do it: the changes that the member saw, and no others.

    Raises Moved, NotYours, NeedsSecond, applying.Unapplicable.
    """
    _check_in_hand(appeal, member)
    if _needs_second(seen.changes) or outcome.plan(db, tools.vault, appeal).needs_second:
        raise NeedsSecond
    move(db, appeal, Act.APPROVE, decided_by=member.id, decided_at=now)
    _apply(db, tools, appeal, seen, origin, now=now)


def confirm(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Give the second approval, and do what the first one approved, if all it rested on is as it was.

    Raises Moved, NotYours, SameHand, applying.Unapplicable.
    """
    _check_second(appeal, member)
    seen = approved_first(appeal)
    move(db, appeal, Act.CONFIRM, decided_by=member.id, decided_at=now)
    _apply(db, tools, appeal, seen, origin, now=now)


def refuse(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    member: StaffMember,
    words: str,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Refuse an appeal, and say why to its applicant; no account changes. Raises Moved, NotYours."""
    _check_in_hand(appeal, member)
    appeal.set_answer(tools.vault, words)
    move(db, appeal, Act.REFUSE, decided_by=member.id, decided_at=now)
    tools.trail.record(db, appeal.event(Action.APPEAL_REFUSED), origin, now=now)
    told = appeal.statement(tools.vault)
    phones = (told.phone, told.operator_phone, _reserved_phone(db, tools, appeal))
    messages.tell(db, tools, appeal, Message.REFUSED, *phones, now=now)


def approved_first(appeal: Appeal) -> Seen:
    """What the first of two approvals approved."""
    return Seen(list(appeal.changes), appeal.basis or "")


def has_in_hand(appeal: Appeal, member: StaffMember) -> bool:
    """Whether the member may decide on the appeal now."""
    return appeal.state == State.IN_HAND.value and appeal.claimed_by == member.id


def may_confirm(appeal: Appeal, member: StaffMember) -> bool:
    """Whether the second approval is this member's to give."""
    is_supervisor = member.role == StaffRole.SUPERVISOR.value
    return appeal.state == State.SECOND.value and is_supervisor and appeal.proposed_by != member.id


def may_read(appeal: Appeal, member: StaffMember) -> bool:
    """Whether papers and numbers are this member's to see: he decides, confirms, or had it in hand.

    Once the papers are erased nobody may.
    """
    if appeal.papers_erased_at:
        return False
    if has_in_hand(appeal, member) or may_confirm(appeal, member):
        return True
    had = {appeal.claimed_by, appeal.proposed_by, appeal.decided_by}
    return appeal.state in _READ_BY_HANDS and member.id in had


def _apply(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    seen: Seen,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    applying.apply(db, tools, appeal, seen, origin, now=now)
    tools.trail.record(
        db, appeal.event(Action.APPEAL_APPROVED, changes=list(appeal.changes)), origin, now=now
    )


def _needs_second(changes: Sequence[str]) -> bool:
    return any(change.value in changes for change in SECOND)


def _check_role(member: StaffMember) -> None:
    if StaffRole(member.role) not in HANDLERS or member.suspended_at:
        raise NotYours


def _check_in_hand(appeal: Appeal, member: StaffMember) -> None:
    """Raises Moved where nobody decides now, NotYours where somebody else does."""
    if appeal.state != State.IN_HAND.value:
        raise Moved
    if appeal.claimed_by != member.id:
        raise NotYours


def _check_second(appeal: Appeal, member: StaffMember) -> None:
    if appeal.state != State.SECOND.value:
        raise Moved
    if member.role != StaffRole.SUPERVISOR.value:
        raise NotYours
    if appeal.proposed_by == member.id:
        raise SameHand


def _reserved_phone(db: Session, tools: Tools, appeal: Appeal) -> str:
    """The phone that the company's account has, which hears the result too (X21); empty if there is none."""
    known = outcome.find(db, appeal.uscc)
    return (known.account.phone(tools.vault) or "") if known else ""
