"""A reset done twice, in two tabs, backwards, or cut off in the middle acts once, and says what is true."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from sqlalchemy import func, select, update

from idp.access import endings
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Credential
from idp.accounts.notices import Notice
from idp.proof import throttle
from idp.proof.throttle import Try
from tests.login.acting import is_in, key_of, names_of, same_browser, type_in
from tests.login.resetting import (
    KINDS,
    NEW,
    a_minute_goes_by,
    comes_to_the_password,
    journey_of,
    phone_of,
    resets,
    saves,
    somebody,
)
from tests.oauth.asking import at_once
from tests.world import PASSWORD, APerson, Browser, World

OTHER = "Another-one 2026"


@pytest.fixture
def person(world: World) -> APerson:
    return world.a_person()


def times(world: World, action: str) -> int:
    """How often something was done."""
    with world.reading() as db:
        counted = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
        return db.scalar(counted) or 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_sent_eight_times_at_once_is_set_once_and_all_land_on_the_end(
    world: World, kind: str
) -> None:
    known, browser = somebody(world, kind), world.browser()
    comes_to_the_password(world, browser, known)
    windows = [same_browser(world, browser) for _ in range(8)]
    for window in windows:
        window.page = browser.page
    passwords = [f"Brand-new 20{number}" for number in range(8)]
    pages = at_once(8, lambda number: saves(windows[number], passwords[number]))
    assert {page.url.partition("?")[0] for page in pages} == {"/reset/done"}, [page.text for page in pages]
    assert all("新密码已生效" in page.text for page in pages)
    assert times(world, "password_reset") == 1
    way, names = names_of(known)
    opened = []
    for password in passwords:
        page = type_in(world.browser(), way, password, **names)
        opened.append(is_in(page))
        throttle.forgive(world.backends.store, Try(key_of(world, known), None, "127.0.0.1"))
    assert opened.count(True) == 1


def two_journeys(world: World, person: APerson) -> tuple[Browser, Browser]:
    """Two tabs of a browser, each before a new password of its own journey."""
    first = world.browser()
    comes_to_the_password(world, first, person)
    second = same_browser(world, first)
    a_minute_goes_by(world, person.phone)
    comes_to_the_password(world, second, person)
    return first, second


def test_of_two_tabs_the_first_to_save_wins_and_the_other_is_told(world: World, person: APerson) -> None:
    first, second = two_journeys(world, person)
    assert saves(second, OTHER).url.startswith("/reset/done?")
    page = saves(first, NEW)
    assert page.status == 409
    assert "没有做任何更改" in page.text
    assert is_in(type_in(world.browser(), "person", OTHER, account=person.account))
    assert times(world, "password_reset") == 1


def test_of_two_tabs_at_once_one_wins(world: World, person: APerson) -> None:
    tabs = two_journeys(world, person)
    pages = at_once(2, lambda number: saves(tabs[number], (NEW, OTHER)[number]))
    assert sorted(page.status for page in pages) == [200, 409]
    assert times(world, "password_reset") == 1
    won = (NEW, OTHER)[[page.status for page in pages].index(200)]
    assert is_in(type_in(world.browser(), "person", won, account=person.account))


def test_the_back_button_leads_to_where_the_journey_stands(world: World, person: APerson) -> None:
    browser = world.browser()
    page = comes_to_the_password(world, browser, person)
    journey = journey_of(page)
    assert browser.open(f"/reset/phone?j={journey}").url.startswith("/reset/password?")
    saves(browser)
    for step in ("phone", "password"):
        page = browser.open(f"/reset/{step}?j={journey}")
        assert page.url.startswith("/reset/done?")
        assert "新密码已生效" in page.text
    assert "身份验证" in browser.open("/reset/person").text
    # The end is this browser's, and for an hour.
    assert world.browser().open(f"/reset/done?j={journey}").status == 400


def test_a_lock_of_not_me_meanwhile_ends_the_journey_and_stays(world: World, person: APerson) -> None:
    """Whoever holds the code for a moment does not lift what the owner locks after it."""
    browser = world.browser()
    comes_to_the_password(world, browser, person)
    with world.write() as db:
        here, key = world.platform, key_of(world, person)
        endings.lock(db, here.vault, here.trail, here.notifier, key, Origin("x"), now=world.now())
    assert saves(browser).status == 409
    page = type_in(world.browser(), "person", PASSWORD, account=person.account)
    assert "账号已暂停" in page.text


def test_a_password_changed_while_the_new_one_is_hashed_stays(
    world: World, person: APerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser()
    comes_to_the_password(world, browser, person)
    hasher = world.platform.hasher
    real = type(hasher).hash

    def slow(self: Any, password: str) -> str:
        monkeypatch.setattr(type(hasher), "hash", real)
        made = world.hash(OTHER)
        with world.write() as db:
            mine = update(Credential).where(Credential.person_id == person.row.id)
            db.execute(mine.values(password_hash=made, changed_at=world.now()))
        return real(self, password)

    monkeypatch.setattr(type(hasher), "hash", slow)
    assert saves(browser).status == 409
    assert is_in(type_in(world.browser(), "person", OTHER, account=person.account))


class Killed(Exception):
    """The process ends here."""


def test_a_process_killed_before_the_password_was_kept_tells_nobody_that_it_was(
    world: World, person: APerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser()
    page = comes_to_the_password(world, browser, person)

    def killed(_db: Any) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        session = world.platform.database.session.class_
        real = session.commit
        commits = iter([real, killed])  # the first gives the connection back while the password is hashed

        def commit(db: Any) -> None:
            next(commits, real)(db)

        dying.setattr(session, "commit", commit)
        with contextlib.suppress(Killed):
            saves(browser)
    page = browser.open(f"/reset/done?j={journey_of(page)}")
    assert page.status == 400
    assert "原来的密码没有变" in page.text
    assert 'href="/reset/person"' in page.html
    assert times(world, "password_reset") == 0
    with world.reading() as db:
        kinds = db.scalars(select(Notice.kind)).all()
    assert "password_reset" not in kinds
    assert is_in(type_in(world.browser(), "person", PASSWORD, account=person.account))


def test_a_sign_in_that_is_being_opened_with_the_old_password_does_not_open(
    world: World, person: APerson
) -> None:
    """Whichever comes first: nothing that rests on the old password lives on beside the new one."""
    browser = world.browser()
    comes_to_the_password(world, browser, person)
    others = [world.browser(address=f"203.0.113.{number}") for number in range(1, 5)]
    for other in others:
        other.open("/login/person")
    names = {"account": person.account, "password": PASSWORD}

    def act(number: int) -> Any:
        if number == 4:
            return saves(browser)
        return others[number].submit_with_captcha(names)

    at_once(5, act)
    for other in others:
        assert "/login" in other.open("/center/person").url


@pytest.mark.parametrize("kind", KINDS)
def test_the_reset_can_be_done_again_at_once(world: World, kind: str) -> None:
    known = somebody(world, kind)
    resets(world, world.browser(), known, NEW)
    a_minute_goes_by(world, phone_of(known))
    resets(world, world.browser(), known, OTHER)
    way, names = names_of(known)
    assert is_in(type_in(world.browser(), way, OTHER, **names))
