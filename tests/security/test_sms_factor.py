"""短信验证 on 账号安全: switching it on needs a code, and it goes as any other factor does (section Y)."""

from __future__ import annotations

import pyotp

from idp.access import endings
from idp.accounts.audit import Origin
from idp.accounts.factors import Kind, kinds_of, list_factors
from tests.entering import enter
from tests.login.acting import (
    a_code,
    key_of,
    last_session,
    later,
    sign_in,
    switch_sms_on,
    told,
    trail_of,
    type_sms,
    without_a_phone,
)
from tests.messages import waiting
from tests.security.acting import ROOM, adds_totp, asked_to_confirm, codes_on, links_on, signed_in
from tests.world import ACompany, AnOperator, Browser, Page, World, error_sentences

SMS = f"{ROOM}/sms"


def kinds(world: World, account: str) -> set[Kind]:
    with world.reading() as db:
        return set(kinds_of(db, account))


def switches_on(browser: Browser, phone: str, *, at: str = SMS) -> Page:
    """Open the page, read the code, send it; the page that follows."""
    browser.open(at)
    code = a_code(browser, phone)
    assert browser.page
    number = next(
        one for one in range(browser.page.form_count) if "sms_ref" in browser.page.form(one)["fields"]
    )
    return browser.submit({"code": code}, number=number)


def test_it_is_switched_on_by_a_code_and_brings_recovery_codes(world: World) -> None:
    person, browser = signed_in(world)
    assert "开通短信验证" in browser.open(ROOM).text
    page = switches_on(browser, person.phone)
    assert "短信验证已开通" in page.text
    assert len(codes_on(page)) == 10
    account = key_of(world, person)
    assert kinds(world, account) == {Kind.SMS}
    page = browser.open(ROOM)
    assert f"发送到 {person.phone[:3]}****{person.phone[-4:]}" in page.text
    assert person.phone not in page.html
    assert "开通短信验证" not in page.text
    assert ("factor_added", "短信验证") in told(world, account)
    assert ("factor_added", "sms") in [
        (action, said.get("kind")) for action, said in trail_of(world, account)
    ]
    session = last_session(world, account)
    assert (session.amr, session.acr) == ("pwd sms", "urn:idp:loa:2")


def test_from_then_on_the_password_alone_opens_nothing(world: World) -> None:
    person, browser = signed_in(world)
    switches_on(browser, person.phone)
    other = world.browser()
    assert sign_in(other, person).url.startswith("/login/second?ticket=")
    assert other.cookie("idp_session") is None


def test_companies_and_operators_have_it_too_each_for_its_own_account(world: World) -> None:
    company, operator = world.a_company(), world.an_operator()
    everybody: list[tuple[str, ACompany | AnOperator, str]] = [
        ("enterprise", company, company.representative.phone),
        ("operator", operator, operator.phone),
    ]
    for centre, known, phone in everybody:
        browser = world.browser()
        sign_in(browser, known)
        switches_on(browser, phone, at=f"/center/{centre}/security/sms")
        assert kinds(world, key_of(world, known)) == {Kind.SMS}
    assert kinds(world, key_of(world, operator.person)) == set()


def test_a_wrong_code_and_another_ones_code_switch_nothing_on(world: World) -> None:
    person, browser = signed_in(world)
    browser.open(SMS)
    code = a_code(browser, person.phone)
    for typed, said in (
        ("", "请填写短信验证码"),
        ("12", "短信验证码是 6 位数字"),
        (f"{(int(code) + 1) % 1_000_000:06}", "短信验证码不正确，还可以再试 4 次"),
    ):
        assert error_sentences(browser.submit({"code": typed}, number=1)) == [said]
    other = world.browser()
    enter(other, person)
    other.open(SMS)
    assert "已过期" in error_sentences(other.submit({"code": code}, number=1))[0]
    assert kinds(world, key_of(world, person)) == set()


def test_it_needs_a_fresh_proof(world: World) -> None:
    person, browser = signed_in(world)
    with later(minutes=11):
        assert asked_to_confirm(browser.open(SMS, follow=False)) == SMS
        assert waiting(world, person.phone) == []


def test_without_a_phone_of_record_it_is_not_offered(world: World) -> None:
    person, browser = signed_in(world)
    without_a_phone(world, person)
    assert "开通短信验证" not in browser.open(ROOM).text
    page = browser.open(SMS)
    assert page.status == 409
    assert "没有预留手机号码" in page.text


def test_twice_is_once(world: World) -> None:
    person, browser = signed_in(world)
    switches_on(browser, person.phone)
    assert browser.open(SMS, follow=False).location == ROOM
    with world.reading() as db:
        assert len(list_factors(db, key_of(world, person))) == 1


def test_it_has_no_name_to_change_and_is_removed_like_the_others(world: World) -> None:
    person, browser = signed_in(world)
    account = key_of(world, person)
    switches_on(browser, person.phone)
    page = browser.open(ROOM)
    assert links_on(page, "/name") == []
    (removing,) = links_on(page, "/remove")
    assert browser.open(removing.replace("/remove", "/name")).status == 404
    page = browser.open(removing)
    assert "移除后，账号只靠密码保护" in page.text
    page = browser.submit({}, number=1)
    assert "已移除" in page.text
    assert kinds(world, account) == set()
    assert ("factor_removed", "短信验证") in told(world, account)
    assert "/login/second" not in sign_in(world.browser(), person).url


def test_removing_it_wants_it_proved_within_this_sign_in(world: World) -> None:
    person, browser = signed_in(world)
    switch_sms_on(world, key_of(world, person))
    (removing,) = links_on(browser.open(ROOM), "/remove")
    page = browser.open(removing)
    assert page.url.startswith("/login/confirm?")
    type_sms(browser, a_code(browser, person.phone))
    assert browser.page
    assert browser.page.url.endswith("/remove")


def test_beside_an_app_it_is_a_second_way(world: World) -> None:
    person, browser = signed_in(world)
    secret, _ = adds_totp(world, browser)
    browser.open(ROOM)
    page = switches_on(browser, person.phone)
    assert codes_on(page) == [], "there are recovery codes already"
    assert "短信验证已开通" in page.text
    assert kinds(world, key_of(world, person)) == {Kind.TOTP, Kind.SMS}
    other = world.browser()
    sign_in(other, person)
    with later(seconds=60):
        other.submit({"code": pyotp.TOTP(secret).at(world.now())})
    assert other.cookie("idp_session")


def test_a_reset_of_the_factors_takes_it_away(world: World) -> None:
    person, browser = signed_in(world)
    account, backends = key_of(world, person), world.backends
    switches_on(browser, person.phone)
    told_by = world.platform.notifier
    with world.write() as db:
        by = Origin("cli:root")
        endings.reset_factors(
            db, backends.vault, backends.trail, told_by, account, by, reason="r", now=world.now()
        )
    assert kinds(world, account) == set()


def test_what_else_is_sent_is_not_looked_at(world: World) -> None:
    person, browser = signed_in(world)
    browser.open(SMS)
    browser.submit({"send": "1", "phone": "13700000044", "account": "person:x"}, number=1)
    assert waiting(world, "13700000044") == []
    assert kinds(world, key_of(world, person)) == set()
