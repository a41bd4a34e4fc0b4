"""不是我: the link of a notice locks the account at once, everywhere, once, and by its button alone (Y)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from idp.access import endings
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Credential, Person
from idp.accounts.notices import Kind, Notice
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import SigninSession
from idp.accounts.staff import StaffMember
from tests.access.test_endings import BACK_CHANNEL, signed_in_portal
from tests.entering import enter
from tests.login.acting import VAGUE, WRONG, a_code, is_in, names_of, type_in
from tests.oauth.asking import at_once
from tests.portals import get_with, post_as
from tests.security.telling import a_link, key_of, texts
from tests.world import PASSWORD, ACompany, AnOperator, APerson, Browser, World, error_sentences

NOT_ME = "不是我，暂停账号"
GONE = "链接已失效"


def says_not_me(world: World, path: str, *, browser: Browser | None = None) -> Any:
    """Open the link in a browser nobody has used and press the button."""
    browser = browser or world.browser()
    browser.open(path)
    return browser.submit()


def audited(world: World, action: str) -> list[AuditEvent]:
    with world.reading() as db:
        return list(db.scalars(select(AuditEvent).where(AuditEvent.action == action)))


def locked(world: World) -> int:
    with world.reading() as db:
        count = select(func.count()).select_from(Credential).where(Credential.locked_at.is_not(None))
        return db.scalar(count) or 0


def resume(world: World, person: APerson) -> None:
    with world.write() as db:
        row = db.get_one(Person, person.row.id)
        endings.resume(db, world.backends.trail, row, Origin("cli:root"), reason="proved", now=world.now())


def test_the_link_says_what_happened_and_changes_nothing(world: World) -> None:
    person = world.a_person(name="欧阳小满")
    path = a_link(world, key_of(world, person), Kind.FACTOR_ADDED, "验证器 App")
    page = world.browser().open(path)
    assert page.status == 200
    for shown in ("欧**满", "您的账号添加了验证器 App", "Chrome 130，Windows", "203.0.113.9", NOT_ME):
        assert shown in page.text
    for private in (person.name, person.phone, person.id_number, person.account):
        assert private not in page.html
    for method in ("HEAD", "OPTIONS"):
        assert (
            world.app.test_client().open(path, method=method, base_url=world.settings.issuer).status_code
            == 200
        )
    assert locked(world) == 0
    assert audited(world, "account_locked") == []


def an_account(world: World, kind: str) -> tuple[APerson | ACompany | AnOperator, str, str]:
    """Somebody, the scope his portal asks for, and how the link calls his account."""
    if kind == "person":
        return world.a_person(name="林小满"), "openid offline_access", "个人账号，林*满"
    if kind == "legal":
        company = world.a_company()
        return company, "openid entity offline_access", f"法人账号，{company.name}"
    operator = world.an_operator()
    return operator, "openid entity offline_access", f"经办人账号，林*满，{operator.company.name}"


def sign_in(browser: Browser, somebody: APerson | ACompany | AnOperator) -> Any:
    if isinstance(somebody, APerson):
        return browser.sign_in_person(somebody)
    return (
        browser.sign_in_operator(somebody)
        if isinstance(somebody, AnOperator)
        else browser.sign_in_legal(somebody)
    )


@pytest.mark.parametrize("kind", ["person", "legal", "mandate"])
def test_not_me_ends_everything_the_accounts_secrets_opened_at_once(world: World, kind: str) -> None:
    somebody, scope, called = an_account(world, kind)
    client = world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    browsers = [world.browser(), world.browser()]
    tokens = []
    for browser in browsers:
        sign_in(browser, somebody)
        tokens.append(signed_in_portal(world, browser, client, scope))
    path = a_link(world, key_of(world, somebody))
    assert called in world.browser().open(path).text
    page = says_not_me(world, path)
    assert "已为您暂停账号" in page.text
    assert world.settings.hotline in page.text
    for browser, held in zip(browsers, tokens, strict=True):
        assert get_with(world, held["access_token"]).status_code == 401
        asked = post_as(world, client, "/oauth/introspect", {"token": held["access_token"]})
        assert asked.get_json() == {"active": False}
        refresh = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
        assert post_as(world, client, "/oauth/token", refresh).get_json()["error"] == "invalid_grant"
        assert "/login" in browser.open("/center/person").url
    with world.reading() as db:
        told = db.scalars(select(OutboxMessage).where(OutboxMessage.kind == "logout")).all()
        assert set(db.scalars(select(SigninSession.end_reason))) == {"locked"}
    assert len(told) == 2
    (event,) = audited(world, "account_locked")
    assert event.target == key_of(world, somebody)
    assert event.actor.startswith("notice:")
    assert texts(world)[-1]["purpose"] == "locked"


@pytest.mark.parametrize("kind", ["person", "legal", "mandate"])
def test_a_locked_account_opens_by_no_password_until_it_is_resumed(world: World, kind: str) -> None:
    somebody, _, _ = an_account(world, kind)
    says_not_me(world, a_link(world, key_of(world, somebody)))
    way, names = names_of(somebody)
    right = type_in(world.browser(), way, PASSWORD, **names)
    wrong = type_in(world.browser(), way, WRONG, **names)
    assert not is_in(right)
    assert "暂停" in error_sentences(right)[0]
    assert error_sentences(wrong) == [VAGUE], "a stranger is not told"
    with world.write() as db:
        key = key_of(world, somebody)
        assert endings.unlock(db, world.backends.trail, key, Origin("cli:root"), reason="r", now=world.now())
    assert is_in(type_in(world.browser(), way, PASSWORD, **names))


def test_the_accounts_of_one_human_are_locked_apart(world: World) -> None:
    """A password, a factor and a lock belong to one account: his mandate's, or his own."""
    person = world.a_person()
    operator = world.an_operator(person=person)
    himself, at_work, by_choice = world.browser(), world.browser(), world.browser()
    enter(himself, person)
    enter(at_work, operator)
    says_not_me(world, a_link(world, key_of(world, operator)))
    assert "/center/person" in himself.open("/center/person").url
    assert "/login" in at_work.open("/center/operator").url
    enter(by_choice, person)
    client = world.a_client()
    tokens = signed_in_portal(world, by_choice, client, "openid entity")
    assert get_with(world, tokens["access_token"]).status_code == 200
    # What he opened for the company with his own secrets ends with his own account.
    says_not_me(world, a_link(world, key_of(world, person)))
    assert get_with(world, tokens["access_token"]).status_code == 401


def test_a_sign_in_of_the_version_before_ends_too(world: World) -> None:
    operator = world.an_operator()
    browser = world.browser()
    enter(browser, operator)
    with world.write() as db:
        db.execute(update(SigninSession).values(account=""))
    assert "/center/operator" in browser.open("/center/operator").url
    says_not_me(world, a_link(world, key_of(world, operator)))
    assert "/login" in browser.open("/center/operator").url


def test_a_first_use_under_way_is_void_also_after_the_account_is_open_again(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser = world.browser()
    browser.sign_in_operator(operator)
    code = a_code(browser, operator.phone)
    says_not_me(world, a_link(world, key_of(world, operator)))
    new = {"code": code, "new_password": "Another-one 99", "confirm_password": "Another-one 99"}
    assert set(new) <= set(browser.page.form()["fields"]) if browser.page else False
    with world.write() as db:
        assert endings.unlock(
            db, world.backends.trail, key_of(world, operator), Origin("cli:root"), reason="r", now=world.now()
        )
    page = browser.submit(new)
    assert not is_in(page)
    assert "/center" not in page.url


def test_the_browser_that_said_so_is_signed_out_with_the_others(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    page = says_not_me(world, a_link(world, key_of(world, person)), browser=browser)
    assert "已为您暂停账号" in page.text
    assert "/login" in browser.open("/center/person").url


def test_a_used_link_says_what_was_done_and_locks_nothing_again(world: World) -> None:
    person = world.a_person()
    path = a_link(world, key_of(world, person))
    browser = world.browser()
    browser.open(path)
    before = browser.page
    says_not_me(world, path)
    resume(world, person)
    browser.page = before
    page = browser.submit()
    assert "已为您暂停账号" in page.text
    assert NOT_ME not in page.text
    assert locked(world) == 0, "an old message does not lock what was opened again"
    assert len(audited(world, "account_locked")) == 1
    assert [text["purpose"] for text in texts(world)].count("locked") == 1


def test_a_second_link_on_a_locked_account_leaves_the_lock_as_it_is(world: World) -> None:
    person = world.a_person()
    first, second = (a_link(world, key_of(world, person)) for _ in range(2))
    says_not_me(world, first)
    with world.reading() as db:
        since = db.scalar(select(Credential.locked_at))
    says_not_me(world, second)
    with world.reading() as db:
        assert db.scalar(select(Credential.locked_at)) == since
    assert len(audited(world, "account_locked")) == 1


def test_of_eight_that_press_at_once_one_locks(world: World) -> None:
    person = world.a_person()
    path = a_link(world, key_of(world, person))
    browsers = [world.browser() for _ in range(8)]
    for browser in browsers:
        browser.open(path)
    pages = at_once(8, lambda number: browsers[number].submit())
    assert {page.status for page in pages} == {200}
    assert len(audited(world, "account_locked")) == 1
    assert [text["purpose"] for text in texts(world)].count("locked") == 1


@pytest.mark.parametrize("how", ["unknown", "altered", "expired", "empty", "long", "odd"])
def test_a_link_that_is_none_gives_one_same_page_and_changes_nothing(world: World, how: str) -> None:
    path = a_link(world, key_of(world, world.a_person()))
    days = 8 if how == "expired" else 0
    made = {
        "unknown": "/n/" + "A" * 22,
        "altered": path[:-1] + ("A" if path[-1] != "A" else "B"),
        "empty": "/n/%20",
        "long": "/n/" + "a" * 10_000,
        "odd": "/n/%E2%80%AE%F0%9F%92%A5'\"<b>",
    }
    browser = world.browser()
    browser.open(path)
    form = {"csrf_token": browser.page.form()["fields"]["csrf_token"]} if browser.page else {}
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True):
        shown = browser.open(made.get(how, path))
        pressed = browser.post(made.get(how, path), form)
    for page in (shown, pressed):
        assert page.status == 404
        assert GONE in page.text
        assert world.settings.hotline in page.text
    assert locked(world) == 0


def test_nobody_else_can_press_the_button(world: World) -> None:
    path = a_link(world, key_of(world, world.a_person()))
    browser = world.browser()
    browser.open(path)
    field = browser.page.form()["fields"]["csrf_token"] if browser.page else ""
    refused = [
        world.browser().post(path),
        browser.post(path, {"csrf_token": "x"}),
        world.browser().post(path, {"csrf_token": field}),
        browser.post(path, {"csrf_token": field}, headers={"Origin": "https://evil.example"}),
        browser.post(path, {"csrf_token": field}, headers={"Sec-Fetch-Site": "cross-site"}),
    ]
    assert [page.status for page in refused] == [400, 400, 400, 403, 403]
    assert locked(world) == 0


def test_a_members_lock_suspends_him_and_ends_his_sign_ins(world: World) -> None:
    """Staff have no phone of record today; whoever locks an account by its key still means every kind."""
    member = world.a_staff_member()
    browser = world.at_the_console(member=member)
    assert browser.open("/staff").status == 200
    with world.write() as db:
        here = world.platform
        for expected in (True, False):
            done = endings.lock(
                db, here.vault, here.trail, here.notifier, member.row.key, Origin("x"), now=world.now()
            )
            assert done is expected
    with world.reading() as db:
        assert db.get_one(StaffMember, member.row.id).suspended_at is not None
    assert browser.open("/staff", follow=False).status != 200


def test_the_token_stands_in_no_log_and_no_trail(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """SECURITY 22, 81."""
    caplog.set_level(logging.DEBUG)
    path = a_link(world, key_of(world, world.a_person()))
    page = says_not_me(world, path)
    token = path.removeprefix("/n/")
    logged = "".join(f"{record.getMessage()}{record.__dict__}" for record in caplog.records)
    assert token not in logged
    with world.reading() as db:
        for event in db.scalars(select(AuditEvent)):
            assert token not in f"{event.actor}{event.target}{event.detail}{event.device}"
        assert all(token.encode() not in notice.token_hash for notice in db.scalars(select(Notice)))
    assert page.response.headers["Referrer-Policy"] == "same-origin"
    assert page.response.headers["Cache-Control"] == "no-store"
