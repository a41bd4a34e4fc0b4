"""Whoever knows the password but not the second factor: slowed, written down, told (section Y, S7, S34)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.login.acting import (
    TOO_MANY,
    a_passkey,
    is_in,
    key_of,
    later,
    open_to_all,
    send,
    sign_in,
    told,
    touch,
    trail_of,
)
from tests.login.test_second_step import a_person_with_totp, at_the_second_step, code, not_the
from tests.world import APerson, Browser, Page, World, error_sentences

pytestmark = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
ASKED, REFUSED = ("second_step_asked", ""), ("second_step_refused", "")
ASKED_LINE: tuple[str, dict[str, Any]] = ("second_step_asked", {})


def soon(world: World, *, minutes: int = 0) -> AbstractContextManager[Any]:
    """Half past an hour not far away, and `minutes` more: what an hour holds is counted by the clock."""
    return later(minutes=150 - world.now().minute + minutes)


def guess(browser: Browser, person: APerson, secret: str) -> Page:
    """One right password and one wrong code."""
    sign_in(browser, person)
    return browser.submit({"code": not_the(code(secret))})


def test_browsers_that_knew_the_password_before_there_was_a_factor_are_strangers(world: World) -> None:
    person, home = world.a_person(), world.browser()
    account = key_of(world, person)
    thiefs = [world.browser() for _ in range(7)]
    for browser in (home, *thiefs):
        sign_in(browser, person)
    secret = world.a_totp(account)
    sign_in(home, person)
    assert is_in(home.submit({"code": code(secret, ahead=-1)}, follow=False))
    answers = [guess(browser, person, secret) for browser in thiefs]
    assert [page.status for page in answers] == [200] * 5 + [429] * 2
    assert told(world, account).count(REFUSED) == 1, "once a day"
    sign_in(home, person)
    assert is_in(home.submit({"code": code(secret)}, follow=False)), "the owner is not slowed"


def test_all_browsers_together_have_twenty_tries_an_hour(world: World) -> None:
    person, secret = a_person_with_totp(world)
    account = key_of(world, person)
    homes = [world.browser() for _ in range(6)]
    for number, browser in enumerate(homes):
        with later(minutes=number):
            sign_in(browser, person)
            assert is_in(browser.submit({"code": code(secret)}, follow=False))
    with soon(world):
        answers = [guess(browser, person, secret) for _ in range(4) for browser in homes]
        # The one after the twentieth is the first of those that wait for each other.
        assert [page.status for page in answers] == [200] * 21 + [429] * 3
        assert told(world, account).count(REFUSED) == 1
        said = error_sentences(answers[-1])
        assert said == ["尝试次数过多，请过 15 分钟重新登录再试。账号没有被锁定"]
    with soon(world, minutes=16):
        sign_in(homes[0], person)
        assert is_in(homes[0].submit({"code": code(secret)}, follow=False))


def test_a_right_password_that_goes_no_further_leaves_a_line_and_is_told_once_a_day(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    account = key_of(world, person)
    for _ in range(3):
        at_the_second_step(world, person)
    assert trail_of(world, account) == [ASKED_LINE] * 3
    assert told(world, account) == [ASKED]


def test_the_owner_at_home_is_not_told_of_his_own_second_step(world: World) -> None:
    person, home = world.a_person(), world.browser()
    sign_in(home, person)
    world.a_totp(key_of(world, person))
    sign_in(home, person)
    assert told(world, key_of(world, person)) == []


def test_what_is_refused_after_a_right_password_says_so_in_the_trail(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    a_passkey(world, account := key_of(world, person))
    theirs = a_passkey(world, key_of(world, world.a_person()))
    browser = at_the_second_step(world, person)
    assert browser.page
    send(browser, theirs.get(open_to_all(browser.page)))
    for _ in range(4):
        browser.submit({"code": "000000"})
    browser = at_the_second_step(world, person)
    for _ in range(2):
        browser.submit({"code": "000000"})
    refused = [detail for action, detail in trail_of(world, account) if action == "sign_in_refused"]
    whys = ["passkey not_yours"] + ["code"] * 5 + ["throttled"]
    assert refused == [{"why": why, "after": "pwd"} for why in whys]


def test_answers_to_no_challenge_leave_no_line(world: World) -> None:
    browser = world.browser()
    page = browser.open("/login/passkey")
    fields = page.form()["fields"]
    for _ in range(30):
        browser.post("/login/passkey", {**fields, "answer": "{}", "challenge_id": "x" * 22})
    browser.open("/login/passkey")
    send(browser, "rubbish")
    assert trail_of(world, "nobody") == []


def test_answers_that_prove_nothing_are_slowed_by_where_they_come_from(world: World) -> None:
    person, home = world.a_person(), world.browser()
    device = a_passkey(world, account := key_of(world, person))
    home.open("/login/passkey")
    assert is_in(touch(home, device))
    junk = world.browser()
    with soon(world):
        junk.open("/login/passkey")
        statuses = [touch(junk, device, verified=False).status for _ in range(30)]
        assert statuses == [200] * 21 + [429] * 9
        assert TOO_MANY in error_sentences(touch(junk, device))[0]
        assert trail_of(world, account).count(("sign_in_refused", {"why": "passkey wrong"})) == 21
        home.open("/login/passkey")
        assert is_in(touch(home, device)), "a browser somebody signed in with is counted alone"
        elsewhere = world.browser(address="203.0.113.9")
        elsewhere.open("/login/passkey")
        assert is_in(touch(elsewhere, device))
    with soon(world, minutes=2):
        junk.open("/login/passkey")
        assert is_in(touch(junk, device))
