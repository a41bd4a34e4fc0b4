"""Who came in, who tried, and ending what is still open (S34, MISSION Y)."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select, update

from idp.accounts.audit import Action, AuditEvent, Event, Origin
from idp.accounts.sessions import SigninSession
from tests.security.acting import ROOM, came_in, links_on
from tests.world import APerson, Browser, Page, World

HISTORY = f"{ROOM}/sign-ins"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


def endable(page: Page) -> list[str]:
    return re.findall(r'name="session" value="([^"]+)"', page.html)


def fails(world: World, person: APerson, *, address: str) -> None:
    """Somebody types a wrong password for this account."""
    browser = world.browser(address=address, user_agent=CHROME)
    browser.open("/login/person")
    browser.submit_with_captcha({"account": person.account, "password": "Not-this-one 7"})


def end(browser: Browser, session: str) -> Page:
    token = browser.open(HISTORY).form()["fields"]["csrf_token"]
    return browser.post(HISTORY, {"csrf_token": token, "session": session})


def test_live_and_ended_sign_ins_stand_in_the_history_newest_first(world: World) -> None:
    person, browser = came_in(world)
    other = world.browser(address="198.51.100.7", user_agent=CHROME)
    other.sign_in_person(person)
    other.open("/center/person")
    other.submit()
    page = browser.open(HISTORY)
    assert page.text.index("Chrome 130，Windows") < page.text.index("Firefox 130")
    assert "已退出" in page.text
    assert "127.0.0.1（内网地址）" in page.text
    assert page.text.count("本次") == 1
    assert endable(page) == []
    assert "共 2 次" in page.text


def test_a_live_one_is_ended_from_here(world: World) -> None:
    person, browser = came_in(world)
    _, other = came_in(world, person)
    page = end(browser, endable(browser.open(HISTORY))[0])
    assert page.url == HISTORY
    assert "在别处退出" in page.text
    assert other.open("/center/person", follow=False).location.startswith("/login/person")


def test_ending_this_one_signs_out(world: World) -> None:
    person, browser = came_in(world)
    with world.reading() as db:
        mine = db.scalars(select(SigninSession.id).where(SigninSession.person_id == person.row.id)).one()
    assert end(browser, str(mine)).url == "/signed-out"
    assert browser.open("/center/person", follow=False).location.startswith("/login/person")


@pytest.mark.parametrize("asked", ["another's", "", "x", "0" * 32, "' OR 1=1 --"])
def test_only_ones_own_are_ended(world: World, asked: str) -> None:
    _, browser = came_in(world)
    victim, his = came_in(world)
    if asked == "another's":
        with world.reading() as db:
            mine = select(SigninSession.id).where(SigninSession.person_id == victim.row.id)
            asked = str(db.scalars(mine).one())
    assert end(browser, asked).url == HISTORY
    assert his.open("/center/person", follow=False).status == 200
    assert browser.open("/center/person", follow=False).status == 200


def test_failed_tries_are_shown_with_place_and_browser_to_the_account_alone(world: World) -> None:
    person, browser = came_in(world)
    _, stranger = came_in(world)
    fails(world, person, address="8.8.4.4")
    page = browser.open(HISTORY)
    assert all(words in page.text for words in ("8.8.4.4", "密码不正确", "Chrome 130，Windows"))
    assert "8.8.4.4" not in stranger.open(HISTORY).text
    assert "没有人登录失败" in stranger.open(HISTORY).text


def test_a_try_that_got_as_far_as_the_second_step_says_that_the_password_was_right(world: World) -> None:
    person, browser = came_in(world)
    world.a_totp(f"person:{person.row.id}")
    thief = world.browser(address="8.8.4.4", user_agent=CHROME)
    thief.sign_in_person(person)
    thief.submit({"code": "000000"})
    assert "密码正确，动态口令或恢复码不正确" in browser.open(HISTORY).text


def test_a_right_password_is_shown_unless_the_second_step_followed(world: World) -> None:
    person, browser = came_in(world)
    secret = world.a_totp(f"person:{person.row.id}")
    himself = world.browser(user_agent=CHROME)
    himself.sign_in_person(person)
    himself.submit({"code": pyotp.TOTP(secret).now()})
    assert "没有人登录失败" in browser.open(HISTORY).text
    for _ in range(2):
        # A thief of the same kind of browser, from the same office.
        world.browser(user_agent=CHROME).sign_in_person(person)
    page = browser.open(HISTORY)
    assert "密码正确，没有完成第二步验证，共 2 次" in page.text


@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_no_crowd_of_tries_hides_one_that_knew_the_password(world: World) -> None:
    person, browser = came_in(world)
    account = f"person:{person.row.id}"
    world.a_totp(account)
    thief = world.browser(address="8.8.4.4", user_agent=CHROME)
    thief.sign_in_person(person)
    thief.submit({"code": "000000"})
    refused = Event(Action.SIGN_IN_REFUSED, target=account, detail={"why": "passkey wrong"})
    with world.write() as db:
        for number in range(120):
            origin = Origin(address=f"203.0.113.{number % 60}", device=f"junk {number}")
            world.platform.trail.record(db, refused, origin, now=world.now())
    text = browser.open(HISTORY).text
    assert "密码正确，没有完成第二步验证" in text
    assert "密码正确，动态口令或恢复码不正确" in text
    assert text.count("通行密钥没有通过，共 2 次") == 48


def test_tries_older_than_thirty_days_are_gone(world: World) -> None:
    person = world.a_person()
    with time_machine.travel(world.now() - timedelta(days=31)):
        fails(world, person, address="8.8.4.4")
    _, browser = came_in(world, person)
    with world.reading() as db:
        assert "sign_in_refused" in db.scalars(select(AuditEvent.action)).all()
    assert "8.8.4.4" not in browser.open(HISTORY).text


def test_twenty_stand_on_a_page(world: World) -> None:
    person, browser = came_in(world)
    with world.write() as db:
        first = db.scalars(select(SigninSession).where(SigninSession.person_id == person.row.id)).one()
        told = {name: getattr(first, name) for name in first.__table__.columns.keys()}  # noqa: SIM118 - names, not columns
        for number in range(44):
            copied = {**told, "id": None, "sid": f"sid-{number}", "token_hash": number.to_bytes(32, "big")}
            del copied["id"]
            made = first.created_at - timedelta(hours=number + 1)
            db.add(
                SigninSession(**{**copied, "created_at": made, "ended_at": made, "end_reason": "signed_out"})
            )
    page = browser.open(HISTORY)
    assert "共 45 次" in page.text
    assert page.html.count('role="rowheader"') == 20
    assert f'href="{HISTORY}?page=3"' in page.html
    assert browser.open(f"{HISTORY}?page=3").html.count('role="rowheader"') == 5
    for wild in ("999", "0", "-1", "x", "9" * 500):
        assert browser.open(f"{HISTORY}?page={wild}").status == 200


def test_one_past_its_limit_is_not_called_live(world: World) -> None:
    person, browser = came_in(world)
    _, _other = came_in(world, person)
    with world.write() as db:
        oldest = select(SigninSession.id).where(SigninSession.person_id == person.row.id)
        last = db.scalars(oldest.order_by(SigninSession.created_at.desc()).limit(1)).one()
        db.execute(
            update(SigninSession)
            .where(SigninSession.id == last)
            .values(expires_at=world.now() - timedelta(minutes=1))
        )
    page = browser.open(HISTORY)
    assert "已到期" in page.text
    assert endable(page) == []


def test_a_person_sees_whom_he_acted_for_and_an_operators_password_opens_no_history_of_the_person(
    world: World,
) -> None:
    operator, browser = world.an_operator(), world.browser()
    browser.sign_in_person(operator.person)
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    under_mandate = browser.open("/center/operator/security/sign-ins").text
    assert "共 1 次" in under_mandate
    assert "没有成功的尝试" not in under_mandate
    _, himself = came_in(world, operator.person)
    text = himself.open(HISTORY).text
    assert operator.company.name in text
    assert "共 3 次" in text
    by_mandate = world.browser(user_agent=CHROME)
    by_mandate.sign_in_operator(operator)
    assert "共 1 次" in by_mandate.open("/center/operator/security/sign-ins").text


def test_the_two_lists_lead_to_one_another_and_to_another_password(world: World) -> None:
    """MISSION Y: whoever sees a sign-in that is not his is told what to do, and can do it."""
    _, browser = came_in(world)
    lists = {"/center/person/sessions": HISTORY, HISTORY: "/center/person/sessions"}
    for here, there in lists.items():
        page = browser.open(here)
        assert there in links_on(page, there)
        assert links_on(page, "/password") == [f"{ROOM}/password"]
        assert "拨打服务热线" not in page.text


def test_who_came_with_another_accounts_password_is_told_whom_to_call(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    browser.sign_in_person(operator.person)
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    for here in ("/center/operator/sessions", "/center/operator/security/sign-ins"):
        page = browser.open(here)
        assert links_on(page, "/password") == []
        assert "拨打服务热线" in page.text
