"""Known browsers: seen, and forgotten with what is open in them (MISSION Y)."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select

from idp.accounts import browsers
from idp.accounts.audit import AuditEvent
from idp.accounts.models import Credential
from tests.security.acting import ROOM, adds_totp, came_in, links_on
from tests.world import APerson, Browser, World

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


def forget_links(browser: Browser) -> list[str]:
    return links_on(browser.open(ROOM), "/forget")


def elsewhere(world: World, person: APerson) -> Browser:
    """Another browser he is signed in with."""
    browser = world.browser(address="203.0.113.9", user_agent=CHROME)
    browser.sign_in_person(person)
    return browser


def forgotten(world: World, person: APerson) -> list[str]:
    with world.reading() as db:
        return list(
            db.scalars(
                select(Credential.forgotten_browsers).where(Credential.person_id == person.row.id)
            ).one()
        )


def test_each_browser_is_listed_once_with_its_first_and_last_sign_in(world: World) -> None:
    with time_machine.travel(world.now() - timedelta(days=3)) as _:
        person, browser = came_in(world)
    browser.sign_in_person(person)
    elsewhere(world, person)
    page = browser.open(ROOM)
    assert len(forget_links(browser)) == 2
    assert page.text.count("本机") == 1
    assert "Chrome 130，Windows" in page.text
    assert (world.now() - timedelta(days=3, hours=-8)).strftime("%Y-%m-%d") in page.text


def test_forgetting_ends_what_is_open_there_and_nothing_else(world: World) -> None:
    person, browser = came_in(world)
    other = elsewhere(world, person)
    stranger, his = came_in(world)
    address = forget_links(browser)[0]
    page = browser.open(address)
    assert "203.0.113.9" in page.text
    assert "这是您正在使用的浏览器" not in page.text
    assert "浏览器已忘记" in browser.submit(number=1).text
    assert other.open("/center/person", follow=False).status == 302
    assert browser.open("/center/person", follow=False).status == 200
    assert his.open("/center/person", follow=False).status == 200
    assert len(forget_links(browser)) == 1
    assert forgotten(world, person) == [address.split("/")[-2]]
    assert forgotten(world, stranger) == []
    with world.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "browser_forgotten")).one()
    assert event.target == f"person:{person.row.id}"


def test_forgetting_this_one_signs_out(world: World) -> None:
    _, browser = came_in(world)
    page = browser.open(forget_links(browser)[0])
    assert "忘记后会立即退出登录" in page.text
    assert browser.submit(number=1).url == "/signed-out"
    assert browser.open("/center/person", follow=False).location.startswith("/login/person")


def test_a_browser_of_another_account_is_not_there(world: World) -> None:
    person, browser = came_in(world)
    address = forget_links(browser)[0]
    _, thief = came_in(world)
    token = thief.open(ROOM).form()["fields"]["csrf_token"]
    assert thief.open(address).status == 404
    assert thief.post(address, {"csrf_token": token}).status == 404
    assert forgotten(world, person) == []
    assert browser.open("/center/person", follow=False).status == 200


def test_an_account_forgets_no_browser_it_never_saw(world: World) -> None:
    _, browser = came_in(world)
    key = forget_links(browser)[0].split("/")[-2]
    stranger = world.a_person()
    with world.write() as db:
        assert not browsers.forget(db, f"person:{stranger.row.id}", key, now=world.now())
        assert not browsers.forget(db, f"person:{stranger.row.id}", "", now=world.now())
    assert forgotten(world, stranger) == []


def test_one_that_signed_in_too_long_ago_is_known_no_longer(world: World) -> None:
    days = world.settings.known_browser_days
    with time_machine.travel(world.now() - timedelta(days=days, minutes=1)):
        person, _ = came_in(world)
    _, browser = came_in(world, person)
    assert len(forget_links(browser)) == 1


def test_one_that_signed_in_before_the_password_was_changed_is_known_no_longer(world: World) -> None:
    with time_machine.travel(world.now() - timedelta(days=3)):
        person, browser = came_in(world)
    elsewhere(world, person)
    _, here = came_in(world, person)
    assert len(forget_links(here)) == 3
    with world.write() as db:
        row = db.scalars(select(Credential).where(Credential.person_id == person.row.id)).one()
        row.changed_at = world.now()
    assert forget_links(here) == []
    browser.sign_in_person(person)
    assert len(forget_links(browser)) == 1


def test_with_a_full_list_every_browser_is_forgotten_and_none_known_again(world: World) -> None:
    person, browser = came_in(world)
    full = [f"old-{number}" for number in range(browsers.MOST_FORGOTTEN)]
    for held in (full[:-1], full):
        with world.write() as db:
            row = db.scalars(select(Credential).where(Credential.person_id == person.row.id)).one()
            row.forgotten_browsers = held
        elsewhere(world, person)
        before = len(forget_links(browser))
        browser.open(forget_links(browser)[0])
        browser.submit(number=1)
        kept = forgotten(world, person)
        if held == full:
            assert kept == []
            assert forget_links(browser) == []
        else:
            assert len(kept) == browsers.MOST_FORGOTTEN
            assert len(forget_links(browser)) == before - 1
    assert browser.open(ROOM, follow=False).status == 200, "its own sign-in goes on"


def test_the_list_is_the_accounts_own_with_factors_or_without(world: World) -> None:
    _, browser = came_in(world)
    adds_totp(world, browser)
    assert len(forget_links(browser)) == 1
