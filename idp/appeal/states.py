"""Which act leads an appeal from which state to which; nothing else moves one (section Y, "appeals").

An act is one UPDATE that names the version it rests on, so that of two at once one counts: two agents never
have one appeal, and what was decided is not decided again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.appeal.models import Appeal, State


class Act(StrEnum):
    """What somebody does to an appeal."""

    SUBMIT = "submit"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    ASK = "ask"
    PROPOSE = "propose"
    RETURN = "return"
    APPROVE = "approve"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    LAPSE = "lapse"


class Moved(Exception):
    """The appeal is not where the act may begin any more: somebody else was faster."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From where an act may begin, and where it leads."""

    sources: frozenset[State]
    target: State


def _rule(target: State, *sources: State) -> Rule:
    return Rule(frozenset(sources), target)


RULES: Final = {
    Act.SUBMIT: _rule(State.WAITING, State.DRAFT),
    Act.SUPPLEMENT: _rule(State.WAITING, State.MORE),
    Act.WITHDRAW: _rule(State.WITHDRAWN, State.DRAFT, State.WAITING, State.IN_HAND, State.SECOND, State.MORE),
    Act.CLAIM: _rule(State.IN_HAND, State.WAITING),
    Act.RELEASE: _rule(State.WAITING, State.IN_HAND),
    Act.ASSIGN: _rule(State.IN_HAND, State.WAITING, State.IN_HAND),
    Act.ASK: _rule(State.MORE, State.IN_HAND),
    Act.PROPOSE: _rule(State.SECOND, State.IN_HAND),
    Act.RETURN: _rule(State.IN_HAND, State.SECOND),
    Act.APPROVE: _rule(State.APPROVED, State.IN_HAND),
    Act.CONFIRM: _rule(State.APPROVED, State.SECOND),
    Act.REFUSE: _rule(State.REFUSED, State.IN_HAND),
    Act.LAPSE: _rule(State.REFUSED, State.MORE),
}


def may(appeal: Appeal, act: Act) -> bool:
    """Whether the appeal is where `act` may begin."""
    return State(appeal.state) in RULES[act].sources


def move(db: Session, appeal: Appeal, act: Act, **values: Any) -> None:
    """Do `act` to the appeal as it was read, and write `values` with it, in the caller's transaction.

    What was set on the object before is flushed first. Raises Moved.
    """
    if not may(appeal, act):
        raise Moved
    db.flush()
    moved = db.execute(
        update(Appeal)
        .where(Appeal.id == appeal.id, Appeal.version == appeal.version, Appeal.state == appeal.state)
        .values(state=RULES[act].target.value, version=Appeal.version + 1, **values),
        execution_options={"synchronize_session": False},
    )
    if not moved.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise Moved
    db.refresh(appeal)
