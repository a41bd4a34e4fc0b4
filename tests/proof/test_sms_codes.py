"""Codes sent to a phone: guessed, shared, stolen, late (SECURITY 18–22, MISSION Y)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from idp.accounts.outbox import OutboxMessage
from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.proof import sms_bounds, sms_codes
from idp.proof.sms_codes import WORDS, CodeRefused, Purpose, Wanted, Why
from tests.adapters.arrange import at_once
from tests.messages import last_code, waiting
from tests.proof.sending import (
    ADDRESS,
    PHONE,
    WANTED,
    another,
    read_by_a_thief,
    send,
    sent_code,
    to,
    tools,
    wait_a_minute,
)
from tests.world import World


def check(world: World, supplied: str, wanted: Wanted = WANTED, *, after: float = 0) -> None:
    """Return if the code is right, so many seconds from now."""
    sms_codes.check(world.backends.store, wanted, supplied, now=world.now() + timedelta(seconds=after))


def refused(world: World, supplied: str, wanted: Wanted = WANTED, *, after: float = 0) -> tuple[Why, int]:
    """Why a code is refused, and how many tries are left."""
    with pytest.raises(CodeRefused) as said:
        check(world, supplied, wanted, after=after)
    return said.value.why, said.value.left


def test_the_text_says_who_sends_what_for_and_how_long_it_is_good(world: World) -> None:
    code = sent_code(world)
    (message,) = waiting(world, PHONE)
    assert len(code) == 6
    assert code.isdecimal()
    for word in (code, world.settings.site_name, "重置密码", "5 分钟"):
        assert word in message["text"]
    assert message["params"] == [code, "重置密码", "5"]


def test_every_purpose_has_its_words() -> None:
    assert set(WORDS) == set(Purpose)


def test_codes_do_not_repeat_and_may_begin_with_a_zero(world: World) -> None:
    """SECURITY 18."""
    codes = {sent_code(world, to(f"1390000{number:04d}")) for number in range(30)}
    assert len(codes) > 27
    assert len({code[0] for code in codes}) > 4


def test_the_right_code_opens_once(world: World) -> None:
    """SECURITY 20. Whoever brings it again at once is the same form's twin; that is all it says."""
    code = sent_code(world)
    check(world, code)
    assert refused(world, another(code))[0] is Why.EXPIRED
    assert refused(world, code)[0] is Why.SPENT
    assert refused(world, code, replace(WANTED, journey="another"))[0] is Why.EXPIRED
    assert refused(world, code, after=61)[0] is Why.EXPIRED
    assert [refused(world, code)[0] for _ in range(2)] == [Why.SPENT, Why.TOO_MANY_TRIES]


@pytest.mark.parametrize("written", [" {} ", "\u3000{}\u00a0"])
@pytest.mark.parametrize("between", ["", " ", "\u3000"])
@pytest.mark.parametrize("first_digit", ["0", "０"])
def test_a_code_is_understood_as_input_methods_write_it(
    world: World, written: str, between: str, first_digit: str
) -> None:
    """SECURITY 21: full-width digits, spaces of any width."""
    code = sent_code(world)
    digits = [chr(ord(digit) - ord("0") + ord(first_digit)) for digit in code]
    check(world, written.format(between.join(digits)))


@pytest.mark.parametrize("typed", ["", "١٢٣٤٥٦", "\ud800", "\U0001f600", "12345", "1" * 4000, "x\0y"])
def test_what_is_no_code_is_wrong_and_nothing_worse(world: World, typed: str) -> None:
    send(world)
    assert refused(world, typed) == (Why.WRONG, 4)


def test_after_five_wrong_ones_the_right_one_opens_nothing(world: World) -> None:
    """SECURITY 18."""
    code = sent_code(world)
    left = [refused(world, another(code)) for _ in range(5)]
    assert left == [(Why.WRONG, 4), (Why.WRONG, 3), (Why.WRONG, 2), (Why.WRONG, 1), (Why.TOO_MANY_TRIES, 0)]
    assert refused(world, code)[0] is Why.TOO_MANY_TRIES


def test_of_forty_guesses_at_once_five_are_looked_at(world: World) -> None:
    """SECURITY 18: the try is counted before it is compared."""
    code = sent_code(world)

    def guess(_number: int) -> int:
        return refused(world, another(code))[1]

    # The fifth says that none is left, as do those that nobody looked at any more.
    assert sorted(at_once(40, guess), reverse=True)[:5] == [4, 3, 2, 1, 0]
    assert refused(world, code)[0] is Why.TOO_MANY_TRIES


def test_of_the_right_code_twenty_times_at_once_at_most_one_opens(world: World) -> None:
    """SECURITY 20."""
    code = sent_code(world)

    def use(_number: int) -> bool:
        try:
            check(world, code)
        except CodeRefused:
            return False
        return True

    assert at_once(20, use).count(True) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": Purpose.REGISTER_PERSON},
        {"account": "person:two"},
        {"account": ""},
        {"phone": "13900000002"},
        {"browser": "another-browser"},
        {"journey": "another-journey"},
        # Nothing moves from one part to the next.
        {"browser": WANTED.browser + "a", "journey": WANTED.journey[1:]},
    ],
)
def test_a_code_is_good_for_its_purpose_account_phone_browser_and_journey_alone(
    world: World, changed: dict[str, Any]
) -> None:
    """SECURITY 19."""
    code = sent_code(world)
    assert refused(world, code, replace(WANTED, **changed)) == (Why.EXPIRED, 0)
    # Whoever tried elsewhere has neither spent it nor counted against it.
    assert refused(world, another(code)) == (Why.WRONG, 4)
    check(world, code)


def test_a_code_lives_five_minutes(world: World) -> None:
    """SECURITY 18."""
    code = sent_code(world)
    assert refused(world, code, after=301)[0] is Why.EXPIRED
    check(world, code, after=290)


def test_a_new_code_voids_the_one_before_and_has_tries_of_its_own(world: World) -> None:
    """SECURITY 20."""
    first = sent_code(world)
    for _ in range(5):
        refused(world, another(first))
    wait_a_minute(world)
    second = sent_code(world)
    if first != second:
        assert refused(world, first) == (Why.WRONG, 4)
    check(world, second)


def test_a_code_of_another_browser_for_the_same_phone_voids_none(world: World) -> None:
    """Or whoever knows a number could keep its owner from ever using one."""
    code = sent_code(world)
    wait_a_minute(world)
    send(world, replace(WANTED, browser="a stranger's browser"))
    check(world, code)


def test_neither_code_nor_phone_can_be_read_where_they_are_kept(world: World) -> None:
    """SECURITY 22, 79; a million codes are soon tried, but for the browser's id, which is not there."""
    code = sent_code(world)
    stolen = read_by_a_thief(world.backends.store)
    assert b"sms-code:" in stolen
    for secret in (code, PHONE, WANTED.browser):
        assert secret.encode() not in stolen
    with world.reading() as db:
        row = db.query(OutboxMessage).one()
    assert code.encode() not in (row.payload_sealed or b"")
    assert (row.subject, row.last_error) == (WANTED.account, "")


def test_the_digest_of_a_code_is_keyed_by_what_the_store_does_not_hold() -> None:
    """SECURITY 22."""
    other = replace(WANTED, browser="another-browser")
    assert sms_codes._digest(WANTED, "ref", "123456") != sms_codes._digest(other, "ref", "123456")


@pytest.mark.parametrize("moment", ["queued", "committed"])
def test_what_the_database_does_not_keep_counts_for_nothing_and_voids_no_code(
    world: World, moment: str
) -> None:
    """SECURITY 23: an outage uses up nobody's day, nor the code in hand."""
    code = sent_code(world)
    limits: dict[str, Any] = {"sms_a_day": 2, "sms_an_address": 2, "sms_an_hour": 2}
    for _ in range(3):
        wait_a_minute(world)
        with world.reading() as db, fails_when(moment, db), pytest.raises(OperationalError):
            sms_codes.send(db, tools(world, **limits), WANTED, address=ADDRESS, now=world.now())
        assert sms_bounds.seconds_until_next(world.backends.store, world.backends.vault, PHONE) == 0
    assert len(waiting(world, PHONE)) == 1
    check(world, code)
    send(world, **limits)


@contextmanager
def fails_when(moment: str, db: Session) -> Iterator[None]:
    """The database goes away when this session writes a message, or when it commits."""

    def fail(*_told: object) -> None:
        raise OperationalError("", {}, Exception("the server closed the connection"))

    on: Any = db if moment == "committed" else db.connection()
    name = "before_commit" if moment == "committed" else "before_execute"
    event.listen(on, name, fail)
    yield
    event.remove(on, name, fail)


def test_without_a_store_no_code_is_sent_and_none_is_right(world: World) -> None:
    """SECURITY 93: it fails closed."""
    nowhere = RedisEphemeralStore("redis://127.0.0.1:1/0")
    without = replace(tools(world), store=nowhere)
    with world.write() as db, pytest.raises(StoreUnavailable):
        sms_codes.send(db, without, WANTED, address=ADDRESS, now=world.now())
    assert waiting(world, PHONE) == []
    with pytest.raises(StoreUnavailable):
        sms_codes.check(nowhere, WANTED, "123456", now=world.now())


def test_a_message_that_waits_says_nothing_of_another_one(world: World) -> None:
    codes = {phone: sent_code(world, to(phone)) for phone in ("13900000011", "13900000012")}
    assert {phone: last_code(world, phone) for phone in codes} == codes
