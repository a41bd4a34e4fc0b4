"""The link of a first sign-in: one browser, once, and only a second factor opens the console (MISSION Y)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp.accounts import factors, staff_invitations, staff_roster
from idp.accounts.audit import AuditEvent
from idp.accounts.staff import StaffInvitation, StaffMember, StaffRole, find_staff
from idp.accounts.staff_roster import NewStaff
from tests.adapters.arrange import at_once
from tests.authenticator import AnAuthenticator
from tests.staff.acting import (
    VAGUE,
    a_code,
    actions,
    is_in,
    later,
    live,
    passkey_options,
    type_password,
)
from tests.world import Browser, Page, World, error_sentences

OWN = "Only-mine 2026"
_OF_THE_MOMENT = r"TX-\S+|\d{4} 年 \d+ 月 \d+ 日|\d\d:\d\d:\d\d"
EXPIRED, USED, ELSEWHERE = "链接已过期", "链接已用过", "链接已在另一个浏览器打开"


@pytest.fixture
def link(world: World) -> str:
    """The path of a link for a staff member who was just added."""
    with world.write() as db:
        new = NewStaff("newcomer", "方小舟", StaffRole.SERVICE)
        member = staff_roster.add_staff(db, world.backends.vault, new, now=world.now())
    return a_link(world, member)


def a_link(world: World, member: StaffMember) -> str:
    with world.write() as db:
        _, token = staff_invitations.invite(db, db.merge(member), life=timedelta(days=1), now=world.now())
    return f"/staff/invitation/{token}"


def the_member(world: World) -> StaffMember:
    with world.reading() as db:
        found = find_staff(db, "newcomer")
        assert found is not None
        return found


def takes_up(world: World, link: str) -> Browser:
    """A browser that took the link up and chose a password."""
    browser = world.browser()
    browser.open(link)
    browser.submit()
    page = browser.submit({"new_password": OWN, "confirm_password": OWN})
    assert "/factor" in page.url, page.text
    return browser


def secret_of(page: Page) -> str:
    found = re.search(r"tx-scan__secret[^>]*>([A-Z2-7 ]+)<", page.html)
    assert found, page.text
    return found[1].replace(" ", "")


def finishes(browser: Browser) -> Page:
    assert browser.page
    return browser.submit({"code": a_code(secret_of(browser.page))})


def has_factors(world: World) -> int:
    with world.reading() as db:
        return len(factors.list_factors(db, the_member(world).key))


def test_a_link_leads_to_a_password_a_factor_and_the_console(world: World, link: str) -> None:
    browser = world.browser()
    page = browser.open(link)
    assert "方*舟" in page.text
    assert "方小舟" not in page.html
    assert "客服" in page.text
    assert browser.submit().url == link + "/password"
    browser.submit({"new_password": OWN, "confirm_password": OWN})
    page = finishes(browser)
    codes = re.findall(r"<code>([0-9a-z]{5}-[0-9a-z]{5})</code>", page.html)
    assert len(set(codes)) == 10
    assert browser.open("/staff").status == 200
    key = the_member(world).key
    assert actions(world, key) == [
        *("staff_link_taken", "password_changed", "factor_added", "staff_enrolled", "staff_signed_in")
    ]
    assert [session.amr for session in live(world, the_member(world))] == ["pwd otp"]


def test_whoever_began_comes_in_by_password_and_factor_from_then_on(world: World, link: str) -> None:
    browser = takes_up(world, link)
    assert browser.page
    secret = secret_of(browser.page)
    finishes(browser)
    another = world.browser()
    type_password(another, "newcomer", OWN)
    assert is_in(another.submit({"code": a_code(secret, ahead=30)}, follow=False))


def test_a_passkey_will_do(world: World, link: str) -> None:
    browser, authenticator = takes_up(world, link), AnAuthenticator()
    assert browser.page
    challenge, options = passkey_options(browser.page)
    values = {"challenge_id": challenge, "answer": authenticator.create(options)}
    assert "保存您的恢复码" in browser.submit(values, number=1).text
    assert [session.amr for session in live(world, the_member(world))] == ["pwd hwk"]


def test_what_is_done_with_a_link_is_written_down_with_where_from(world: World, link: str) -> None:
    """SECURITY 77: who took a link up, and set a password by it, stands there before anybody is in."""
    browser = world.browser(address="198.51.100.7")
    browser.open(link)
    browser.submit()
    browser.open(link)
    browser.submit()
    browser.submit({"new_password": OWN, "confirm_password": OWN})
    with world.reading() as db:
        lines = list(db.scalars(select(AuditEvent).order_by(AuditEvent.id)))
        [invitation] = db.scalars(select(StaffInvitation))
    key = the_member(world).key
    told = {"invitation": str(invitation.id)}
    assert [(line.action, line.actor, line.target, line.address, line.detail) for line in lines] == [
        (action, "", key, "198.51.100.7", told) for action in ("staff_link_taken", "password_changed")
    ]


def test_looking_takes_nothing_up(world: World, link: str) -> None:
    for _ in range(3):
        assert "开始设置" in world.browser().open(link).text
    takes_up(world, link)


def test_until_the_factor_is_set_there_is_no_way_in(world: World, link: str) -> None:
    browser = takes_up(world, link)
    assert browser.open("/staff", follow=False).status == 302
    assert live(world, the_member(world)) == []
    page = type_password(world.browser(), "newcomer", OWN)
    assert error_sentences(page) == [VAGUE]


def test_the_factor_comes_after_the_password(world: World, link: str) -> None:
    browser = world.browser()
    assert ELSEWHERE in browser.open(link + "/password").text
    browser.open(link)
    browser.submit()
    assert browser.open(link + "/factor").url == link + "/password"


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_another_browser_is_refused(world: World, link: str) -> None:
    takes_up(world, link)
    for step in ("", "/password", "/factor"):
        page = world.browser().open(link + step)
        assert ELSEWHERE in page.text
        assert "方*舟" not in page.text


def test_the_same_browser_goes_on_where_it_was(world: World, link: str) -> None:
    browser = takes_up(world, link)
    browser.open(link)
    assert browser.submit().url == link + "/password"
    browser.open(link + "/factor")
    assert "保存您的恢复码" in finishes(browser).text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", ["", "/password", "/factor"])
def test_a_link_works_once(world: World, link: str, step: str) -> None:
    browser = takes_up(world, link)
    finishes(browser)
    assert USED in browser.open(link + step).text
    assert USED in world.browser().open(link + step).text


def test_an_expired_link_and_an_unknown_one_are_answered_alike(world: World, link: str) -> None:
    with later(days=1, seconds=1):
        expired = world.browser().open(link)
        unknown = world.browser().open("/staff/invitation/" + "x" * 43)
        endless = world.browser().open("/staff/invitation/" + "x" * 5000)
    assert EXPIRED in expired.text
    for page in (unknown, endless):
        assert [re.sub(_OF_THE_MOMENT, "", page.text), page.status] == [
            re.sub(_OF_THE_MOMENT, "", expired.text),
            expired.status,
        ]


def test_a_link_that_expires_on_the_way_opens_nothing(world: World, link: str) -> None:
    browser = takes_up(world, link)
    with later(days=1, seconds=1):
        assert EXPIRED in finishes(browser).text
    assert has_factors(world) == 0


def test_a_new_link_ends_the_one_before(world: World, link: str) -> None:
    browser = takes_up(world, link)
    fresh = a_link(world, the_member(world))
    assert USED in finishes(browser).text
    assert has_factors(world) == 0
    other = world.browser()
    other.open(fresh)
    other.submit()
    # The password of the link before does not count for this one.
    assert other.open(fresh + "/factor").url == fresh + "/password"


def test_a_suspended_member_does_not_begin(world: World, link: str) -> None:
    browser = takes_up(world, link)
    with world.write() as db:
        db.execute(update(StaffMember).values(suspended_at=world.now()))
    assert EXPIRED in finishes(browser).text
    assert live(world, the_member(world)) == []


def test_of_two_browsers_that_take_it_up_at_once_one_wins(world: World, link: str) -> None:
    browsers = [world.browser() for _ in range(4)]
    for browser in browsers:
        browser.open(link)
    answers = at_once(4, lambda number: browsers[number].submit(follow=False))
    assert sorted(page.status for page in answers) == [303, 400, 400, 400]


def test_sent_twice_at_once_one_factor_is_added(world: World, link: str) -> None:
    browser = takes_up(world, link)
    page = browser.page
    assert page
    fields = {**page.form()["fields"], "code": a_code(secret_of(page))}
    cookie = browser.cookie("idp_browser") or ""

    def send(_number: int) -> bool:
        one = world.browser()
        one.client.set_cookie("idp_browser", cookie, domain="localhost")
        return is_in(one.post(page.url, fields, follow=False))

    answers = at_once(3, send)
    assert answers.count(True) == 1
    assert has_factors(world) == 1
    assert len(live(world, the_member(world))) == 1


def test_a_wrong_code_keeps_the_secret(world: World, link: str) -> None:
    browser = takes_up(world, link)
    assert browser.page
    secret = secret_of(browser.page)
    page = browser.submit({"code": "000000"})
    assert "动态口令不正确" in error_sentences(page)[0]
    assert secret_of(page) == secret
    assert "保存您的恢复码" in finishes(browser).text


def test_a_step_of_another_browser_begins_anew(world: World, link: str) -> None:
    browser = takes_up(world, link)
    page = browser.open(link + "/factor?setup=made-up")
    assert page.url.startswith(link + "/factor?setup=")
    assert "made-up" not in page.url


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", "short", "密码至少 8 个字符"),
        ("newcomer-2026", "newcomer-2026", "密码里不能包含"),
        ("password1", "password1", "这个密码太常见"),
        (OWN, OWN + "x", "两次填写的密码不一样"),
        ("", "", "请填写新密码"),
        ("x1" * 3000, "x1" * 3000, "密码太长"),
    ],
)
def test_a_bad_password_is_refused(world: World, link: str, password: str, again: str, sentence: str) -> None:
    browser = world.browser()
    browser.open(link)
    browser.submit()
    page = browser.submit({"new_password": password, "confirm_password": again})
    assert sentence in error_sentences(page)[0]
    assert the_member(world).password_hash is None


def test_only_a_hash_of_the_link_is_kept(world: World, link: str) -> None:
    token = link.rpartition("/")[2]
    with world.reading() as db:
        kept = list(db.scalars(select(StaffInvitation)))
    assert len(kept) == 1
    assert token not in str(vars(kept[0]))
