"""Changes of an account's security while its sign-in ends, or another one takes its place (MISSION Y)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyotp
import pytest
from sqlalchemy import event, select

from idp.access import endings
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.factors import RecoveryCode, list_factors
from idp.accounts.notices import Notice
from tests.authenticator import AnAuthenticator
from tests.portals import Authorization
from tests.security.acting import (
    ROOM,
    TOTP,
    adds_totp,
    came_in,
    links_on,
    options_on,
    secret_on,
    signed_in,
)
from tests.world import APerson, Browser, Page, World

CHANGED = "同一个浏览器里换过登录"


@contextmanager
def at_first_sight_of(world: World, table: str, act: Callable[[], None]) -> Iterator[None]:
    """Let `act` happen, whole and committed, when the next request first asks for this table."""
    waiting = [act]

    def seen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if table in statement and waiting:
            waiting.pop()()

    engine = world.platform.database.engine
    event.listen(engine, "before_cursor_execute", seen)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", seen)
    assert not waiting


def locks(world: World, person: APerson) -> Callable[[], None]:
    """What the owner's 不是我 does."""

    def act() -> None:
        here = world.platform
        with world.write() as db:
            key = f"person:{person.row.id}"
            endings.lock(db, here.vault, here.trail, here.notifier, key, Origin("notice:x"), now=world.now())

    return act


def held(world: World, person: APerson) -> list[str]:
    with world.reading() as db:
        return [one.name for one in list_factors(db, f"person:{person.row.id}")]


@pytest.mark.parametrize("how", ["first", "second", "removed", "codes"])
def test_no_change_outlives_the_lock_of_its_account(world: World, how: str) -> None:
    """What a thief had begun when the owner said 不是我 is not there when the account opens again."""
    person, browser = signed_in(world)
    values: dict[str, str] = {}
    if how == "first":
        page = browser.open(TOTP)
        values = {"code": pyotp.TOTP(secret_on(page)).at(world.now())}
    else:
        adds_totp(world, browser)
        to = {"removed": "/remove", "codes": "/recovery-codes", "second": "/passkey"}[how]
        page = browser.open(links_on(browser.open(ROOM), to)[-1])
    if how == "second":
        values = {"answer": AnAuthenticator().create(options_on(page))}
    before, codes = held(world, person), digests(world)
    with at_first_sight_of(world, "totp_secrets", locks(world, person)):
        page = browser.submit(values, number=1, follow=False)
    assert page.status == 403
    assert "没有做任何更改" in page.text
    assert held(world, person) == before
    assert digests(world) == codes
    with world.reading() as db:
        kinds = list(db.scalars(select(Notice.kind).order_by(Notice.created_at)))
        actions = list(db.scalars(select(AuditEvent.action)))
    assert kinds[-1] == "locked"
    assert actions.count("factor_added") == len(before)
    assert "factor_removed" not in actions
    assert "/login" in browser.open(ROOM).url


def digests(world: World) -> set[bytes]:
    with world.reading() as db:
        return set(db.scalars(select(RecoveryCode.code_index)))


def answered_by_another(world: World, browser: Browser, page: Page, other: APerson, **values: str) -> Page:
    """Send the form that was shown to one after another has signed in, in another tab."""
    browser.sign_in_person(other)
    return browser.post(page.url, {**page.form(1)["fields"], **values})


def test_a_form_is_answered_by_the_one_it_was_shown_to(world: World) -> None:
    """Two tabs: one person's page, and another person who signs in before it is sent."""
    first, browser = came_in(world)
    client = world.a_client(first_party=False, name="外部网站")
    for person in (world.a_person(), first):
        browser.sign_in_person(person)
        browser.open(Authorization(client).address("openid profile"))
        browser.submit({"decision": "allow"})
    other = world.a_person()
    browser.sign_in_person(other)
    browser.open(Authorization(client).address("openid profile"))
    browser.submit({"decision": "allow"})
    for ending in ("/withdraw", "/forget", "/totp"):
        browser.sign_in_person(first)
        page = browser.open(links_on(browser.open(ROOM), ending)[0])
        code = {"code": pyotp.TOTP(secret_on(page)).at(world.now())} if ending == "/totp" else {}
        answer = answered_by_another(world, browser, page, other, **code)
        if ending != "/totp":
            assert CHANGED in answer.text
        assert "外部网站" in browser.open(ROOM).text
        assert links_on(browser.open(ROOM), "/forget") != []
    assert held(world, first) == held(world, other) == []


def test_one_persons_click_makes_no_recovery_codes_of_another(world: World) -> None:
    first, browser = signed_in(world)
    adds_totp(world, browser)
    page = browser.open(f"{ROOM}/recovery-codes")
    other, fresh = signed_in(world)
    adds_totp(world, fresh)
    before = digests(world)
    # The same browser, with the sign-in of the other one.
    browser.client.set_cookie("idp_session", fresh.cookie("idp_session") or "")
    answer = browser.post(page.url, page.form(1)["fields"])
    assert CHANGED in answer.text
    assert digests(world) == before
    assert browser.submit(number=1).url.startswith(f"{ROOM}/recovery-codes/new")
    assert digests(world) != before
    assert held(world, first) == held(world, other)
