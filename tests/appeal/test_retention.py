"""What becomes of appeals by itself: drafts go, questions end, papers are erased (SECURITY 71)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.accounts.audit import Action
from idp.appeal.models import Appeal, State
from idp.appeal.retention import Keeper
from tests.appeal.builders import AnAppeal, an_appeal
from tests.appeal.reviewing import told_of
from tests.messages import waiting
from tests.world import World


def tend(world: World, **later: float) -> int:
    """What the worker does each minute, `later` from now."""
    here = world.backends
    keeper = Keeper(here.database, here.vault, here.trail, world.settings)
    return keeper.tend(now=world.now() + timedelta(**later))


def papers_of(world: World, appeal: AnAppeal) -> set[str]:
    return set(appeal.papers(world))


def test_a_draft_is_kept_for_its_days_and_then_goes_with_its_papers(world: World) -> None:
    draft = an_appeal(world, State.DRAFT, papers=["licence"])
    days = world.settings.appeal_draft_days
    assert tend(world, days=days - 1) == 0
    assert tend(world, days=days + 1) == 1
    with world.reading() as db:
        assert db.get(Appeal, draft.id) is None
    assert papers_of(world, draft) == set()
    assert len(told_of(world, draft, Action.APPEAL_PAPERS_ERASED)) == 1
    assert tend(world, days=days + 1) == 0


def test_what_is_not_answered_in_time_ends_and_both_phones_hear_it(world: World) -> None:
    appeal = an_appeal(world, State.MORE, papers=["licence"], answer_until=world.now() + timedelta(days=5))
    assert tend(world, days=4) == 0
    assert tend(world, days=6) == 1
    row = appeal.row(world)
    assert (row.state, row.decided_by) == (State.REFUSED.value, None)
    assert row.decided_at is not None
    for phone in (appeal.told.phone, appeal.told.operator_phone):
        assert [message["purpose"] for message in waiting(world, phone)] == ["appeal_lapsed"]
    assert [line.actor for line in told_of(world, appeal, Action.APPEAL_LAPSED)] == ["worker"]
    assert papers_of(world, appeal) == {"licence"}
    assert tend(world, days=6) == 0


def test_papers_are_erased_after_the_days_of_the_setting_and_the_decision_stays(world: World) -> None:
    decided = [an_appeal(world, state, papers=["licence"]) for state in (State.APPROVED, State.REFUSED)]
    still_open = an_appeal(world, papers=["licence"])
    days = world.settings.appeal_keep_days
    assert tend(world, days=days - 1) == 0
    assert tend(world, days=days + 1) == 2
    for appeal in decided:
        row = appeal.row(world)
        assert row.papers_erased_at is not None
        assert row.state in {State.APPROVED.value, State.REFUSED.value}
        assert papers_of(world, appeal) == set()
    assert papers_of(world, still_open) == {"licence"}
    assert tend(world, days=days + 2) == 0


def test_papers_of_what_was_withdrawn_go_at_once(world: World) -> None:
    """The withdrawal deletes them itself; what it may have left goes with the next minute."""
    left = an_appeal(world, State.WITHDRAWN, papers=["licence"], decided_at=None)
    assert tend(world) == 1
    assert papers_of(world, left) == set()


def test_a_paper_forgotten_is_unreadable_at_once(world: World) -> None:
    appeal = an_appeal(world, State.APPROVED, papers=["licence"])
    [file] = appeal.papers(world).values()
    tend(world, days=world.settings.appeal_keep_days + 1)
    with world.reading() as db:
        kept = db.get_one(type(file), file.id)
    assert kept.key_sealed is None


def test_an_appeal_that_cannot_be_read_keeps_no_other_waiting(world: World) -> None:
    past = world.now() - timedelta(minutes=1)
    rows = [an_appeal(world, State.MORE, answer_until=past) for _ in range(2)]
    old = an_appeal(world, State.REFUSED, papers=["licence"], decided_at=past - timedelta(days=400))
    with world.write() as db:
        db.get_one(Appeal, rows[0].id).told_sealed = b"\x01broken"
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the vault says
        tend(world)
    assert [appeal.row(world).state for appeal in rows] == [State.MORE.value, State.REFUSED.value]
    assert old.row(world).papers_erased_at
