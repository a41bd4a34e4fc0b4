"""A code sent to the phone as the second step, where its owner switched it on (section Y)."""

from __future__ import annotations

import re
import time

import pyotp
from sqlalchemy import select, update

from idp.accounts import factors
from idp.accounts.factors import SmsFactor
from idp.accounts.models import Person
from idp.proof import recovery_codes
from tests.adapters.arrange import at_once
from tests.login.acting import (
    CENTRES,
    a_code,
    key_of,
    last_session,
    later,
    phone_form,
    same_browser,
    sign_in,
    switch_sms_on,
    told,
    trail_of,
    type_sms,
    without_a_phone,
)
from tests.login.resetting import a_minute_goes_by
from tests.messages import last_code, waiting
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World, error_sentences

EXPIRED = "短信验证码已过期或已使用，请重新获取"


def a_person_with_sms(world: World) -> APerson:
    person = world.a_person()
    switch_sms_on(world, key_of(world, person))
    return person


def at_the_second_step(world: World, known: APerson | ACompany | AnOperator) -> Browser:
    browser = world.browser()
    page = sign_in(browser, known)
    assert page.url.startswith("/login/second?ticket="), page.text
    return browser


def codes_to(world: World, person: APerson) -> list[str]:
    """The codes on their way to a person's phone; notices are none."""
    return [message["code"] for message in waiting(world, person.phone) if message["code"]]


def not_the(right: str) -> str:
    return f"{(int(right) + 1) % 1_000_000:06d}"


def test_each_kind_of_account_signs_in_by_password_and_code(world: World) -> None:
    person, company, operator = world.a_person(), world.a_company(), world.an_operator()
    everybody: list[tuple[APerson | ACompany | AnOperator, str]] = [
        (person, person.phone),
        (company, company.representative.phone),
        (operator, operator.phone),
    ]
    for known, phone in everybody:
        account = key_of(world, known)
        switch_sms_on(world, account)
        browser = at_the_second_step(world, known)
        assert browser.cookie("idp_session") is None
        page = type_sms(browser, a_code(browser, phone), follow=False)
        assert (page.status, page.location in CENTRES) == (303, True)
        session = last_session(world, account)
        assert (session.amr, session.acr) == ("pwd sms", "urn:idp:loa:2")
        assert trail_of(world, account)[-1][1]["amr"] == ["pwd", "sms"]


def test_the_page_shows_no_more_of_the_phone_than_its_owner_needs(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    assert browser.page
    assert person.phone not in browser.page.html
    assert f"{person.phone[:3]}****{person.phone[-4:]}" in browser.page.text
    assert codes_to(world, person) == [], "nothing is sent before it is asked for"


def test_when_it_was_used_is_noted(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    type_sms(browser, a_code(browser, person.phone))
    with world.reading() as db:
        assert db.scalars(select(SmsFactor.last_used_at)).one() is not None


def test_who_did_not_switch_it_on_is_sent_nothing_at_the_second_step(world: World) -> None:
    """A stronger factor is not gone round by a phone."""
    person = world.a_person()
    secret = world.a_totp(key_of(world, person))
    browser = at_the_second_step(world, person)
    assert browser.page
    assert "sms_code" not in browser.page.html
    browser.submit({"send": "1", "sms_code": "123456"})
    assert codes_to(world, person) == []
    assert browser.cookie("idp_session") is None
    browser.submit({"code": pyotp.TOTP(secret).at(int(time.time()))})
    assert browser.cookie("idp_session")


def test_with_both_either_will_do(world: World) -> None:
    person = a_person_with_sms(world)
    world.a_totp(key_of(world, person))
    browser = at_the_second_step(world, person)
    assert browser.page
    assert phone_form(browser.page) == 1, "the app comes first"
    assert "用短信验证码验证" in browser.page.text
    type_sms(browser, a_code(browser, person.phone))
    assert last_session(world, key_of(world, person)).amr == "pwd sms"


def test_a_recovery_code_does_where_the_phone_is_gone(world: World) -> None:
    person = a_person_with_sms(world)
    with world.write() as db:
        code = recovery_codes.renew(db, world.backends.vault, key_of(world, person), now=world.now())[0]
    without_a_phone(world, person)
    browser = at_the_second_step(world, person)
    assert browser.page
    assert "sms_code" not in browser.page.html
    browser.submit({"code": code})
    assert browser.cookie("idp_session")


def test_what_was_typed_is_called_what_it_is(world: World) -> None:
    """Whoever has no authenticator app is told nothing of one."""
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    assert browser.page
    assert "用恢复码验证" in browser.page.text
    assert "继续登录" in browser.page.text
    for typed, said in (
        ("", "请填写恢复码"),
        ("9" * 100, "恢复码是 10 个字母和数字"),
        ("123456", "恢复码不正确。恢复码是 10 个字母和数字，不是 6 位的验证码"),
        ("abcde-fghjk", "恢复码不正确，或已经用过。每个恢复码只能用一次"),
    ):
        assert error_sentences(browser.submit({"code": typed}, number=1)) == [said], typed
    assert "动态口令" not in browser.page.text
    world.a_totp(key_of(world, person))
    browser = at_the_second_step(world, person)
    for typed, said in (("12345", "填写的不是动态口令，也不是恢复码"), ("000000", "动态口令不正确")):
        assert error_sentences(browser.submit({"code": typed}))[0].startswith(said), typed


def test_how_long_the_next_message_has_to_wait_is_shown_whatever_brings_the_page_back(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    assert browser.page
    step = browser.page.url
    assert seconds_to_wait(browser.page) == 0
    code = a_code(browser, person.phone)
    for page in (
        browser.page,
        type_sms(browser, not_the(code)),
        browser.submit({"code": "abcde-fghjk"}, number=1),
        # Beside the script the form of the recovery code does not know of the message.
        browser.submit({"code": "abcde-fghjk", "sms_ref": ""}, number=1),
        browser.open(step),
    ):
        assert seconds_to_wait(page) > 50
        assert "短信正在发送" in page.text or "验证码正在发送" in page.text
    assert seconds_to_wait(at_the_second_step(world, person).page) == 0, "asked for elsewhere"


def seconds_to_wait(page: Page | None) -> int:
    assert page
    found = re.search(r'data-wait="(\d+)"', page.html)
    assert found
    return int(found[1])


def test_what_is_no_code_costs_no_try(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    for _ in range(6):
        assert error_sentences(type_sms(browser, "12")) == ["短信验证码是 6 位数字"]
    assert error_sentences(type_sms(browser, "")) == ["请填写短信验证码"]
    type_sms(browser, code)
    assert browser.cookie("idp_session")


def test_wrong_codes_are_few_written_down_and_told(world: World) -> None:
    person = a_person_with_sms(world)
    account, browser = key_of(world, person), at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    assert error_sentences(type_sms(browser, not_the(code))) == ["短信验证码不正确，还可以再试 4 次"]
    assert trail_of(world, account)[-1] == ("sign_in_refused", {"why": "sms_code", "after": "pwd"})
    for _ in range(4):
        page = type_sms(browser, not_the(code))
    assert page.status == 429 or "错误次数过多" in page.text
    # Another right password gives another ticket, and the account's tries stay counted.
    a_minute_goes_by(world, person.phone)
    browser = at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    page = type_sms(browser, code)
    assert page.status == 429
    assert browser.cookie("idp_session") is None
    assert ("second_step_refused", "") in told(world, account)


def test_a_code_of_another_ticket_or_browser_opens_nothing(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    assert error_sentences(type_sms(at_the_second_step(world, person), code)) == [EXPIRED]
    sign_in(browser, person)
    assert error_sentences(type_sms(browser, code)) == [EXPIRED], "the same browser, another ticket"


def test_a_code_is_void_once_the_phone_of_record_is_another_one(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    with world.write() as db:
        db.get_one(Person, person.row.id).set_phone(world.backends.vault, "13700000055")
    assert error_sentences(type_sms(browser, code)) == [EXPIRED]
    assert browser.cookie("idp_session") is None


def test_of_many_who_send_the_same_code_at_once_one_comes_in(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    assert browser.page
    step, fields = browser.page.url, browser.page.form(phone_form(browser.page))["fields"]
    filled = {**fields, "sms_code": code}
    answers = at_once(4, lambda _number: same_browser(world, browser).post(step, filled, follow=False))
    assert [page.status == 303 for page in answers].count(True) == 1


def test_the_second_message_asks_for_a_captcha_and_is_for_the_script_too(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    a_code(browser, person.phone)
    a_minute_goes_by(world, person.phone)
    assert browser.page
    number = phone_form(browser.page)
    step, fields = browser.page.url, browser.page.form(number)["fields"]
    json = {"Accept": "application/json"}
    answer = browser.post(step, {**fields, "send": "1"}, headers=json).response.get_json() or {}
    assert (answer["sent"], answer["field"]) == (False, "captcha")
    browser.open(step)
    a_code(browser, person.phone)
    assert len(codes_to(world, person)) == 2


def test_who_changes_the_line_within_an_ipv6_site_is_sent_eight_times_as_many(world: World) -> None:
    person, pages = a_person_with_sms(world), []
    with world.rewired(sms_an_address=1, sms_a_day=20) as strict:
        for number in range(9):
            a_minute_goes_by(world, person.phone)
            browser = strict.browser(address=f"2001:db8:1:{number:x}::7")
            pages.append(sends_from(browser, person))
        elsewhere = sends_from(strict.browser(address="2001:db8:2::7"), person)
    refused = ["您所在的网络获取验证码太频繁" in page.text for page in pages]
    assert refused == [False] * 8 + [True]
    assert "验证码正在发送" in elsewhere.text


def sends_from(browser: Browser, person: APerson) -> Page:
    """The right password, and 获取验证码."""
    page = sign_in(browser, person)
    return browser.submit({"send": "1"}, number=phone_form(page))


def test_a_factor_taken_away_meanwhile_ends_the_step(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    code = a_code(browser, person.phone)
    with world.write() as db:
        factors.remove_all(db, key_of(world, person))
    assert "这一步已经失效" in type_sms(browser, code).text
    assert browser.cookie("idp_session") is None


def test_a_locked_account_is_sent_nothing(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    with world.write() as db:
        db.execute(update(Person).where(Person.id == person.row.id).values(suspended_at=world.now()))
    page = browser.submit({"send": "1"}, number=0)
    assert page.status == 403
    assert codes_to(world, person) == []


# ---- 请再次确认是您本人


def test_a_fresh_proof_is_given_by_the_code_too(world: World) -> None:
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    type_sms(browser, a_code(browser, person.phone))
    a_minute_goes_by(world, person.phone)
    with later(minutes=11):
        page = browser.open("/center/person/security/totp")
        assert page.url.startswith("/login/confirm?")
        assert "tx-secret" not in page.html
        page = type_sms(browser, a_code(browser, person.phone))
        assert page.url.startswith("/center/person/security/totp")
    assert ("proved_again", {"amr": ["sms"]}) in trail_of(world, key_of(world, person))


def test_a_fresh_proof_of_an_account_without_a_factor_takes_its_password_alone(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    sign_in(browser, person)
    with later(minutes=11):
        page = browser.open("/center/person/security/totp")
        assert page.url.startswith("/login/confirm?")
        assert "sms_code" not in page.html
        browser.submit({"send": "1"})
        assert codes_to(world, person) == []


def test_the_code_of_a_first_step_is_no_second_one(world: World) -> None:
    """The code of a forgotten password, which a stranger may have been told, signs nobody in."""
    person = a_person_with_sms(world)
    browser = at_the_second_step(world, person)
    other = world.browser()
    other.open("/reset/person")
    document = {"id_type": "resident_id", "id_number": person.id_number}
    other.submit_with_captcha({"account": person.account, "name": person.name, **document})
    other.submit({"send": "1"})
    assert error_sentences(type_sms(browser, last_code(world, person.phone))) == [EXPIRED]
