"""`idp worker` and SMS: each text once, again when it must, never too late; what was delivered shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.accounts.notices import SMS
from idp.accounts.outbox import RETRY_AFTER, OutboxMessage, enqueue
from idp.adapters.relying_party import RelyingParties
from idp.cli.worker import Worker
from idp.config import Mode
from tests.adapters.gateway import Gateway, a_gateway
from tests.cli.conftest import Command
from tests.world import World

PHONE = "13900000001"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that runs."""
    with a_gateway() as running:
        yield running


def an_sms(
    world: World,
    phone: str = PHONE,
    text: str = "【通行】您好",
    *,
    good_for: float | None = None,
    **more: Any,
) -> None:
    """A text that waits; of use for so many seconds, or always."""
    payload = {"phone": phone, "text": text, "code": None, "purpose": "test", **more}
    expires_at = None if good_for is None else world.now() + timedelta(seconds=good_for)
    with world.write() as db:
        enqueue(
            db,
            world.backends.vault,
            kind=SMS,
            subject="",
            payload=payload,
            now=world.now(),
            expires_at=expires_at,
        )


def work(world: World, gateway: Gateway | None, *, after: float = 0) -> None:
    """A round of a new worker, so many seconds from now."""
    parties = RelyingParties(inside_allowed=True)
    settings = replace(world.settings, sms_url=gateway.address if gateway else "")
    Worker(settings, world.backends, parties).round(world.now() + timedelta(seconds=after))
    parties.close()


def only_message(world: World) -> OutboxMessage:
    with world.reading() as db:
        return db.scalars(select(OutboxMessage)).one()


def test_two_workers_at_once_deliver_each_text_once(world: World, gateway: Gateway) -> None:
    for number in range(6):
        an_sms(world, text=str(number))
    workers = [threading.Thread(target=work, args=(world, gateway)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(asked["text"] for asked in gateway.asked) == [str(number) for number in range(6)]


def test_a_gateway_that_is_down_gets_the_text_later_under_the_same_id(world: World, gateway: Gateway) -> None:
    an_sms(world)
    gateway.status = 503
    work(world, gateway)
    assert only_message(world).payload_sealed is not None
    gateway.status = 0
    work(world, gateway)
    assert len(gateway.asked) == 1, "it waits first"
    work(world, gateway, after=6)
    assert len({asked["id"] for asked in gateway.asked}) == 1
    assert len(gateway.sent) == 1
    message = only_message(world)
    assert (message.tries, message.payload_sealed) == (2, None)
    assert message.delivered_at is not None


def test_a_phone_that_is_refused_is_not_tried_again(world: World, gateway: Gateway) -> None:
    an_sms(world, "13900009998")
    for after in (0, 10, 3600):
        work(world, gateway, after=after)
    assert len(gateway.asked) == 1
    message = only_message(world)
    assert message.failed_at is not None
    assert (message.payload_sealed, message.last_error) == (None, "refused with 400")


def test_a_code_that_has_expired_is_not_sent(world: World, gateway: Gateway) -> None:
    """SECURITY 18: a code lives five minutes, and a message that tells it no longer."""
    an_sms(world, good_for=-1)
    an_sms(world, text="still good", good_for=60)
    work(world, gateway)
    assert [asked["text"] for asked in gateway.asked] == ["still good"]
    with world.reading() as db:
        given_up = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).first()
        assert given_up is not None
        assert given_up.failed_at is not None
        assert given_up.payload_sealed is None


def test_without_a_gateway_texts_are_given_up_by_the_rule_of_all_messages(world: World) -> None:
    an_sms(world)
    for tries in range(len(RETRY_AFTER) + 1):
        work(world, None, after=sum(RETRY_AFTER[:tries]) + tries)
    message = only_message(world)
    assert message.failed_at is not None
    assert (message.payload_sealed, message.tries) == (None, len(RETRY_AFTER) + 1)
    assert "IDP_SMS_URL" in message.last_error


@pytest.mark.parametrize("url", ["http://sms.example/send", "nonsense"])
def test_an_address_that_sends_in_clear_is_said_at_the_start(idp: Command, url: str) -> None:
    assert "IDP_SMS_URL" in idp.refuses("worker", "--once", IDP_SMS_URL=url)


@pytest.fixture
def demo(world: World) -> Iterator[World]:
    """The same installation as a demo."""
    with world.rewired(mode=Mode.DEMO) as made:
        yield made


def outbox(demo: World, query: str = "") -> Any:
    answer = demo.app.test_client().get(f"/demo/outbox.json{query}", base_url=demo.settings.issuer)
    return answer.get_json()


def test_the_demos_outbox_shows_what_waits_and_what_was_delivered_each_once(
    demo: World, idp: Command
) -> None:
    in_the_demo = {"IDP_MODE": "demo"}
    an_sms(demo, text="first", code="111111")
    assert [sms["text"] for sms in outbox(demo)] == ["first"]
    before = outbox(demo)[0]
    assert idp("worker", "--once", **in_the_demo).code == 0
    assert outbox(demo) == [before], "the same entry, delivered or not"
    an_sms(demo, "13900009999", text="away at first")
    an_sms(demo, "13900009998", text="refused")
    an_sms(demo, text="third")
    assert idp("worker", "--once", **in_the_demo).code == 0
    assert [sms["text"] for sms in outbox(demo)] == ["third", "away at first", "first"]
    assert [sms["text"] for sms in outbox(demo, "?phone=139 0000 0001")] == ["third", "first"]
    assert set(before) == {"phone", "text", "code", "purpose", "at"}
    assert before["code"] == "111111"
