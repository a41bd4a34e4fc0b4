"""The one-time link: who was approved sets his own password, once, and nobody who objects is passed (S73)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from idp.access import endings
from idp.accounts.agreements import Acceptance
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Credential, Enterprise, EnterpriseStatus
from idp.accounts.notices import Kind
from idp.accounts.sessions import Device
from idp.appeal import password
from idp.appeal.models import Appeal, State
from idp.appeal.password import Chosen, LinkGone
from idp.security import denial
from tests.appeal.approving import (
    NEW_PASSWORD,
    STAFF,
    account_of,
    approved,
    confirm,
    link_of,
    not_me,
    opened,
    proposed,
    purposes,
    sets,
    tools_of,
    trail,
)
from tests.appeal.builders import AnAppeal, an_appeal, told_of
from tests.login.acting import is_in
from tests.login.resetting import comes_to_the_password, identity_of, saves, tells
from tests.messages import waiting
from tests.oauth.asking import later
from tests.security.telling import a_link, key_of
from tests.web.test_logs import lines_of
from tests.world import PASSWORD, ACompany, Browser, Page, World, error_sentences

GONE, DONE, CLOSED = "链接已失效", "密码已设置", "现在不能设置密码"


def opens(world: World, account: str, password: str = NEW_PASSWORD) -> bool:
    """Whether this password lets a company's representative in."""
    browser = world.browser()
    browser.open("/login/legal")
    return is_in(browser.submit_with_captcha({"account": account, "password": password}, follow=False))


def reset_of(world: World, company: ACompany, **told: Any) -> tuple[AnAppeal, str]:
    """An approved appeal about a company that is here, and its link."""
    appeal = proposed(world, told_of(company, **told), company)
    confirm(world, appeal)
    return appeal, link_of(world, appeal)


def is_gone(page: Page) -> bool:
    """Whether the page says that the link opens nothing, and leads on."""
    return page.status == 404 and GONE in page.text and "没有做任何更改" in page.text


def state_of(world: World, company: ACompany) -> Credential:
    with world.reading() as db:
        mine = select(Credential).where(Credential.legal_account_id == account_of(world, company).id)
        return db.scalars(mine).one()


def test_the_link_sets_the_password_once_and_opening_it_changes_nothing(world: World) -> None:
    company = world.a_company()
    appeal, path = reset_of(world, company)
    browser = world.browser()
    for _ in range(2):
        page = browser.open(path)
        assert page.status == 200
        assert {company.name, company.uscc, company.account} <= set(page.text.split())
    assert not opens(world, company.uscc)
    page = sets(browser, path)
    assert (page.url, page.status) == (f"{path}/done", 200)
    assert DONE in page.text
    assert DONE in browser.open(page.url).text
    assert opens(world, company.account)
    assert not opens(world, company.account, PASSWORD)
    assert state_of(world, company).locked_at is None
    assert appeal.row(world).link_used_at
    assert purposes(world, company.representative.phone)[-1] == "appeal_password_set"
    line = trail(world, action="password_reset")[0]
    assert (line.actor, line.target) == (appeal.key, key_of(world, company))
    assert is_gone(browser.open(path))


def test_a_refused_password_does_not_spend_the_link(world: World) -> None:
    company = world.a_company()
    appeal, path = reset_of(world, company)
    browser = world.browser()
    browser.open(path)
    for given, again, said in (
        ("", "", "请设置密码"),
        (NEW_PASSWORD, "another", "两次填写的密码不一样"),
        ("short1", "short1", "密码至少 8 个字符"),
        (f"x{company.account}x", f"x{company.account}x", "密码里不能包含账号"),
        (f"x-{company.uscc}", f"x-{company.uscc}", "密码里不能包含账号"),
        (f"x-{company.representative.phone}", f"x-{company.representative.phone}", "密码里不能包含账号"),
    ):
        page = browser.submit({"new_password": given, "confirm_password": again})
        assert any(said in one for one in error_sentences(page)), (given, page.text)
    assert appeal.row(world).link_used_at is None
    assert DONE in sets(browser, path).text


def test_a_new_account_is_activated_with_the_yes_to_the_texts(world: World) -> None:
    told = told_of()
    path = link_of(world, approved(world, told))
    browser = world.browser()
    page = sets(browser, path)
    assert error_sentences(page) == ["请阅读并勾选同意《注册协议》与《隐私政策》"]
    page = sets(browser, path, agreed="y")
    assert DONE in page.text
    assert opens(world, told.account)
    made = opened(world, told)
    assert made
    with world.reading() as db:
        accepted = db.scalars(select(Acceptance.account)).all()
    assert accepted == [f"legal:{made.account.id}"] * 2
    assert [one.action for one in trail(world, f"legal:{made.account.id}")][-1] != "account_activated"
    assert "account_activated" in [one.action for one in trail(world, f"legal:{made.account.id}")]
    assert purposes(world, told.phone)[-1] == "account_activated"


def test_whose_account_name_was_taken_chooses_another_one(world: World) -> None:
    told = told_of(account=world.a_person().account)
    path = link_of(world, approved(world, told))
    browser = world.browser()
    assert f"申诉时填写的账号 {told.account} 已被使用" in browser.open(path).text
    for name, said in (("", "请填写账号"), (told.account, "这个账号已被使用，请换一个")):
        assert error_sentences(sets(browser, path, account=name, agreed="y")) == [said]
    assert DONE in sets(browser, path, account="quite_another", agreed="y").text
    assert opens(world, "quite_another")


def test_a_link_that_is_none_says_so_and_leads_on(world: World) -> None:
    _, path = reset_of(world, world.a_company())
    browser = world.browser()
    for wrong in ("/a/x", f"{path}x", "/a/" + "%00", "/a/" + "é" * 400, f"{path}/done", "/a/x/done"):
        assert is_gone(browser.open(wrong)), wrong
    browser.open(path)
    with later(hours=world.settings.appeal_link_hours, minutes=1):
        assert is_gone(browser.open(path))
        assert is_gone(browser.submit({"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}))
    for way in ("/appeal/result", "/help", "/login"):
        assert way in browser.open("/a/x").html


def test_not_me_at_the_old_phone_stops_the_link_and_the_new_phone(world: World) -> None:
    company = world.a_company()
    appeal, path = reset_of(world, company, phone="13500000001")
    waiting = world.browser()
    waiting.open(path)
    page = not_me(world, company.representative.phone, "phone_changed")
    assert "已为您暂停账号" in page.text
    assert "/reset/legal" not in page.html
    assert is_gone(waiting.submit({"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}))
    assert is_gone(world.browser().open(path))
    cannot_be_sent_again(world, appeal)
    # Whoever filed it knows all that the reset asks for, and reads the new phone.
    page = tells(world.browser(), *identity_of(company))
    assert "没有预留手机号码" in page.text
    actions = [one.action for one in trail(world, key_of(world, company))]
    assert actions == ["phone_changed", "phone_given_up", "account_locked"]


def test_not_me_at_an_older_notice_stops_them_as_well(world: World) -> None:
    company = world.a_company()
    older = a_link(world, key_of(world, company), Kind.NEW_BROWSER)
    _, path = reset_of(world, company, phone="13500000001")
    browser = world.browser()
    browser.open(older)
    browser.submit()
    assert is_gone(world.browser().open(path))
    assert account_of(world, company).phone_sealed is None


def test_not_me_at_the_same_phone_stops_the_link_and_leaves_the_reset(world: World) -> None:
    company = world.a_company()
    appeal, path = reset_of(world, company)
    assert "/reset/legal" in not_me(world, company.representative.phone, "appeal_reset").html
    assert is_gone(world.browser().open(path))
    cannot_be_sent_again(world, appeal)
    browser = world.browser()
    comes_to_the_password(world, browser, company)
    saves(browser, NEW_PASSWORD)
    assert opens(world, company.uscc)


def test_who_was_made_a_representative_unasked_stops_it(world: World) -> None:
    victim = world.a_person(name="周末")
    told = told_of(id_number=victim.id_number, representative_name=victim.name)
    appeal = an_appeal(world, State.SECOND, told=told, claimed_by=world.a_staff_member())
    confirm(world, appeal)
    path = link_of(world, appeal)
    not_me(world, victim.phone, "representative_named")
    assert is_gone(world.browser().open(path))
    made = opened(world, told)
    assert made
    assert (made.account.phone_sealed, made.account.activated_at) == (None, None)


def cannot_be_sent_again(world: World, appeal: AnAppeal) -> None:
    """Nobody gets a new link of this appeal."""
    before = purposes(world, appeal.told.phone)
    with world.write() as db, pytest.raises(LinkGone):
        password.send_again(db, tools_of(world), db.get_one(Appeal, appeal.id), STAFF, now=world.now())
    assert purposes(world, appeal.told.phone) == before


def test_a_password_set_by_another_way_since_ends_the_link(world: World) -> None:
    company = world.a_company()
    appeal, path = reset_of(world, company)
    browser = world.browser()
    comes_to_the_password(world, browser, company)
    saves(browser, "Another-one 2026")
    assert is_gone(world.browser().open(path))
    cannot_be_sent_again(world, appeal)
    assert opens(world, company.uscc, "Another-one 2026")


def test_a_link_sent_again_takes_the_place_of_the_one_before(world: World) -> None:
    company = world.a_company()
    appeal, first = reset_of(world, company)
    with world.write() as db:
        password.send_again(db, tools_of(world), db.get_one(Appeal, appeal.id), STAFF, now=world.now())
    second = link_of(world, appeal)
    assert first != second
    assert is_gone(world.browser().open(first))
    assert DONE in sets(world.browser(), second).text
    cannot_be_sent_again(world, appeal)


def test_the_link_of_an_older_appeal_opens_nothing_after_a_newer_one(world: World) -> None:
    company = world.a_company()
    first, path = reset_of(world, company, phone="13500000001")
    _, newer = reset_of(world, company, phone="13500000002")
    assert is_gone(world.browser().open(path))
    cannot_be_sent_again(world, first)
    assert DONE in sets(world.browser(), newer).text


def test_a_company_that_may_not_act_is_told_and_keeps_its_link(world: World) -> None:
    company = world.a_company()
    _, path = reset_of(world, company)
    waiting = world.browser()
    waiting.open(path)
    for status, suspended, said in (
        (EnterpriseStatus.REVOKED, None, "营业执照已被吊销，不能设置密码"),
        (EnterpriseStatus.DEREGISTERED, None, "已注销，不能设置密码"),
        (EnterpriseStatus.NORMAL, world.now(), "账号已停用"),
    ):
        with world.write() as db:
            row = db.get_one(Enterprise, company.row.id)
            row.status, row.suspended_at = status.value, suspended
        for page in (
            world.browser().open(path),
            waiting.post(path, {**waiting_form(waiting, path), "new_password": NEW_PASSWORD}),
        ):
            assert (page.status, CLOSED in page.text, said in page.text) == (409, True, True)
    with world.write() as db:
        row = db.get_one(Enterprise, company.row.id)
        endings.resume(db, world.backends.trail, row, Origin("cli:root"), reason="proved", now=world.now())
    assert DONE in sets(world.browser(), path).text


def waiting_form(browser: Browser, path: str) -> dict[str, str]:
    """The token of a form that was opened before, for another that is not shown any more."""
    token: str = browser.open("/login/legal").form()["fields"]["csrf_token"]
    assert path
    return {"csrf_token": token, "confirm_password": NEW_PASSWORD}


def test_of_two_at_once_one_sets_the_password(world: World) -> None:
    company = world.a_company()
    _, path = reset_of(world, company)
    browsers = [world.browser() for _ in range(6)]
    passwords = [f"Paper-lantern {number}" for number in range(6)]
    for browser in browsers:
        browser.open(path)

    def send(number: int) -> int:
        typed = {"new_password": passwords[number], "confirm_password": passwords[number]}
        return browsers[number].submit(typed, follow=False).status

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert sorted(answers) == [303, 404, 404, 404, 404, 404]
    # His first: what is typed after many wrong ones has to wait.
    won = passwords[answers.index(303)]
    tried = sorted(passwords, key=lambda one: one != won)
    assert [opens(world, company.uscc, one) for one in tried] == [True] + [False] * 5
    assert len(trail(world, action="password_reset")) == 1


def waits_for(pool: ThreadPoolExecutor, act: Callable[[], Page]) -> Future[Page]:
    """Begin `act`, which somebody else's transaction keeps waiting."""
    begun = pool.submit(act)
    with pytest.raises(TimeoutError):
        begun.result(timeout=1)
    return begun


def test_not_me_waits_for_the_password_that_is_being_set_and_closes_the_account_again(world: World) -> None:
    company = world.a_company()
    _, path = reset_of(world, company)
    chosen = Chosen(world.hash(NEW_PASSWORD))
    with ThreadPoolExecutor(1) as pool, world.write() as db:
        token = path.removeprefix("/a/")
        password.set_password(db, tools_of(world), token, chosen, STAFF, Device("", ""), now=world.now())
        said = waits_for(pool, lambda: not_me(world, company.representative.phone, "appeal_reset"))
        db.commit()
        assert "已为您暂停账号" in said.result(timeout=30).text
    assert state_of(world, company).locked_at
    assert not opens(world, company.uscc)


def test_the_link_waits_for_not_me_and_opens_nothing(world: World) -> None:
    company = world.a_company()
    _, path = reset_of(world, company)
    notice = next(one for one in waiting(world, company.representative.phone) if "/n/" in one["text"])
    browser, here = world.browser(), world.platform
    browser.open(path)
    typed = {"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    with ThreadPoolExecutor(1) as pool, world.write() as db:
        denial.deny(db, here.vault, here.trail, here.notifier, notice["params"][2], STAFF, now=world.now())
        answer = waits_for(pool, lambda: browser.submit(typed))
        db.commit()
        assert is_gone(answer.result(timeout=30))
    assert not opens(world, company.uscc)


def test_the_link_stands_in_no_log_no_trail_and_no_header(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="idp")
    appeal, path = reset_of(world, world.a_company())
    token, browser = path.removeprefix("/a/"), world.browser()
    pages = [browser.open(path), sets(browser, path, "short"), sets(browser, path), browser.open(path)]
    for page in pages:
        headers = page.response.headers
        assert headers.getlist("Referrer-Policy") == ["strict-origin"]
        assert "no-store" in headers["Cache-Control"]
    assert all(token not in str(line) for line in lines_of(caplog))
    assert token not in caplog.text
    with world.reading() as db:
        events = db.scalars(select(AuditEvent)).all()
    assert all(token not in str(vars(event)) for event in events)
    row = appeal.row(world)
    assert token.encode() not in (row.link_hash or b"")
