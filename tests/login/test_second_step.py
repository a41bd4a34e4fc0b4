"""A right password of an account with a second factor opens nothing before the second step (Y, S7, S31)."""

from __future__ import annotations

from datetime import UTC, datetime

import pyotp
import pytest

from idp.proof import recovery_codes
from tests.adapters.arrange import at_once
from tests.login.acting import (
    CENTRES,
    ONES_SIGN_INS,
    a_passkey,
    key_of,
    last_session,
    later,
    open_to_all,
    same_browser,
    send,
    sign_in,
    told,
    touch,
    trail_of,
    type_in,
)
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World, error_sentences

GONE = "这一步已经失效"
USED = "这个动态口令已经用过，请等下一个（最多 30 秒）再填"


def code(secret: str, *, ahead: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(datetime.now(UTC).timestamp()) + 30 * ahead)


def not_the(right: str) -> str:
    return f"{(int(right) + 1) % 1_000_000:06d}"


def a_person_with_totp(world: World) -> tuple[APerson, str]:
    person = world.a_person()
    return person, world.a_totp(key_of(world, person))


def codes_of(world: World, account: str) -> list[str]:
    with world.write() as db:
        return recovery_codes.renew(db, world.backends.vault, account, now=world.now())


def at_the_second_step(world: World, person: APerson) -> Browser:
    browser = world.browser()
    page = sign_in(browser, person)
    assert "第二步验证" in page.text
    return browser


def is_in(page: Page) -> bool:
    return ONES_SIGN_INS in page.text and "第二步验证" not in page.text


def test_each_kind_of_account_signs_in_by_password_and_code(world: World) -> None:
    everybody: list[APerson | ACompany | AnOperator] = [
        world.a_person(),
        world.a_company(),
        world.an_operator(),
    ]
    for known in everybody:
        account = key_of(world, known)
        secret, browser = world.a_totp(account), world.browser()
        page = sign_in(browser, known)
        assert "/login/second?ticket=" in page.url
        assert browser.cookie("idp_session") is None
        assert browser.cookie("idp_known") is None
        page = browser.submit({"code": code(secret)}, follow=False)
        assert page.status == 303
        assert page.location in CENTRES
        assert browser.cookie("idp_known"), "known after the second step"
        session = last_session(world, account)
        assert (session.amr, session.acr) == ("pwd otp", "urn:idp:loa:2")
        action, detail = trail_of(world, account)[-1]
        assert (action, detail["amr"]) == ("signed_in", ["pwd", "otp"])


def test_an_account_without_a_factor_is_asked_for_nothing_more(world: World) -> None:
    person, other = world.a_person(), world.a_person()
    world.a_totp(key_of(world, other))
    sign_in(browser := world.browser(), person)
    assert browser.cookie("idp_session")
    assert last_session(world, key_of(world, person)).acr == "urn:idp:loa:1"


def test_a_factor_of_the_person_is_not_one_of_his_mandate(world: World) -> None:
    person = world.a_person()
    operator = world.an_operator(person=person)
    world.a_totp(key_of(world, person))
    sign_in(browser := world.browser(), operator)
    assert browser.cookie("idp_session")


def test_a_wrong_password_says_nothing_of_a_second_factor(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    page = type_in(world.browser(), "person", account=person.account)
    assert page.status == 200
    assert "第二步" not in page.text


def test_the_code_comes_with_digits_of_any_width_and_spaces(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    right = code(secret)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in right)
    assert is_in(browser.submit({"code": f" {full_width[:3]} {full_width[3:]} "}))


def test_a_code_works_once(world: World) -> None:
    person, secret = a_person_with_totp(world)
    used = code(secret)
    assert is_in(at_the_second_step(world, person).submit({"code": used}))
    browser = at_the_second_step(world, person)
    page = browser.submit({"code": used})
    assert error_sentences(page) == [USED]
    assert browser.cookie("idp_session") is None
    assert trail_of(world, key_of(world, person))[-1] == ("sign_in_refused", {"why": "code", "after": "pwd"})
    assert is_in(browser.submit({"code": code(secret, ahead=1)}))


def test_of_twenty_browsers_with_one_code_one_comes_in(world: World) -> None:
    person, secret = a_person_with_totp(world)
    with world.rewired(throttle_failures=50) as patient:
        browsers = [at_the_second_step(patient, person) for _ in range(20)]
        right = code(secret)
        pages = at_once(20, lambda number: browsers[number].submit({"code": right}, follow=False))
    assert sorted(page.status for page in pages) == [200] * 19 + [303]
    assert sum(browser.cookie("idp_session") is not None for browser in browsers) == 1


def test_a_ticket_allows_five_tries_side_by_side_too(world: World) -> None:
    person, secret = a_person_with_totp(world)
    with world.rewired(throttle_failures=50) as patient:
        browser = at_the_second_step(patient, person)
        assert browser.page
        wrong, url = not_the(code(secret)), browser.page.url
        token = browser.page.form()["fields"]["csrf_token"]

        def guess(_number: int) -> str:
            twin = same_browser(patient, browser)
            return twin.post(url, {"csrf_token": token, "code": wrong}).text

        pages = at_once(12, guess)
        assert sum("动态口令不正确" in text for text in pages) == 5
        assert sum(GONE in text for text in pages) == 7
        page = browser.post(url, {"csrf_token": token, "code": code(secret)})
    assert GONE in page.text
    assert browser.cookie("idp_session") is None


def test_tries_are_counted_for_the_account_over_all_tickets(world: World) -> None:
    person, secret = a_person_with_totp(world)
    wrong = not_the(code(secret))
    for _ in range(2):
        browser = at_the_second_step(world, person)
        for _ in range(3):
            page = browser.submit({"code": wrong})
    assert page.status == 429
    assert page.response.headers["Retry-After"]
    assert "尝试次数过多" in page.text
    assert trail_of(world, key_of(world, person))[-1] == (
        "sign_in_refused",
        {"why": "throttled", "after": "pwd"},
    )
    assert browser.submit({"code": code(secret)}).status == 429, "the right one too"
    with later(minutes=2):
        assert is_in(browser.submit({"code": code(secret)}))


def test_guesses_of_strangers_do_not_slow_the_owner_in_his_own_browser(world: World) -> None:
    person, secret = a_person_with_totp(world)
    mine = at_the_second_step(world, person)
    mine.submit({"code": code(secret, ahead=-1)})
    stranger = at_the_second_step(world, person)
    for _ in range(5):
        stranger.submit({"code": not_the(code(secret))})
    sign_in(mine, person)
    assert is_in(mine.submit({"code": code(secret)}))


def test_a_ticket_belongs_to_its_browser(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser, other = at_the_second_step(world, person), world.browser()
    assert browser.page
    unknown = other.open("/login/second?ticket=" + "x" * 22)
    stolen = other.open(browser.page.url)
    assert GONE in stolen.text
    assert stolen.status == unknown.status == 400
    other.open("/login/person")
    assert other.page
    token = other.page.form()["fields"]["csrf_token"]
    assert GONE in other.post(browser.page.url, {"csrf_token": token, "code": code(secret)}).text
    assert is_in(browser.submit({"code": code(secret)})), "nothing was spent"


def test_a_ticket_works_once(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    assert browser.page
    url, fields = browser.page.url, browser.page.form()["fields"]
    assert is_in(browser.submit({"code": code(secret)}))
    page = browser.post(url, {**fields, "code": code(secret, ahead=1)})
    assert GONE in page.text
    assert GONE in browser.open(url).text


def test_a_ticket_waits_a_few_minutes(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    assert browser.page
    waits_at = "second-step:" + browser.page.url.partition("ticket=")[2]
    assert 0 < world.backends.store.remaining(waits_at) <= world.settings.second_step_lifetime
    world.backends.store.delete(waits_at)
    page = browser.submit({"code": code(secret)})
    assert GONE in page.text
    assert "重新登录" in page.text


def test_what_stands_beside_a_ticket_is_none(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    assert browser.page
    ticket = browser.page.url.partition("ticket=")[2]
    browser.submit({"code": not_the(code(secret))})
    for odd in (f"{ticket}:tries", "", "%00", "x" * 5000, "第二步", f"{ticket}%20"):
        assert browser.open(f"/login/second?ticket={odd}").status == 400


@pytest.mark.parametrize(
    ("sent", "said"),
    [("", "请填写动态口令或恢复码"), ("9" * 10_000, "动态口令是 6 位数字，恢复码是 10 个字母和数字")],
)
def test_what_cannot_be_a_code_is_not_looked_at(world: World, sent: str, said: str) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    for _ in range(7):
        assert error_sentences(browser.submit({"code": sent})) == [said]
    assert is_in(browser.submit({"code": code(secret)}))


def test_a_code_with_nul_is_malformed(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    assert at_the_second_step(world, person).submit({"code": "123\x00456"}).status == 400


@pytest.mark.parametrize("odd", ["١٢٣٤٥٦", "-12345", "1e5", "12345", "1234567", "<b>1</b>", "' OR 1=1"])
def test_odd_codes_are_wrong_ones(world: World, odd: str) -> None:
    person, _secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    assert "验证没有通过" in browser.submit({"code": odd}).text
    assert browser.cookie("idp_session") is None


def test_a_recovery_code_opens_once_and_is_told(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    account = key_of(world, person)
    codes = codes_of(world, account)
    assert is_in(at_the_second_step(world, person).submit({"code": codes[0].upper().replace("-", " ")}))
    assert ("recovery_code_used", "还剩 9 个恢复码") in told(world, account)
    browser = at_the_second_step(world, person)
    page = browser.submit({"code": codes[0]})
    assert error_sentences(page) == ["恢复码不正确，或已经用过。每个恢复码只能用一次"]
    assert is_in(browser.submit({"code": codes[1]}))


def test_a_recovery_code_of_another_account_opens_nothing(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    other, _secret = a_person_with_totp(world)
    codes = codes_of(world, key_of(world, other))
    assert "恢复码不正确" in at_the_second_step(world, person).submit({"code": codes[0]}).text


# ---- a passkey as the second step


def test_a_passkey_is_a_second_step(world: World) -> None:
    person = world.a_person()
    account = key_of(world, person)
    device, browser = a_passkey(world, account), world.browser()
    page = sign_in(browser, person)
    assert "动态口令" not in page.text, "only what the account has is asked for"
    assert "恢复码" in page.text
    assert "script-src 'self'" in page.response.headers["Content-Security-Policy"]
    page = touch(browser, device)
    assert page.status == 303
    assert last_session(world, account).amr == "pwd hwk"


def test_a_page_without_passkeys_runs_no_script(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    page = at_the_second_step(world, person).page
    assert page
    assert "script-src" not in page.response.headers["Content-Security-Policy"]
    assert "通行密钥" not in page.text


def test_either_of_two_kinds_will_do(world: World) -> None:
    person, secret = a_person_with_totp(world)
    device = a_passkey(world, key_of(world, person))
    browser = at_the_second_step(world, person)
    assert browser.page
    assert browser.page.form()["fields"].keys() >= {"code"}, "the code's form is the first"
    assert touch(browser, device).status == 303
    assert is_in(at_the_second_step(world, person).submit({"code": code(secret)}))


def test_another_persons_passkey_opens_nothing(world: World) -> None:
    person, _secret = a_person_with_totp(world)
    mine = a_passkey(world, key_of(world, person))
    theirs = a_passkey(world, key_of(world, world.a_person()))
    browser = at_the_second_step(world, person)
    assert browser.page
    # Under its own name it is known to be somebody else's, under one of his it has the wrong key.
    page = send(browser, theirs.get(open_to_all(browser.page)))
    assert "属于另一个账号" in page.text
    theirs.credentials[0].id = mine.credentials[0].id
    page = touch(browser, theirs, user_handle=mine.credentials[0].user_handle)
    assert "通行密钥验证没有通过" in page.text
    assert browser.cookie("idp_session") is None


def test_the_second_step_needs_the_pages_own_token(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    assert browser.submit({"code": code(secret), "csrf_token": "x"}).status == 400
    assert browser.cookie("idp_session") is None
