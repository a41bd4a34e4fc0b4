"""What happens while a second step waits, and what comes before it (section Y, S29, S30)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from idp.accounts import factors, obstacles
from idp.accounts.models import Credential, Mandate, Person
from tests.login.acting import (
    change_password,
    choose_first_password,
    key_of,
    last_session,
    names_of,
    sign_in,
    told,
    type_in,
    without_a_phone,
)
from tests.login.test_second_step import GONE, a_person_with_totp, at_the_second_step, code
from tests.portals import Authorization
from tests.world import World, error_sentences


def test_a_password_changed_meanwhile_ends_the_step(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    change_password(world, person, "Another-kite 43")
    assert GONE in browser.submit({"code": code(secret)}).text


def test_a_factor_taken_away_meanwhile_ends_the_step(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    with world.write() as db:
        factors.remove_all(db, key_of(world, person))
    assert GONE in browser.submit({"code": code(secret)}).text
    assert browser.cookie("idp_session") is None


def test_a_suspended_person_hears_so_at_the_second_step(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    with world.write() as db:
        db.execute(update(Person).where(Person.id == person.row.id).values(suspended_at=world.now()))
    page = browser.submit({"code": code(secret)})
    assert page.status == 403
    assert "您的账号已停用" in page.text
    assert browser.cookie("idp_session") is None


def test_a_mandate_ended_meanwhile_opens_no_more(world: World) -> None:
    operator = world.an_operator()
    secret, browser = world.a_totp(key_of(world, operator)), world.browser()
    sign_in(browser, operator)
    with world.write() as db:
        db.execute(update(Mandate).where(Mandate.id == operator.mandate.id).values(ended_at=world.now()))
    assert "企业已结束对您的授权" in browser.submit({"code": code(secret)}).text
    assert browser.cookie("idp_session") is None


def test_a_locked_account_hears_so_after_the_right_password_only(world: World) -> None:
    person, secret = a_person_with_totp(world)
    browser = at_the_second_step(world, person)
    with world.write() as db:
        mine = Credential.person_id == person.row.id
        db.execute(update(Credential).where(mine).values(locked_at=world.now(), changed_at=world.now()))
    page = browser.submit({"code": code(secret)})
    assert "账号已暂停" in page.text
    assert "没有受到影响" not in page.text
    way, fields = names_of(person)
    assert "暂停" not in type_in(world.browser(), way, **fields).text
    page = type_in(world.browser(), way, person.password, **fields)
    assert error_sentences(page) == [obstacles.LOCKED]


# ---- the first use of a mandate's password


def test_the_first_use_of_a_password_comes_before_the_second_step(world: World) -> None:
    operator = world.an_operator(must_change=True)
    account = key_of(world, operator)
    secret, browser = world.a_totp(account), world.browser()
    page = sign_in(browser, operator)
    assert "设置新的经办人密码" in page.text
    page = choose_first_password(browser, operator.phone, "Own-kite 4711")
    assert "第二步验证" in page.text
    assert browser.cookie("idp_session") is None
    assert browser.submit({"code": code(secret)}, follow=False).status == 303
    assert last_session(world, account).amr == "pwd sms otp"
    assert told(world, account)[0] == ("password_changed", "")


# ---- a portal asks for more while he acts for a company


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_who_chose_a_company_and_has_no_factor_and_no_phone_is_told_where_to_add_one(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    without_a_phone(world, operator.person)
    sign_in(browser, operator.person)
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    page = browser.open(Authorization(world.a_client()).address("openid entity", acr_values="urn:idp:loa:2"))
    assert "/login/second" in page.url
    assert "请先退出，用个人账号登录" in page.text
    assert "完成后会回到这里继续" not in page.text
    assert 'href="/login/identity"' in page.html
    assert "您目前代表的是企业" in browser.open("/login/identity").text
