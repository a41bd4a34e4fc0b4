"""Coming in to the console: a password, then a second factor, and nothing before it (SECURITY 35, 74)."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from idp.accounts.factors import Kind, list_factors, remove
from idp.accounts.staff import StaffMember, StaffSession, end_staff_sessions
from idp.proof import captcha, recovery_codes
from tests.adapters.arrange import at_once
from tests.entering import enter
from tests.login.acting import what_a_stranger_sees
from tests.staff.acting import (
    GONE,
    TOO_MANY,
    VAGUE,
    a_code,
    a_passkey,
    actions,
    at_second,
    console_cookie,
    is_in,
    later,
    live,
    passkey_options,
    signed_in,
    trail,
    type_password,
)
from tests.world import PASSWORD, AStaffMember, Browser, World, error_sentences

WRONG = "Not-this-one 7"


@pytest.fixture
def member(world: World) -> AStaffMember:
    return world.a_staff_member()


def changed(world: World, member: AStaffMember, **values: object) -> None:
    """Change the member's row behind everybody's back."""
    with world.write() as db:
        db.execute(update(StaffMember).where(StaffMember.id == member.row.id).values(**values))


def test_password_and_code_lead_in(world: World, member: AStaffMember) -> None:
    browser = at_second(world, member)
    assert browser.cookie("idp_staff") is None
    assert browser.submit({"code": a_code(member.totp_secret)}, follow=False).location == "/staff"
    assert browser.open("/staff").status == 200
    [session] = live(world, member.row)
    assert session.amr == "pwd otp"
    detail = {"amr": "pwd otp", "session": str(session.id)}
    assert trail(world, member.row.key) == [
        ("staff_password_proved", "", {}),
        ("staff_signed_in", member.row.key, detail),
    ]


def test_the_password_alone_opens_nothing(world: World, member: AStaffMember) -> None:
    browser = at_second(world, member)
    assert browser.open("/staff", follow=False).location.startswith("/staff/sign-in")
    assert live(world, member.row) == []


def test_the_cookie_goes_to_no_other_site(world: World, member: AStaffMember) -> None:
    browser = at_second(world, member)
    cookie = console_cookie(browser.submit({"code": a_code(member.totp_secret)}, follow=False))
    assert "SameSite=Strict" in cookie
    assert "HttpOnly" in cookie


def test_a_passkey_is_a_second_step_too(world: World, member: AStaffMember) -> None:
    authenticator = a_passkey(world, member.row)
    browser = at_second(world, member)
    assert browser.page
    challenge, options = passkey_options(browser.page)
    answer = authenticator.get(options)
    assert is_in(browser.submit({"challenge_id": challenge, "answer": answer}, number=1, follow=False))
    [session] = live(world, member.row)
    assert session.amr == "pwd hwk"


def test_nobody_without_an_app_is_asked_for_its_code(world: World, member: AStaffMember) -> None:
    a_passkey(world, member.row)
    with world.write() as db:
        [app] = (factor for factor in list_factors(db, member.row.key) if factor.kind is Kind.TOTP)
        remove(db, member.row.key, app.kind, app.id)
        code = recovery_codes.renew(db, world.backends.vault, member.row.key, now=world.now())[0]
    browser = at_second(world, member)
    assert browser.page
    assert "动态口令" not in browser.page.text
    assert is_in(browser.submit({"code": code}, number=1, follow=False))


def test_a_cloned_passkey_is_refused_and_noted(world: World, member: AStaffMember) -> None:
    authenticator = a_passkey(world, member.row)
    twin = authenticator.cloned()
    for used in (authenticator, twin):
        browser = at_second(world, member)
        assert browser.page
        challenge, options = passkey_options(browser.page)
        page = browser.submit({"challenge_id": challenge, "answer": used.get(options)}, number=1)
    assert "可能被复制过" in error_sentences(page)[0]
    assert ("staff_sign_in_refused", "", {"why": "cloned"}) in trail(world, member.row.key)


def test_another_members_passkey_is_refused(world: World, member: AStaffMember) -> None:
    a_passkey(world, member.row)
    other = a_passkey(world, world.a_staff_member().row)
    browser = at_second(world, member)
    assert browser.page
    challenge, options = passkey_options(browser.page)
    answer = other.get(re.sub(r'"allowCredentials": \[.*?\], ', "", options))
    page = browser.submit({"challenge_id": challenge, "answer": answer}, number=1)
    assert "属于另一个账号" in error_sentences(page)[0]
    assert live(world, member.row) == []


def test_a_recovery_code_leads_in_once(world: World, member: AStaffMember) -> None:
    with world.write() as db:
        code = recovery_codes.renew(db, world.backends.vault, member.row.key, now=world.now())[0]
    assert is_in(at_second(world, member).submit({"code": code}, follow=False))
    assert "恢复码不正确，或已经用过" in at_second(world, member).submit({"code": code}).text


def test_a_code_leads_in_once(world: World, member: AStaffMember) -> None:
    code = a_code(member.totp_secret)
    assert is_in(at_second(world, member).submit({"code": code}, follow=False))
    assert "已经用过" in at_second(world, member).submit({"code": code}).text


def test_of_many_who_send_one_code_at_once_one_comes_in(world: World, member: AStaffMember) -> None:
    browser, code = at_second(world, member), a_code(member.totp_secret)
    assert browser.page
    fields, url = browser.page.form()["fields"], browser.page.url

    def send(_number: int) -> bool:
        one = world.browser()
        one.client.set_cookie("idp_browser", browser.cookie("idp_browser") or "", domain="localhost")
        return is_in(one.post(url, {**fields, "code": code}, follow=False))

    assert sum(at_once(4, send)) == 1
    assert len(live(world, member.row)) == 1


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("state", ["unknown", "suspended", "not yet enrolled", "wrong password"])
def test_a_stranger_learns_nothing_about_an_account(world: World, member: AStaffMember, state: str) -> None:
    password, account = PASSWORD, member.account
    if state == "unknown":
        account = "nobody_here"
    elif state == "suspended":
        changed(world, member, suspended_at=world.now())
    elif state == "not yet enrolled":
        changed(world, member, enrolled_at=None)
    else:
        password = WRONG
    page = type_password(world.browser(), account, password, follow=False)
    assert error_sentences(page) == [VAGUE]
    reference = type_password(world.browser(), "another_nobody", WRONG, follow=False)
    seen = what_a_stranger_sees(page, account)
    assert seen == what_a_stranger_sees(reference, "another_nobody")


@pytest.mark.parametrize("known", [True, False], ids=["an account", "nobody's name"])
def test_tries_are_slowed_for_all_browsers_together(world: World, member: AStaffMember, known: bool) -> None:
    account = member.account if known else "nobody_here"
    pages = [type_password(world.browser(address=f"192.0.2.{number}"), account, WRONG) for number in range(6)]
    assert [page.status for page in pages] == [200] * 5 + [429]
    assert TOO_MANY in pages[-1].text
    assert int(pages[-1].response.headers["Retry-After"]) <= 60
    assert type_password(world.browser(), account, PASSWORD).status == 429
    if known:
        assert trail(world, member.row.key)[-1][2] == {"why": "throttled"}
    with later(minutes=1, seconds=1):
        after = type_password(world.browser(), account, PASSWORD)
        assert ("/second" in after.url) is known


def test_a_wrong_captcha_is_no_try(world: World, member: AStaffMember) -> None:
    for _ in range(8):
        browser = world.browser()
        browser.open("/staff/sign-in")
        page = browser.submit({"account": member.account, "password": WRONG, "captcha": "0000"})
    assert "图形验证码" in error_sentences(page)[0]
    at_second(world, member)


def test_a_captcha_of_the_citizens_page_counts_for_nothing(world: World, member: AStaffMember) -> None:
    browser = world.browser()
    theirs = browser.open("/login/person").form()["fields"]["captcha_id"]
    answer = captcha.answer(world.backends.store, theirs) or ""
    browser.open("/staff/sign-in")
    page = browser.submit(
        {"account": member.account, "password": PASSWORD, "captcha_id": theirs, "captcha": answer}
    )
    assert "/second" not in page.url


def test_five_tries_at_the_second_step_and_the_password_is_asked_again(
    world: World, member: AStaffMember
) -> None:
    browser = at_second(world, member)
    for number in range(5):
        with later(minutes=0 if number < 4 else 2):
            page = browser.submit({"code": "000000"})
    assert "动态口令不正确" in page.text
    with later(minutes=3):
        assert GONE in browser.submit({"code": a_code(member.totp_secret)}).text
    assert live(world, member.row) == []


def test_codes_are_counted_across_steps_too(world: World, member: AStaffMember) -> None:
    for _ in range(5):
        page = at_second(world, member).submit({"code": "000000"})
    page = at_second(world, member).submit({"code": a_code(member.totp_secret)}, follow=False)
    assert page.status == 429
    assert live(world, member.row) == []


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("code", ["", "12345", "1" * 10_000, "１２３ ４５", "'; --", "\u202e123456"])
def test_rubbish_is_no_code(world: World, member: AStaffMember, code: str) -> None:
    page = at_second(world, member).submit({"code": code})
    assert page.status == 200
    assert error_sentences(page)
    assert live(world, member.row) == []


def test_a_ticket_is_good_in_its_browser_only(world: World, member: AStaffMember) -> None:
    browser, other = at_second(world, member), world.browser()
    assert browser.page
    assert GONE in other.open(browser.page.url).text
    assert GONE in other.open("/staff/sign-in/second?ticket=" + "x" * 3000).text


def test_a_ticket_waits_five_minutes(world: World, member: AStaffMember) -> None:
    browser = at_second(world, member)
    with later(minutes=5, seconds=1):
        assert GONE in browser.submit({"code": a_code(member.totp_secret)}).text


@pytest.mark.parametrize("change", ["suspended", "another password", "begun anew"])
def test_what_changes_between_the_steps_counts(world: World, member: AStaffMember, change: str) -> None:
    browser = at_second(world, member)
    if change == "suspended":
        changed(world, member, suspended_at=world.now())
    elif change == "another password":
        changed(world, member, password_hash=world.hash("Another one 8"))
    else:
        changed(world, member, enrolled_at=None)
    assert GONE in browser.submit({"code": a_code(member.totp_secret)}).text
    assert live(world, member.row) == []


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("claimed", "leads_to"),
    [
        ("/staff/me/security", "/staff/me/security"),
        ("/staff?day=2026-11-20", "/staff?day=2026-11-20"),
        ("/staff/../center/person", "/staff"),
        ("/staff/%2e%2e/center/person", "/staff"),
        ("/staffx", "/staff"),
        ("/center/person", "/staff"),
        ("//evil.example/staff", "/staff"),
        ("https://evil.example/staff", "/staff"),
        ("/\\evil.example", "/staff"),
    ],
)
def test_one_goes_on_within_the_console_only(
    world: World, member: AStaffMember, claimed: str, leads_to: str
) -> None:
    browser = world.browser()
    browser.open("/staff/sign-in?" + urlencode({"next": claimed}))
    browser.submit_with_captcha({"account": member.account, "password": PASSWORD})
    page = browser.submit({"code": a_code(member.totp_secret)}, follow=False)
    assert page.location == leads_to


def test_whoever_was_sent_to_sign_in_comes_back(world: World, member: AStaffMember) -> None:
    browser = world.browser()
    assert browser.open("/staff/me/security").url == "/staff/sign-in?next=/staff/me/security"


def test_whoever_is_in_does_not_sign_in_again(world: World, member: AStaffMember) -> None:
    assert signed_in(world, member).open("/staff/sign-in", follow=False).location == "/staff"


def test_signing_out_ends_the_sign_in(world: World, member: AStaffMember) -> None:
    browser = signed_in(world, member)
    token = browser.cookie("idp_staff")
    browser.open("/staff")
    assert browser.submit().url == "/staff/sign-in"
    assert browser.cookie("idp_staff") is None
    browser.client.set_cookie("idp_staff", token or "", domain="localhost")
    assert browser.open("/staff", follow=False).status == 302
    assert actions(world, member.row.key)[-1] == "staff_signed_out"


def test_a_new_sign_in_has_a_new_id_and_ends_the_one_before(world: World, member: AStaffMember) -> None:
    browser = signed_in(world, member)
    before = browser.cookie("idp_staff")
    with world.write() as db:
        end_staff_sessions(db, member.row.id, reason="test", now=world.now())
    type_password(browser, member.account, PASSWORD)
    browser.submit({"code": a_code(member.totp_secret, ahead=30)})
    assert browser.cookie("idp_staff") not in {None, before}
    assert len(live(world, member.row)) == 1


def test_fifteen_idle_minutes_end_it_and_so_do_eight_hours(world: World, member: AStaffMember) -> None:
    browser = signed_in(world, member)
    with later(minutes=14):
        assert browser.open("/staff", follow=False).status == 200
    with later(minutes=30):
        assert browser.open("/staff", follow=False).status == 302
    with world.write() as db:
        db.execute(update(StaffSession).values(seen_at=world.now() + timedelta(hours=8)))
    with later(hours=8, seconds=1):
        assert browser.open("/staff", follow=False).status == 302


def test_neither_cookie_opens_the_other_side(world: World, member: AStaffMember) -> None:
    """SECURITY 35."""
    staff = signed_in(world, member)
    assert staff.open("/center/person", follow=False).location.startswith("/login/person")
    person, citizen = world.a_person(), world.browser()
    enter(citizen, person)
    assert citizen.open("/staff", follow=False).location.startswith("/staff/sign-in")
    for browser, mine, theirs in ((staff, "idp_staff", "idp_session"), (citizen, "idp_session", "idp_staff")):
        browser.client.set_cookie(theirs, browser.cookie(mine) or "", domain="localhost")
    assert staff.open("/center/person", follow=False).location.startswith("/login/person")
    assert citizen.open("/staff", follow=False).location.startswith("/staff/sign-in")


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(world: World, member: AStaffMember) -> None:
    browser = signed_in(world, member)
    assert "管理员" in browser.open("/staff").text
    changed(world, member, role="auditor")
    page = browser.open("/staff")
    assert "审计员" in page.text
    assert "签名密钥" not in page.text


def test_no_personal_data_and_no_name_stands_in_the_trail(world: World, member: AStaffMember) -> None:
    type_password(world.browser(), "somebody_else", WRONG)
    with world.reading() as db:
        assert db.scalars(select(StaffMember)).all()
    assert trail(world)[-1] == ("staff_sign_in_refused", "", {"why": "password"})


def test_the_page_says_for_whom_it_is(browser_page: str) -> None:
    assert "这里是工作人员入口，办理业务请到" in browser_page
    assert "您正在登录" not in browser_page
    assert "tx-staff" in browser_page


@pytest.fixture
def browser_page(world: World) -> str:
    """The sign-in page as it stands."""
    browser: Browser = world.browser()
    return browser.open("/staff/sign-in").html
