"""How many messages are sent, what became of them, and what counts again (SECURITY 16, 23, MISSION Y)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from idp.accounts.outbox import TOO_LATE, GivenUp, OutboxMessage
from idp.proof import sms_bounds, sms_codes
from idp.proof.sms_bounds import Limit, SmsLimited
from idp.proof.sms_codes import CodeRefused, Fate, Purpose, Wanted
from tests.adapters.arrange import at_once
from tests.messages import last_code, waiting
from tests.proof.sending import PHONE, WANTED, send, to, tools, wait_a_minute
from tests.world import World

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Noon in Shanghai: neither an hour nor a day ends while a test runs."""
PURPOSES = list(Purpose)


def refused(world: World, wanted: Wanted = WANTED, **more: Any) -> tuple[Limit, timedelta]:
    """Which bound refuses a message, and for how long."""
    with pytest.raises(SmsLimited) as said:
        send(world, wanted, **more)
    return said.value.limit, said.value.wait


def test_a_phone_gets_one_in_a_minute_whatever_it_is_for(world: World) -> None:
    """SECURITY 16."""
    assert sms_bounds.seconds_until_next(world.backends.store, world.backends.vault, PHONE) == 0
    send(world)
    for purpose in PURPOSES:
        limit, wait = refused(world, replace(WANTED, purpose=purpose, account="", browser="b", journey="j"))
        assert limit is Limit.GAP
        assert timedelta(seconds=50) < wait <= timedelta(seconds=60)
    assert 50 < sms_bounds.seconds_until_next(world.backends.store, world.backends.vault, PHONE) <= 60
    wait_a_minute(world)
    send(world)
    assert len(waiting(world, PHONE)) == 2


def test_of_twenty_asked_for_at_once_one_is_sent(world: World) -> None:
    """SECURITY 16."""

    def ask(number: int) -> bool:
        try:
            send(world, replace(WANTED, browser=f"browser {number}"), address=f"192.0.2.{number}")
        except SmsLimited:
            return False
        return True

    assert at_once(20, ask).count(True) == 1
    assert len(waiting(world, PHONE)) == 1


def test_a_phone_gets_ten_in_a_day_of_the_calendar_all_purposes_together(world: World) -> None:
    """SECURITY 16."""
    for number in range(10):
        purpose = PURPOSES[number % len(PURPOSES)]
        send(world, replace(WANTED, purpose=purpose), address=f"192.0.2.{number}", now=NOON)
        wait_a_minute(world)
    late = NOON + timedelta(hours=11, minutes=59)
    assert refused(world, now=late) == (Limit.PHONE, timedelta(minutes=1))
    # A refusal neither counts nor keeps the next one waiting.
    assert refused(world, now=late)[0] is Limit.PHONE
    send(world, to("13900000002"), now=late)
    send(world, now=late + timedelta(minutes=1))


def test_what_anybody_may_ask_for_uses_up_half_a_day_of_a_phone_and_its_owner_has_the_other(
    world: World,
) -> None:
    """SECURITY 16: strangers cannot keep him from resetting his password."""
    strangers = sorted(sms_codes.ASKED_BY_ANYBODY)
    for number in range(5):
        wanted = replace(WANTED, purpose=strangers[number % 3], account="", browser=f"stranger {number}")
        send(world, wanted, address=f"192.0.2.{number}", now=NOON)
        wait_a_minute(world)
    for purpose in strangers:
        one_more = replace(WANTED, purpose=purpose, account="")
        assert refused(world, one_more, now=NOON) == (Limit.PHONE, timedelta(hours=12))
    for purpose in [Purpose.RESET, Purpose.SECOND_STEP, Purpose.FIRST_USE, Purpose.ACTIVATE, Purpose.RESET]:
        send(world, replace(WANTED, purpose=purpose), now=NOON)
        wait_a_minute(world)
    assert refused(world, now=NOON)[0] is Limit.PHONE


def test_a_strangers_message_that_never_left_is_given_back_to_his_half_too(world: World) -> None:
    stranger = replace(WANTED, purpose=Purpose.REGISTER_PERSON, account="")
    for _ in range(3):
        send(world, stranger, sms_a_day=2, now=NOON)
        given_up(world, TOO_LATE)
    send(world, stranger, sms_a_day=2, now=NOON)
    wait_a_minute(world)
    assert refused(world, stranger, sms_a_day=2, now=NOON)[0] is Limit.PHONE


@pytest.mark.parametrize(
    ("addresses", "stranger"),
    [
        (["192.0.2.7"] * 4, "192.0.2.8"),
        (["2001:db8::1", "2001:db8::ffff", "2001:db8:0:0:8000::", "2001:db8::2"], "2001:db8:0:1::1"),
    ],
)
def test_an_address_asks_for_so_many_in_an_hour(world: World, addresses: list[str], stranger: str) -> None:
    """SECURITY 16; of IPv6 the first 64 bits, the rest of which everybody chooses himself."""
    for number, address in enumerate(addresses[:3]):
        send(world, to(f"1390000001{number}"), address=address, now=NOON, sms_an_address=3)
    last: dict[str, Any] = {"address": addresses[3], "sms_an_address": 3}
    assert refused(world, now=NOON, **last) == (Limit.ADDRESS, timedelta(hours=1))
    send(world, address=stranger, now=NOON, sms_an_address=3)
    wait_a_minute(world)
    send(world, now=NOON + timedelta(hours=1), **last)


def test_all_phones_together_get_so_many_in_an_hour(world: World) -> None:
    for number in range(3):
        send(world, to(f"1390000001{number}"), address=f"192.0.2.{number}", now=NOON, sms_an_hour=3)
    half_past = NOON + timedelta(minutes=30)
    assert refused(world, now=half_past, sms_an_hour=3) == (Limit.ALL, timedelta(minutes=30))
    send(world, now=NOON + timedelta(hours=1), sms_an_hour=3)


def test_asked_for_at_once_no_bound_is_passed(world: World) -> None:
    def ask(number: int) -> bool:
        try:
            send(world, to(f"139000000{number:02d}"), now=NOON, sms_an_address=5)
        except SmsLimited:
            return False
        return True

    assert at_once(20, ask).count(True) <= 5
    assert refused(world, to("13900000099"), now=NOON, sms_an_address=5)[0] is Limit.ADDRESS


def test_all_lines_of_an_ipv6_site_get_eight_times_as_many(world: World) -> None:
    one: dict[str, Any] = {"sms_an_address": 1, "now": NOON}
    for number in range(8):
        send(world, to(f"139000001{number:02d}"), address=f"2001:db8:1:{number:x}::7", **one)
    assert refused(world, address="2001:db8:1:8::7", **one)[0] is Limit.ADDRESS
    # A refusal counts under none of the bounds before.
    send(world, address="2001:db8:2::7", **one)


@pytest.mark.parametrize("bound", [{"sms_an_address": 1}, {"sms_an_hour": 1}])
def test_what_is_refused_counts_under_no_other_bound(world: World, bound: dict[str, Any]) -> None:
    send(world, to("13900000002"), now=NOON)
    for _ in range(12):
        assert refused(world, now=NOON, **bound)[0] in {Limit.ADDRESS, Limit.ALL}
    # Neither the gap nor the day of the phone, nor the hour of the address.
    for number in range(10):
        send(world, now=NOON, sms_an_address=11)
        wait_a_minute(world)
        assert len(waiting(world, PHONE)) == number + 1


def given_up(world: World, why: str, phone: str = PHONE, *, perhaps_taken: bool = False) -> dict[str, Any]:
    """The worker gives the newest message to this phone up."""
    payload = waiting(world, phone)[-1]
    sms_codes.mourner(world.backends.store)(payload, GivenUp(why, perhaps_taken))
    return payload


def opens(world: World, code: str) -> bool:
    try:
        sms_codes.check(world.backends.store, WANTED, code, now=NOON)
    except CodeRefused:
        return False
    return True


def test_a_message_that_came_too_late_counts_under_no_bound_and_its_code_is_dead(world: World) -> None:
    """SECURITY 23: a gateway that is down costs nobody a try."""
    one: dict[str, Any] = {"sms_a_day": 1, "sms_an_address": 1, "sms_an_hour": 1, "now": NOON}
    for _ in range(3):
        send(world, **one)
        payload = given_up(world, TOO_LATE)
        assert not opens(world, payload["code"])
        assert sms_bounds.seconds_until_next(world.backends.store, world.backends.vault, PHONE) == 0
    send(world, **one)
    wait_a_minute(world)
    assert refused(world, **one)[0] is Limit.PHONE


def test_a_number_nobody_has_counts_for_its_address_and_not_for_the_phone(world: World) -> None:
    two: dict[str, Any] = {"sms_a_day": 1, "sms_an_address": 2, "now": NOON}
    for _ in range(2):
        send(world, **two)
        given_up(world, "refused with 400")
    assert refused(world, **two)[0] is Limit.ADDRESS
    send(world, address="192.0.2.8", **two)


@pytest.mark.parametrize("why", [TOO_LATE, "refused with 400"])
def test_a_message_that_may_have_been_taken_counts_and_its_code_lives_on(world: World, why: str) -> None:
    """SECURITY 16: a gateway that answers late is no way round the bounds."""
    for bound in ("sms_a_day", "sms_an_address", "sms_an_hour"):
        phone = f"139000000{len(bound):02d}"
        send(world, to(phone), now=NOON)
        payload = given_up(world, why, phone, perhaps_taken=True)
        wait_a_minute(world, phone)
        assert refused(world, to(phone), now=NOON, **{bound: 1})
        sms_codes.check(world.backends.store, to(phone), payload["code"], now=NOON)


def test_a_message_given_up_takes_nothing_from_the_next_day(world: World) -> None:
    """What is given back is what was counted."""
    evening = NOON + timedelta(hours=11, minutes=59, seconds=30)
    send(world, now=evening, sms_a_day=1)
    wait_a_minute(world)
    send(world, now=evening + timedelta(minutes=1), sms_a_day=1)
    sms_codes.mourner(world.backends.store)(waiting(world, PHONE)[0], GivenUp(TOO_LATE))
    wait_a_minute(world)
    assert refused(world, now=evening + timedelta(minutes=2), sms_a_day=1)[0] is Limit.PHONE


def test_a_message_given_up_leaves_the_newer_code_and_its_minute_alone(world: World) -> None:
    send(world, now=NOON)
    (older,) = waiting(world, PHONE)
    wait_a_minute(world)
    send(world, now=NOON)
    sms_codes.mourner(world.backends.store)(older, GivenUp(TOO_LATE))
    assert refused(world)[0] is Limit.GAP
    assert opens(world, last_code(world, PHONE))


def test_a_message_without_a_code_is_nothing_to_the_counters(world: World) -> None:
    sms_codes.mourner(world.backends.store)({"phone": PHONE, "text": "【通行】您好"}, GivenUp(TOO_LATE))
    sms_codes.mourner(world.backends.store)({}, GivenUp("SealBroken"))


def fate(world: World, ref: str, *, browser: str = WANTED.browser, after: float = 0) -> Fate | None:
    with world.reading() as db:
        now = world.now() + timedelta(seconds=after)
        return sms_codes.fate(db, world.backends.store, ref, browser=browser, now=now)


def becomes(world: World, change: Callable[[OutboxMessage], None]) -> None:
    """Something happens to the one message there is."""
    with world.write() as db:
        change(db.query(OutboxMessage).one())


def test_who_asked_for_a_message_is_told_what_became_of_it(world: World) -> None:
    ref = send(world)
    assert fate(world, ref) is Fate.QUEUED
    assert fate(world, ref, after=61) is Fate.FAILED, "it is dropped, even where no worker says so"
    becomes(world, lambda row: setattr(row, "delivered_at", world.now()))
    assert fate(world, ref, after=61) is Fate.SENT
    becomes(world, lambda row: setattr(row, "reported_at", world.now()))
    assert fate(world, ref) is Fate.ARRIVED
    becomes(world, lambda row: setattr(row, "report", "UNDELIV"))
    assert fate(world, ref) is Fate.LOST


def test_a_message_that_was_given_up_or_forgotten_failed(world: World) -> None:
    ref = send(world)
    becomes(world, lambda row: setattr(row, "failed_at", world.now()))
    assert fate(world, ref) is Fate.FAILED
    with world.write() as db:
        db.delete(db.query(OutboxMessage).one())
    assert fate(world, ref) is Fate.FAILED


def test_of_a_message_that_may_have_been_taken_nothing_is_said_that_may_be_wrong(world: World) -> None:
    ref = send(world)
    becomes(world, lambda row: setattr(row, "perhaps_taken", True))
    assert fate(world, ref) is Fate.QUEUED
    assert fate(world, ref, after=61) is Fate.UNSURE
    becomes(world, lambda row: setattr(row, "failed_at", world.now()))
    assert fate(world, ref) is Fate.UNSURE
    becomes(world, lambda row: setattr(row, "reported_at", world.now()))
    assert fate(world, ref) is Fate.ARRIVED


def test_nobody_else_is_told(world: World) -> None:
    ref = send(world)
    (message,) = waiting(world, PHONE)
    assert fate(world, ref, browser="another") is None
    assert fate(world, "x" * 5000) is None
    assert fate(world, str(UUID(message["id"]))) is None


def test_a_message_is_dropped_after_a_minute(world: World) -> None:
    now = world.now()
    send(world, now=now)
    with world.reading() as db:
        assert db.query(OutboxMessage).one().expires_at == now + timedelta(seconds=60)


def test_the_counters_are_those_of_the_settings(world: World) -> None:
    found = tools(world).settings
    assert (found.sms_resend, found.sms_a_day, found.sms_an_address) == (60, 10, 30)
