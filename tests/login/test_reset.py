"""A forgotten password is set anew by its holder; whoever knew the old one is out (D01–D06, section Y)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from idp.access import endings
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Credential
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import SigninSession
from tests.access.test_endings import BACK_CHANNEL, signed_in_portal
from tests.login.acting import (
    VAGUE,
    WRONG,
    a_code,
    is_in,
    key_of,
    names_of,
    sign_in,
    told,
    trail_of,
    type_in,
)
from tests.login.resetting import (
    KINDS,
    NEW,
    a_minute_goes_by,
    asks_for_a_code,
    comes_to_the_password,
    identity_of,
    phone_of,
    resets,
    saves,
    somebody,
    tells,
)
from tests.messages import last_code, waiting
from tests.portals import Authorization, get_with, post_as
from tests.world import PASSWORD, World, error_sentences


@pytest.mark.parametrize("kind", KINDS)
def test_four_steps_lead_from_a_forgotten_password_to_the_sign_in_with_a_new_one(
    world: World, kind: str
) -> None:
    """D01–D06, X20."""
    known, browser = somebody(world, kind), world.browser()
    way, names = names_of(known)
    login = browser.open(f"/login/{way}")
    assert f'href="/reset/{kind}"' in login.html
    assert login.html.index("忘记密码？") < login.html.index("btn--lg")
    page = browser.open(f"/reset/{kind}")
    for step in ("身份验证", "短信验证", "设置新密码", "完成"):
        assert step in page.text
    assert "下一步" in page.text
    page = tells(browser, *identity_of(known))
    phone = phone_of(known)
    assert f"{phone[:3]}****{phone[-4:]}" in page.text, "D04: the reserved phone, masked"
    assert phone not in page.html
    asks_for_a_code(browser)
    page = browser.submit({"code": last_code(world, phone)})
    assert "保存" in page.text
    page = saves(browser)
    assert "新密码已生效" in page.text
    assert f'href="/login/{kind}"' in page.html
    assert "前往登录" in page.text
    assert browser.cookie("idp_session") is None, "nobody is signed in by a reset"
    assert error_sentences(type_in(world.browser(), way, PASSWORD, **names)) == [VAGUE]
    assert is_in(type_in(world.browser(), way, NEW, **names))


@pytest.mark.parametrize("kind", KINDS)
def test_every_sign_in_with_the_old_password_ends_with_its_tokens(world: World, kind: str) -> None:
    known, scope = somebody(world, kind), "openid offline_access"
    client = world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    elsewhere, here = world.browser(), world.browser()
    for each in (elsewhere, here):
        sign_in(each, known)
    held = signed_in_portal(world, elsewhere, client, scope if kind == "person" else f"{scope} entity")
    resets(world, here, known)
    assert get_with(world, held["access_token"]).status_code == 401
    asked = post_as(world, client, "/oauth/introspect", {"token": held["access_token"]})
    assert asked.get_json() == {"active": False}
    refresh = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
    assert post_as(world, client, "/oauth/token", refresh).get_json()["error"] == "invalid_grant"
    for each in (elsewhere, here):
        assert "/login" in each.open("/center/person").url
    with world.reading() as db:
        assert set(db.scalars(select(SigninSession.end_reason))) == {"password_reset"}
        assert db.scalars(select(OutboxMessage).where(OutboxMessage.kind == "logout")).all()


def test_what_other_accounts_of_the_same_human_opened_goes_on(world: World) -> None:
    operator = world.an_operator()
    himself = world.browser()
    himself.sign_in_person(operator.person)
    resets(world, world.browser(), operator)
    assert "/center/person" in himself.open("/center/person").url
    assert is_in(type_in(world.browser(), "person", PASSWORD, account=operator.person.account))


def test_browsers_that_knew_the_account_are_strangers_and_the_failures_of_strangers_are_forgotten(
    world: World,
) -> None:
    person, known = world.a_person(), world.browser()
    known.sign_in_person(person)
    for _ in range(6):
        page = type_in(world.browser(), "person", WRONG, account=person.account)
    assert page.status == 429
    resets(world, world.browser(), person)
    assert is_in(type_in(world.browser(), "person", NEW, account=person.account)), "nobody waits any more"
    for _ in range(6):
        page = type_in(world.browser(), "person", WRONG, account=person.account)
    assert page.status == 429
    assert type_in(known, "person", NEW, account=person.account).status == 429, "he waits with the strangers"


def test_the_failures_of_the_browser_that_reset_it_are_forgotten_too(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    browser.sign_in_person(person)
    browser.open("/center/person")
    for _ in range(6):
        page = type_in(browser, "person", WRONG, account=person.account)
        if page.status == 303:
            browser.client.delete_cookie("idp_session", domain="localhost")
    assert page.status == 429
    resets(world, browser, person)
    page = type_in(browser, "person", NEW, account=person.account)
    assert is_in(page), page.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_lock_of_not_me_is_lifted(world: World, kind: str) -> None:
    known = somebody(world, kind)
    with world.write() as db:
        here = world.platform
        endings.lock(
            db, here.vault, here.trail, here.notifier, key_of(world, known), Origin("x"), now=world.now()
        )
    way, names = names_of(known)
    page = type_in(world.browser(), way, PASSWORD, **names)
    assert "账号已暂停" in error_sentences(page)[0]
    assert "重置密码" in error_sentences(page)[0]
    assert f'href="/reset/{kind}"' in page.html
    resets(world, world.browser(), known)
    assert is_in(type_in(world.browser(), way, NEW, **names))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_not_me_leads_to_the_reset(world: World, kind: str) -> None:
    known, browser = somebody(world, kind), world.browser()
    sign_in(browser, known)
    sign_in(world.browser(), known)
    link = waiting(world, phone_of(known))[-1]["text"].partition("/n/")[2].split(" ")[0]
    browser.open(f"/n/{link}")
    page = browser.submit()
    assert "已为您暂停账号" in page.text
    assert f'href="/reset/{kind}"' in page.html
    assert world.settings.hotline in page.text
    text = waiting(world, phone_of(known))[-1]["text"]
    assert "重置密码" in text
    assert world.settings.hotline in text
    assert "http" not in text, "no message leads to where a code or a password is asked for"


def test_what_staff_suspended_stays_suspended(world: World) -> None:
    known = world.a_person()
    with world.write() as db:
        here = world.platform
        row = db.merge(known.row)
        endings.suspend(db, here.vault, here.trail, row, Origin("x"), reason="asked", now=world.now())
    resets(world, world.browser(), known)
    page = type_in(world.browser(), "person", NEW, account=known.account)
    assert "已停用" in error_sentences(page)[0]


def test_second_factors_stay(world: World) -> None:
    person = world.a_person()
    world.a_totp(key_of(world, person))
    resets(world, world.browser(), person)
    page = type_in(world.browser(), "person", NEW, account=person.account)
    assert page.location.startswith("/login/second")


def test_a_first_use_is_behind_an_operator_who_reset_his_password(world: World) -> None:
    operator = world.an_operator(must_change=True)
    resets(world, world.browser(), operator)
    way, names = names_of(operator)
    assert is_in(type_in(world.browser(), way, NEW, **names))


def test_a_first_use_under_way_is_void(world: World) -> None:
    operator, browser = world.an_operator(must_change=True), world.browser()
    assert browser.sign_in_operator(operator).url.startswith("/login/first-password")
    code = a_code(browser, operator.phone)
    a_minute_goes_by(world, operator.phone)
    resets(world, world.browser(), operator)
    thiefs = {"code": code, "new_password": "Of-a-thief 77", "confirm_password": "Of-a-thief 77"}
    page = browser.submit(thiefs)
    assert "/center" not in page.url


@pytest.mark.parametrize("kind", KINDS)
def test_the_phone_is_told_and_the_trail_knows_it(world: World, kind: str) -> None:
    known = somebody(world, kind)
    resets(world, world.browser(address="203.0.113.7"), known)
    (last,) = [text for text in waiting(world, phone_of(known)) if text["purpose"] == "password_reset"]
    assert "您的账号密码已通过短信验证码重置" in last["text"]
    assert "/n/" in last["text"]
    assert ("password_reset", "") in told(world, key_of(world, known))
    assert ("password_reset", {}) in trail_of(world, key_of(world, known))
    with world.reading() as db:
        line = db.scalars(select(AuditEvent).where(AuditEvent.action == "password_reset")).one()
    assert line.address == "203.0.113.7"
    assert phone_of(known) not in f"{line.detail}{line.actor}{line.target}"


def test_the_sign_in_goes_on_where_the_browser_came_from(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    page = browser.open(Authorization(client).address("openid"))
    transaction = page.url.partition("tx=")[2]
    page = browser.open(f"/login/person?tx={transaction}")
    assert f"/reset/person?tx={transaction}" in page.html
    comes_to_the_password(world, browser, person, query=f"?tx={transaction}")
    page = saves(browser)
    assert f'href="/login/person?tx={transaction}"' in page.html
    browser.open(f"/login/person?tx={transaction}")
    page = browser.submit_with_captcha({"account": person.account, "password": NEW})
    assert "code" in page.query, page.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [("/center/person/sessions", "?next=/center/person/sessions"), ("https://evil.example/", "")],
)
def test_a_way_back_to_a_page_of_ours_is_kept_and_a_foreign_one_is_not(
    world: World, given: str, kept: str
) -> None:
    person, browser = world.a_person(), world.browser()
    comes_to_the_password(world, browser, person, query=f"?next={given}")
    assert f'href="/login/person{kept}"' in saves(browser).html


def refused_passwords(phone: str) -> dict[str, str]:
    return {
        "Ab3-efg": "密码至少 8 个字符",
        "abcdefghijk": "密码要包含数字、字母、符号中的至少两种",
        f"{phone}-xy": "密码里不能包含账号、手机号或证件号码",
        "password1": "这个密码太常见",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_holds_and_the_phone_need_not_be_proved_again(world: World, kind: str) -> None:
    """X2, SECURITY 28."""
    known, browser = somebody(world, kind), world.browser()
    comes_to_the_password(world, browser, known)
    for password, said in refused_passwords(phone_of(known)).items():
        page = saves(browser, password)
        assert error_sentences(page)[0].startswith(said)
        assert password not in page.html
    assert error_sentences(saves(browser, NEW, NEW + "x")) == ["两次填写的密码不一样"]
    assert error_sentences(saves(browser, "", "")) == ["请填写新密码", "请再次输入新密码"]
    # Whether it is the old one is nobody's to learn here: the old one would be told from any other.
    assert saves(browser, PASSWORD).url.startswith("/reset/done?")


@pytest.mark.parametrize("extra", ["locked_at", "role", "is_staff", "account", "phone", "must_change", "j"])
def test_a_field_nobody_asked_for_changes_nothing(world: World, extra: str) -> None:
    """SECURITY 59."""
    person, other, browser = world.a_person(), world.a_person(), world.browser()
    comes_to_the_password(world, browser, person)
    values = {"new_password": NEW, "confirm_password": NEW, extra: f"person:{other.row.id}"}
    assert browser.submit(values).url.startswith("/reset/done?")
    assert is_in(type_in(world.browser(), "person", PASSWORD, account=other.account))
    assert is_in(type_in(world.browser(), "person", NEW, account=person.account))


def test_neither_code_nor_password_nor_phone_stands_anywhere_they_should_not(world: World) -> None:
    person, browser = replace(world.a_person()), world.browser()
    page = comes_to_the_password(world, browser, person)
    code = last_code(world, person.phone)
    assert code not in page.url
    done = saves(browser)
    assert code not in done.html
    with world.reading() as db:
        for line in db.scalars(select(AuditEvent)):
            said = f"{line.actor}{line.target}{line.detail}{line.device}"
            assert not any(secret in said for secret in (code, NEW, person.phone, person.name))
        stored = db.scalars(select(Credential.password_hash)).all()
    assert all(NEW not in one for one in stored)


def test_no_host_of_a_request_gets_into_a_message(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    comes_to_the_password(world, browser, person)
    page = browser.page
    assert page
    fields = {**page.form()["fields"], "new_password": NEW, "confirm_password": NEW}
    browser.post(
        page.url, fields, headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    )
    texts = [text["text"] for text in waiting(world, person.phone)]
    assert "重置" in texts[-1]
    assert not any("evil.example" in text for text in texts)
    assert f"{world.settings.issuer}/n/" in texts[-1]
