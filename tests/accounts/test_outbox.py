"""Messages leave once, later when they must, and nothing stays of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from idp.accounts.outbox import (
    RETRY_AFTER,
    NotDelivered,
    OutboxMessage,
    Undeliverable,
    deliver_due,
    enqueue,
)
from tests.oauth.asking import at_once
from tests.world import World


def queued(world: World, *texts: str, kind: str = "sms") -> None:
    with world.write() as db:
        for text in texts:
            enqueue(db, world.backends.vault, kind=kind, subject="s", payload={"text": text}, now=world.now())


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


def test_a_slow_round_is_not_taken_over_by_another_worker(world: World) -> None:
    # Twenty portals that each keep us waiting for the whole time-out: nobody may begin anew meanwhile.
    queued(world, *[str(number) for number in range(20)])
    now, taken_over = world.now(), []

    def slow(payload: dict[str, Any]) -> None:
        if payload["text"] == "0":
            meanwhile = now + timedelta(seconds=100)
            taken_over.append(work(world, lambda _payload: None, now=meanwhile))

    assert work(world, slow, now=now) == 20
    assert taken_over == [0]


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
