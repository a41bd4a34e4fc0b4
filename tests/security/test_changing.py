"""Another name for a factor, and removing one (MISSION Y)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from idp.accounts.audit import AuditEvent
from idp.accounts.factors import RecoveryCode, list_factors
from idp.accounts.notices import Notice
from tests.pages import error_sentences
from tests.security.acting import ROOM, adds_passkey, adds_totp, links_on, signed_in
from tests.world import Browser, World


def link(browser: Browser, ending: str) -> str:
    return links_on(browser.open(ROOM), ending)[0]


def test_a_factor_gets_another_name(world: World) -> None:
    _, browser = signed_in(world)
    adds_totp(world, browser)
    page = browser.open(link(browser, "/name"))
    assert page.form(1)["fields"]["name"] == "我的手机"
    assert "名称已修改" in browser.submit({"name": "备用手机"}, number=1).text
    assert "备用手机" in browser.open(ROOM).text
    with world.reading() as db:
        assert "factor_renamed" in db.scalars(select(AuditEvent.action)).all()


def test_a_name_that_is_too_long_is_said_and_kept_to_be_mended(world: World) -> None:
    _, browser = signed_in(world)
    adds_totp(world, browser)
    browser.open(link(browser, "/name"))
    page = browser.submit({"name": "x" * 10_000}, number=1)
    assert error_sentences(page) == ["名称最多 40 个字符，目前是 10000 个"]
    assert "我的手机" in browser.open(ROOM).text


def test_removing_asks_first_and_says_what_the_last_one_means(world: World) -> None:
    person, browser = signed_in(world)
    adds_totp(world, browser)
    adds_passkey(browser)
    first = link(browser, "/remove")
    page = browser.open(first)
    assert "移除「我的手机」" in page.text
    assert "这是最后一种" not in page.text
    assert "已移除" in browser.submit(number=1).text
    page = browser.open(link(browser, "/remove"))
    assert "这是最后一种第二步验证。移除后，账号只靠密码保护" in page.text
    browser.submit(number=1)
    assert "还没有添加" in browser.open(ROOM).text
    with world.reading() as db:
        assert list_factors(db, f"person:{person.row.id}") == []
        assert db.scalars(select(RecoveryCode)).all() == []
        assert db.scalars(select(Notice.kind)).all().count("factor_removed") == 2
    assert browser.open(first).status == 404


@pytest.mark.parametrize("what", ["/name", "/remove"])
def test_another_persons_factor_is_not_there(world: World, what: str) -> None:
    owner, browser = signed_in(world)
    adds_totp(world, browser)
    address = link(browser, what)
    _, thief = signed_in(world)
    adds_totp(world, thief, name="别人的手机")
    token = thief.open(ROOM).form()["fields"]["csrf_token"]
    assert thief.open(address).status == 404
    assert thief.post(address, {"csrf_token": token, "name": "偷来的"}).status == 404
    with world.reading() as db:
        assert [one.name for one in list_factors(db, f"person:{owner.row.id}")] == ["我的手机"]


def test_a_factor_of_another_kind_or_no_kind_is_not_there(world: World) -> None:
    _, browser = signed_in(world)
    adds_totp(world, browser)
    address = link(browser, "/remove")
    for wrong in (address.replace("/totp/", "/passkey/"), address.replace("/totp/", "/sms/")):
        assert browser.open(wrong).status == 404
    assert browser.open(f"{ROOM}/factors/totp/not-an-id/remove").status == 404
