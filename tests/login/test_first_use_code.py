"""The code that the first use of a mandate's password asks for: on the operator's own phone (section Y)."""

from __future__ import annotations

import pytest

from idp.accounts import factors
from idp.accounts.audit import Origin
from idp.accounts.models import Mandate, Person
from idp.login import entry, first_use
from idp.login.candidates import of_mandate
from tests.login.acting import (
    a_code,
    choose_first_password,
    is_in,
    key_of,
    last_session,
    phone_form,
    switch_sms_on,
    trail_of,
)
from tests.login.resetting import a_minute_goes_by
from tests.login.test_first_use import OWN, at_the_step, choose
from tests.messages import last_code, waiting
from tests.portals import Authorization
from tests.world import AnOperator, Browser, World, error_sentences

COMPANYS = "13700000099"


def set_phones(world: World, operator: AnOperator, *, own: str | None, mandates: str | None) -> None:
    """Give the person and the mandate these phones."""
    vault = world.backends.vault
    with world.write() as db:
        rows = (
            (db.get_one(Person, operator.person.row.id), own),
            (db.get_one(Mandate, operator.mandate.id), mandates),
        )
        for row, phone in rows:
            if phone:
                row.set_phone(vault, phone)
            else:
                row.phone_sealed = row.phone_index = None


def test_the_password_alone_changes_nothing(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser = at_the_step(world, operator)
    assert error_sentences(choose(browser)) == ["请填写短信验证码"]
    assert error_sentences(choose(browser, "000000")) == ["短信验证码已过期或已使用，请重新获取"]
    assert browser.cookie("idp_session") is None
    assert is_in(choose(browser, a_code(browser, operator.phone)))


def test_the_code_goes_to_the_persons_own_phone_and_not_to_the_one_the_company_wrote_down(
    world: World,
) -> None:
    operator = world.an_operator(must_change=True)
    set_phones(world, operator, own=operator.phone, mandates=COMPANYS)
    browser = world.browser()
    browser.sign_in_operator(AnOperator(operator.mandate, operator.person, operator.company, COMPANYS))
    page = browser.submit({"send": "1"})
    assert operator.phone not in page.html
    assert waiting(world, COMPANYS) == []
    assert is_in(choose(browser, last_code(world, operator.phone)))


def test_where_the_person_has_none_it_goes_to_the_mandates_phone(world: World) -> None:
    operator = world.an_operator(must_change=True)
    set_phones(world, operator, own=None, mandates=operator.phone)
    assert is_in(choose_first_password(at_the_step(world, operator), operator.phone, OWN, follow=False))


def test_the_phone_the_company_wrote_down_lets_in_and_proves_nothing_of_the_person(world: World) -> None:
    operator = world.an_operator(must_change=True)
    set_phones(world, operator, own=None, mandates=COMPANYS)
    browser = world.browser()
    browser.sign_in_operator(AnOperator(operator.mandate, operator.person, operator.company, COMPANYS))
    assert is_in(choose_first_password(browser, COMPANYS, OWN, follow=False))
    session = last_session(world, key_of(world, operator))
    assert (session.amr, session.acr) == ("pwd", "urn:idp:loa:1")
    assert trail_of(world, key_of(world, operator))[-1][1]["amr"] == ["pwd"]


def test_nor_does_it_raise_such_a_sign_in_until_codes_are_switched_on(world: World) -> None:
    operator = world.an_operator(must_change=True)
    set_phones(world, operator, own=None, mandates=COMPANYS)
    browser = world.browser()
    browser.sign_in_operator(AnOperator(operator.mandate, operator.person, operator.company, COMPANYS))
    choose_first_password(browser, COMPANYS, OWN)
    asked = Authorization(world.a_client()).address("openid entity", acr_values="urn:idp:loa:2")
    page, sent = browser.open(asked), len(waiting(world, COMPANYS))
    assert "还没有设置第二步验证" in page.text
    browser.submit({"send": "1", "sms_code": "123456"})
    assert len(waiting(world, COMPANYS)) == sent
    switch_sms_on(world, key_of(world, operator))
    page = browser.open(asked)
    assert phone_form(page) is not None


def test_whoever_has_no_phone_is_told_who_can_help(world: World) -> None:
    operator = world.an_operator(must_change=True)
    set_phones(world, operator, own=None, mandates=None)
    browser = world.browser()
    browser.open("/login/operator")
    names = {"enterprise": operator.company.uscc, "account": operator.person.id_number}
    page = browser.submit_with_captcha({**names, "password": operator.password})
    assert page.status == 409
    assert "请联系单位的管理员补充登记" in page.text
    assert 'href="/login"' in page.html


def test_a_code_of_another_browser_or_ticket_opens_nothing(world: World) -> None:
    operator = world.an_operator(must_change=True)
    code = a_code(at_the_step(world, operator), operator.phone)
    other = at_the_step(world, operator)
    assert error_sentences(choose(other, code)) == ["短信验证码已过期或已使用，请重新获取"]


def test_a_phone_that_changes_meanwhile_is_proved_anew(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser = at_the_step(world, operator)
    page = choose(browser, a_code(browser, operator.phone), "short")
    assert "已确认，请设置新密码" in page.text
    set_phones(world, operator, own=COMPANYS, mandates=COMPANYS)
    assert error_sentences(choose(browser)) == ["请填写短信验证码"]
    assert is_in(choose_first_password(browser, COMPANYS, OWN, follow=False))


def test_wrong_codes_are_few_and_are_written_down(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser = at_the_step(world, operator)
    right = a_code(browser, operator.phone)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    said = [error_sentences(choose(browser, wrong))[0] for _ in range(5)]
    assert said[0] == "短信验证码不正确，还可以再试 4 次"
    assert said[-1] == "短信验证码错误次数过多，请重新获取"
    assert not is_in(choose(browser, right))
    tried = [
        detail for action, detail in trail_of(world, key_of(world, operator)) if action.endswith("refused")
    ]
    assert tried == [{"why": "sms_code", "after": "pwd"}] * 6


def test_the_second_message_asks_for_a_captcha(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser = at_the_step(world, operator)
    a_code(browser, operator.phone)
    a_minute_goes_by(world, operator.phone)
    assert error_sentences(browser.submit({"send": "1"})) == ["请填写图形验证码"]
    browser.submit_with_captcha({"send": "1"})
    assert len(waiting(world, operator.phone)) == 2


def test_such_a_sign_in_was_proved_by_two_things(world: World) -> None:
    operator = world.an_operator(must_change=True)
    choose_first_password(at_the_step(world, operator), operator.phone, OWN)
    session = last_session(world, key_of(world, operator))
    assert (session.amr, session.acr) == ("pwd sms", "urn:idp:loa:2")


def test_an_account_that_asks_for_codes_anyway_asks_for_one_only(world: World) -> None:
    operator = world.an_operator(must_change=True)
    with world.write() as db:
        factors.add_sms(db, account=key_of(world, operator), now=world.now())
    assert is_in(choose_first_password(at_the_step(world, operator), operator.phone, OWN, follow=False))


def test_without_the_code_the_password_is_not_set_whatever_the_page_says(world: World) -> None:
    operator, here = world.an_operator(must_change=True), world.platform
    tools = entry.Tools(here.settings, here.store, here.vault, here.hasher, here.trail, here.notifier)
    browser = entry.Browser("a-browser", "a-known-one", (), Origin())
    for proved in (None, COMPANYS):
        with world.write() as db:
            candidate = of_mandate(operator.mandate.id)(db, here.vault, world.now())
            ticket = first_use.ask(tools, candidate, browser).ticket
            if proved:
                first_use.note_proved(tools, ticket, proved)
            with pytest.raises(entry.TicketGone):
                first_use.choose_password(db, tools, ticket, OWN, browser, now=world.now())
    assert at_the_step(world, operator), "it is still the company's"


def test_what_else_is_sent_is_not_looked_at(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser: Browser = at_the_step(world, operator)
    page = browser.submit(
        {
            "phone": COMPANYS,
            "proved": "1",
            "must_change": "0",
            "captcha": "x" * 5000,
            "code": "０" * 9000,
            "new_password": OWN,
            "confirm_password": OWN,
        }
    )
    assert page.status == 200
    assert browser.cookie("idp_session") is None
    browser.submit({"send": "1", "phone": COMPANYS})
    assert waiting(world, COMPANYS) == []
