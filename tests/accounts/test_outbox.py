"""Messages leave once, later when they must, and nothing stays of them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from idp.accounts.outbox import (
    RETRY_AFTER,
    TOO_LATE,
    GivenUp,
    NotDelivered,
    OutboxMessage,
    Undeliverable,
    awaits_report,
    deliver_due,
    enqueue,
    note_report,
)
from tests.oauth.asking import at_once
from tests.world import World


def queued(world: World, *texts: str, kind: str = "sms", expires_at: datetime | None = None) -> None:
    with world.write() as db:
        for text in texts:
            enqueue(
                db,
                world.backends.vault,
                kind=kind,
                subject="s",
                payload={"text": text},
                now=world.now(),
                expires_at=expires_at,
            )


def work(world: World, deliver: Any, *, now: datetime | None = None) -> int:
    """One round of a worker."""
    kinds = {"sms": deliver}
    return deliver_due(world.backends.database, world.backends.vault, kinds, now=now or world.now())


def messages(world: World) -> list[OutboxMessage]:
    with world.reading() as db:
        return list(db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def refuse(_payload: dict[str, Any]) -> None:
    raise NotDelivered("the gateway is busy")


def test_a_message_leaves_once_and_its_text_is_wiped(world: World) -> None:
    sent: list[str] = []
    queued(world, "您好 138")
    assert b"138" not in (messages(world)[0].payload_sealed or b"")
    assert work(world, lambda payload: sent.append(payload["text"])) == 1
    assert work(world, lambda payload: sent.append(payload["text"])) == 0
    assert sent == ["您好 138"]
    left = messages(world)[0]
    assert (left.payload_sealed, left.next_try_at, left.tries) == (None, None, 1)
    assert left.delivered_at is not None


def test_a_rolled_back_cause_sends_nothing(world: World) -> None:
    with world.reading() as db:
        enqueue(db, world.backends.vault, kind="sms", subject="s", payload={}, now=world.now())
        db.flush()
        db.rollback()
    assert work(world, refuse) == 0


def test_it_is_tried_again_ever_later_and_then_given_up(world: World) -> None:
    queued(world, "x")
    now = world.now()
    for tries, pause in enumerate(RETRY_AFTER, start=1):
        assert work(world, refuse, now=now) == 1
        assert work(world, refuse, now=now + timedelta(seconds=pause - 1)) == 0
        assert messages(world)[0].tries == tries
        now += timedelta(seconds=pause)
    assert work(world, refuse, now=now) == 1
    assert work(world, refuse, now=now + timedelta(days=30)) == 0
    given_up = messages(world)[0]
    assert (given_up.payload_sealed, given_up.delivered_at) == (None, None)
    assert given_up.failed_at is not None
    assert given_up.last_error == "the gateway is busy"


def test_of_eight_workers_one_delivers_each(world: World) -> None:
    sent: list[str] = []
    queued(world, *[str(number) for number in range(12)])
    now = world.now()
    tried = at_once(8, lambda _number: work(world, lambda payload: sent.append(payload["text"]), now=now))
    assert sorted(sent, key=int) == [str(number) for number in range(12)]
    assert sum(tried) == 12


def test_a_worker_that_dies_gives_its_messages_back(world: World) -> None:
    sent: list[str] = []
    queued(world, "x")

    def die(_payload: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    now = world.now()
    try:
        work(world, die, now=now)
    except KeyboardInterrupt:
        assert work(world, lambda payload: sent.append(payload["text"]), now=now) == 0
    assert work(world, lambda payload: sent.append(payload["text"]), now=now + timedelta(hours=1)) == 1
    assert sent == ["x"]


def test_a_slow_delivery_is_not_taken_over_by_another_worker_nor_holds_up_its_messages(world: World) -> None:
    queued(world, *[str(number) for number in range(20)])
    now, taken_over, sent = world.now(), [], list[str]()

    def slow(payload: dict[str, Any]) -> None:
        # The longest that a receiver keeps us waiting, and a slow database beside.
        meanwhile = now + timedelta(seconds=20)
        taken_over.append(work(world, lambda other: sent.append(other["text"]), now=meanwhile))
        sent.append(payload["text"])

    assert work(world, slow, now=now) == 1
    assert taken_over == [19]
    assert sorted(sent, key=int) == [str(number) for number in range(20)]


def test_what_expires_leaves_before_what_does_not_and_the_soonest_first(world: World) -> None:
    """A code never waits behind notices, however long these have waited."""
    sent: list[str] = []
    queued(world, "notice", "another notice")
    for text, seconds in (("in a minute", 60), ("at once", 10)):
        queued(world, text, expires_at=world.now() + timedelta(seconds=seconds))
    work(world, lambda payload: sent.append(payload["text"]), now=world.now())
    assert sent == ["at once", "in a minute", "notice", "another notice"]


def reported(world: World, name: str, why: str, *, kind: str = "sms") -> bool:
    with world.write() as db:
        return note_report(db, name, why, kind=kind, now=world.now())


def test_a_report_finds_its_message_by_our_name_or_by_theirs(world: World) -> None:
    queued(world, "ours", "theirs", "theirs, a UUID")
    names = iter([None, "sn-1", "6f0d2f4e-0000-4000-8000-000000000001"])
    work(world, lambda _payload: next(names))
    assert reported(world, str(messages(world)[0].id), "")
    assert reported(world, "sn-1", "UNDELIV")
    assert reported(world, "6f0d2f4e-0000-4000-8000-000000000001", "")
    assert [(row.reported_at is not None, row.report) for row in messages(world)] == [
        (True, ""),
        (True, "UNDELIV"),
        (True, ""),
    ]


def test_a_report_said_again_changes_nothing_and_an_arrival_stands_for_good(world: World) -> None:
    queued(world, "x")
    name = str(messages(world)[0].id)
    assert reported(world, name, "UNDELIV")
    first = messages(world)[0].reported_at
    assert reported(world, name, "EXPIRED")
    assert (messages(world)[0].reported_at, messages(world)[0].report) == (first, "UNDELIV")
    assert reported(world, name, "")
    arrived = messages(world)[0].reported_at
    assert reported(world, name, "UNDELIV")
    assert (messages(world)[0].reported_at, messages(world)[0].report) == (arrived, "")


@pytest.mark.parametrize(
    "said",
    [
        "139-0000-0001",
        "139 0000 0001",
        "+86 139.0000.0001",
        "(139) 0000 - 0001",
        "１３９－００００－０００１",
        "139\u20110000\u20110001",
        "139\u200b0000\u200b0001",
        "1 3 9 0 0 0 0 0 0 0 1",
    ],
)
def test_a_report_keeps_no_phone_however_its_digits_are_parted(world: World, said: str) -> None:
    queued(world, "x")
    assert reported(world, str(messages(world)[0].id), f"user {said} is off, code 4017")
    report = messages(world)[0].report
    assert re.sub(r"[(+ ]*…", "…", report) == "user… is off, code 4017"


def test_a_report_keeps_no_phone_and_nothing_that_cannot_be_kept(world: World) -> None:
    queued(world, "x")
    name = str(messages(world)[0].id)
    assert reported(world, name, "no 13800009876\0\n\ud800" + "x" * 500)
    report = messages(world)[0].report
    assert report.startswith("no …   x")
    assert len(report) == 200


@pytest.mark.parametrize("name", ["", "\0", "sn\n1", "号", "\ud800", "x" * 121, "7" * 40, str(UUID(int=7))])
def test_a_name_that_no_message_has_is_unknown(world: World, name: str) -> None:
    queued(world, "x")
    assert not reported(world, name, "")
    assert not reported(world, str(messages(world)[0].id), "", kind="logout")


def test_reports_are_awaited_of_what_was_taken_lately_and_named(world: World) -> None:
    def waits(ago: float = 3600) -> bool:
        with world.reading() as db:
            return awaits_report(db, kind="sms", since=world.now() - timedelta(seconds=ago))

    queued(world, "without a name")
    work(world, lambda _payload: None)
    assert not waits()
    queued(world, "with one")
    assert not waits()
    work(world, lambda _payload: "sn-1")
    assert (waits(), waits(-1)) == (True, False)
    assert reported(world, "sn-1", "UNDELIV")
    assert not waits()


def test_one_that_cannot_be_delivered_holds_up_no_other(world: World) -> None:
    sent: list[str] = []
    queued(world, "broken", "good")

    def deliver(payload: dict[str, Any]) -> None:
        if payload["text"] == "broken":
            raise KeyError("a fault of our own")
        sent.append(payload["text"])

    assert work(world, deliver) == 2
    assert sent == ["good"]
    broken = messages(world)[0]
    assert (broken.tries, broken.delivered_at) == (1, None)
    assert "a fault of our own" not in broken.last_error


def test_a_sealed_text_that_does_not_open_holds_up_no_other(world: World) -> None:
    sent: list[str] = []
    queued(world, "moved", "good")
    with world.write() as db:
        first, second = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
        db.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == first.id)
            .values(payload_sealed=second.payload_sealed)
        )
    work(world, lambda payload: sent.append(payload["text"]))
    assert sent == ["good"]


def test_a_worker_takes_only_the_kinds_it_can_deliver(world: World) -> None:
    queued(world, "for another worker", kind="logout")
    assert work(world, refuse) == 0
    assert messages(world)[0].tries == 0


def test_one_that_will_never_be_taken_is_given_up_at_once_and_wiped(world: World) -> None:
    def never(_payload: dict[str, Any]) -> None:
        raise Undeliverable("no such phone")

    queued(world, "x")
    assert work(world, never) == 1
    assert work(world, never, now=world.now() + timedelta(days=1)) == 0
    given_up = messages(world)[0]
    assert (given_up.payload_sealed, given_up.delivered_at, given_up.tries) == (None, None, 1)
    assert given_up.failed_at is not None
    assert given_up.last_error == "no such phone"


def test_each_try_brings_the_same_id_and_the_time_of_its_making(world: World) -> None:
    told: list[tuple[str, str]] = []

    def note(payload: dict[str, Any]) -> None:
        told.append((payload["id"], payload["at"]))
        raise NotDelivered

    queued(world, "x")
    for seconds in (0, 10):
        work(world, note, now=world.now() + timedelta(seconds=seconds))
    row = messages(world)[0]
    assert told == [(str(row.id), row.created_at.isoformat())] * 2


def dropped_after(world: World, *tries: Any) -> GivenUp:
    """How a message ends that is of use for a minute and meets these deliverers, one after the other."""
    ends: list[GivenUp] = []
    queued(world, "x", expires_at=world.now() + timedelta(seconds=60))
    now = world.now()

    def at(deliver: Any, seconds: float) -> None:
        deliver_due(
            world.backends.database,
            world.backends.vault,
            {"sms": deliver},
            now=now + timedelta(seconds=seconds),
            mourners={"sms": lambda _payload, end: ends.append(end)},
        )

    for deliver, seconds in zip(tries, (0, 31, 55), strict=False):
        try:
            at(deliver, seconds)
        except KeyboardInterrupt:
            continue
    assert messages(world)[0].tries == len(tries) - (die in tries)
    at(refuse, 60)
    (end,) = ends
    assert messages(world)[0].perhaps_taken is end.perhaps_taken
    return end


def keep_silent(_payload: dict[str, Any]) -> None:
    raise NotDelivered("ReadTimeout", perhaps_taken=True)


def break_down(_payload: dict[str, Any]) -> None:
    raise KeyError("a fault of our own")


def die(_payload: dict[str, Any]) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("first", [keep_silent, break_down, die])
def test_a_try_that_may_have_been_taken_is_remembered_over_those_that_were_not(
    world: World, first: Any
) -> None:
    """Whoever counts messages gives back only what surely never left."""
    assert dropped_after(world, first, refuse) == GivenUp(TOO_LATE, perhaps_taken=True)


def test_what_no_try_can_have_brought_over_surely_never_left(world: World) -> None:
    assert dropped_after(world, refuse, refuse) == GivenUp(TOO_LATE)
