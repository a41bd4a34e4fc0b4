"""What the script of the waiting page does by itself: it moves on, renews and recovers (A04, A11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from idp.accounts.identity import Identity, Role
from idp.accounts.sessions import Device, Proof, open_session
from idp.proof import tickets
from idp.proof.ticket_record import Answer, Ended, Phone, Seen, key_of, pack
from tests.journeys.chrome import WIDTHS, Person
from tests.journeys.served import served
from tests.scan.waiting_pages import APP, a_stranger, kept
from tests.world import APerson, World

only_sqlite = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
"""For what the script does by itself, whatever the provider keeps its tickets in."""
FOREIGN: tuple[dict[str, Any], ...] = (
    {"status": 403, "body": "<p>WAF</p>", "content_type": "text/html"},
    {"status": 403, "json": {"message": "Forbidden"}},
    {"status": 404, "body": "<p>no such page</p>", "content_type": "text/html"},
    {"status": 408, "body": ""},
    {"status": 200, "body": "<p>sign in to the network of this hotel</p>", "content_type": "text/html"},
    {"status": 200, "json": {"message": "welcome"}},
)


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with served(world, app_url=APP) as there:
        yield there


@pytest.fixture
def somebody_waits(chrome: Browser, offering: World) -> Iterator[Person]:
    """Somebody at the page with the code, whose clock a test may turn."""
    context = chrome.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    person = Person.at(context, offering.settings.issuer)
    person.page.clock.install()
    person.open(f"{offering.settings.issuer}/login")
    yield person
    context.close()


def ticket_of(person: Person) -> str:
    return person.page.input_value("[name=ticket]")


def changes(person: Person, before: str) -> None:
    """Wait for another code."""
    expect(person.page.locator("[name=ticket]")).not_to_have_value(before)


def turn(person: Person, seconds: int) -> None:
    """Let the page's clock run on, timer by timer."""
    person.page.clock.run_for(seconds * 1000)


def a_phone_of(world: World, person: APerson) -> Phone:
    """A phone on which the person signed in, as far as the browser's sign-in rests on it."""
    with world.write() as db:
        session, _ = open_session(
            db,
            Identity(person.row.id, Role.NATURAL_PERSON),
            Proof(("pwd",), "urn:idp:loa:1", world.now(), f"person:{person.row.id}"),
            Device("phone", "127.0.0.1"),
            lifetime=timedelta(days=1),
            now=world.now(),
        )
    return Phone(Seen("phone", "127.0.0.1"), str(session), str(person.row.id), "app", "key")


def test_the_page_moves_on_by_itself_to_ones_centre(offering: World, somebody_waits: Person) -> None:
    person, store = somebody_waits, offering.platform.store
    phone, ticket = a_phone_of(offering, offering.a_person()), ticket_of(somebody_waits)
    expect(person.page.get_by_text("我已扫码，继续")).to_be_hidden()
    tickets.scan(store, ticket, phone, now=offering.now())
    turn(person, 2)
    expect(person.page.locator("[data-scan-number]")).to_have_text(kept(offering, ticket).number)
    expect(person.page.locator("[data-scan-whispers]")).to_contain_text("已扫码")
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 800})
        person.looks_over()
    answer = Answer("person", ("qr",), "urn:idp:loa:1", offering.now().timestamp())
    tickets.confirm(store, ticket, phone, answer, now=offering.now())
    turn(person, 2)
    person.page.wait_for_url("**/center/person")


@only_sqlite
def test_a_refusal_is_said_and_a_new_code_is_a_click_away(offering: World, somebody_waits: Person) -> None:
    person, store, ticket = somebody_waits, offering.platform.store, ticket_of(somebody_waits)
    tickets.scan(store, ticket, a_stranger(), now=offering.now())
    tickets.deny(store, ticket, a_stranger(), ended=Ended.BY_PHONE, now=offering.now())
    turn(person, 2)
    expect(person.page.get_by_role("heading", name="您在手机上拒绝了")).to_be_visible()
    person.looks_over()
    person.page.get_by_role("button", name="重新扫码", exact=True).click()
    changes(person, ticket)
    expect(person.page.get_by_text("用「吉事办」App 扫码")).to_be_visible()


def test_the_code_renews_itself_before_its_end_and_tells_a_screen_reader(
    offering: World, somebody_waits: Person
) -> None:
    person, first = somebody_waits, ticket_of(somebody_waits)
    turn(person, 112)
    changes(person, first)
    expect(person.page.locator("[data-scan-whispers]")).to_have_text("二维码已更新")
    second = ticket_of(person)
    assert f"/scan/qr/{second}.svg" in (person.page.get_attribute("[data-scan-image]", "src") or "")
    assert second in (person.page.get_attribute("[data-scan-open]", "href") or "")
    assert kept(offering, first).ended is Ended.REPLACED
    person.looks_over()


@only_sqlite
def test_after_ten_minutes_it_asks_for_a_click(offering: World, somebody_waits: Person) -> None:
    person, ticket = somebody_waits, ticket_of(somebody_waits)
    person.page.clock.fast_forward(601_000)
    expired = replace(kept(offering, ticket), expires_at=offering.now().timestamp() - 1)
    offering.platform.store.put(key_of(ticket), pack(expired), ttl=60)
    turn(person, 2)
    expect(person.page.locator("[data-scan-whispers]")).to_have_text("二维码已失效，点击刷新二维码")
    assert ticket_of(person) == ticket
    person.page.get_by_role("button", name="换一张").click()
    changes(person, ticket)


@only_sqlite
def test_what_the_store_forgot_is_said_and_renewed(offering: World, somebody_waits: Person) -> None:
    person, ticket = somebody_waits, ticket_of(somebody_waits)
    offering.platform.store.delete(key_of(ticket))
    turn(person, 2)
    changes(person, ticket)
    expect(person.page.locator("[data-scan-says]")).to_have_text("二维码已失效")
    expect(person.page.locator("[data-scan-whispers]")).to_have_text("二维码已更新")


@only_sqlite
def test_a_line_that_breaks_is_said_and_so_is_its_return(offering: World, somebody_waits: Person) -> None:
    person = somebody_waits
    said = person.page.locator("[data-scan-says]")
    person.page.context.set_offline(True)
    turn(person, 2)
    expect(said).to_have_text("连接中断，正在重试")
    person.page.context.set_offline(False)
    turn(person, 2)
    expect(said).to_have_text("连接已恢复")


@only_sqlite
def test_a_question_that_nobody_answers_is_given_up_and_asked_again(
    offering: World, somebody_waits: Person
) -> None:
    person, hanging = somebody_waits, list[Route]()

    def hang_once(route: Route) -> None:
        if hanging:
            route.continue_()
        else:
            hanging.append(route)

    person.page.route("**/scan/wait/**", hang_once)
    turn(person, 2)
    tickets.scan(offering.platform.store, ticket_of(person), a_stranger(), now=offering.now())
    turn(person, 36)
    expect(person.page.locator("[data-scan-says]")).to_have_text("连接中断，正在重试")
    turn(person, 3)
    expect(person.page.get_by_role("heading", name="已扫码，请在手机上确认")).to_be_visible()
    assert hanging


@only_sqlite
def test_what_somebody_between_answers_is_a_broken_line(offering: World, somebody_waits: Person) -> None:
    person, ticket, answers = somebody_waits, ticket_of(somebody_waits), list[dict[str, Any]]()
    said = person.page.locator("[data-scan-says]")
    person.page.route(
        "**/scan/wait/**",
        lambda route: route.fulfill(**answers.pop()) if answers else route.continue_(),
    )
    for foreign in FOREIGN:
        answers.append(foreign)
        turn(person, 2)
        expect(said, str(foreign)).to_have_text("连接中断，正在重试")
        turn(person, 3)
        expect(said, str(foreign)).to_have_text("连接已恢复")
        assert not answers, foreign
    assert ticket_of(person) == ticket
    assert kept(offering, ticket).ended is None


@only_sqlite
def test_a_new_code_that_is_asked_for_without_a_line_comes_once_there_is_one(
    offering: World, somebody_waits: Person
) -> None:
    person, store, ticket = somebody_waits, offering.platform.store, ticket_of(somebody_waits)
    tickets.scan(store, ticket, a_stranger(), now=offering.now())
    tickets.deny(store, ticket, a_stranger(), ended=Ended.BY_PHONE, now=offering.now())
    turn(person, 2)
    anew = person.page.get_by_role("button", name="重新扫码", exact=True)
    expect(anew).to_be_visible()
    person.page.context.set_offline(True)
    anew.click()
    expect(person.page.locator("[data-scan-says]")).to_have_text("连接中断，正在重试")
    person.page.context.set_offline(False)
    turn(person, 3)
    changes(person, ticket)
    expect(person.page.get_by_text("用「吉事办」App 扫码")).to_be_visible()


def test_giving_up_a_code_without_a_line_is_done_once_there_is_one(
    offering: World, somebody_waits: Person
) -> None:
    person, ticket = somebody_waits, ticket_of(somebody_waits)
    tickets.scan(offering.platform.store, ticket, a_stranger(), now=offering.now())
    turn(person, 2)
    give_up = person.page.get_by_role("button", name="取消，重新扫码")
    expect(give_up).to_be_visible()
    person.page.context.set_offline(True)
    give_up.click()
    expect(person.page.locator("[data-scan-says]")).to_have_text("连接中断，正在重试")
    person.page.context.set_offline(False)
    turn(person, 3)
    changes(person, ticket)
    assert kept(offering, ticket).ended is Ended.BY_BROWSER


@only_sqlite
def test_a_new_code_for_a_browser_whose_cookies_are_gone_comes_with_a_new_page(
    somebody_waits: Person,
) -> None:
    person, ticket = somebody_waits, ticket_of(somebody_waits)
    person.page.context.clear_cookies()
    with person.page.expect_navigation():
        person.page.get_by_role("button", name="换一张").click()
    changes(person, ticket)
    assert person.page.context.cookies()
    expect(person.page.get_by_text("用「吉事办」App 扫码")).to_be_visible()


@only_sqlite
def test_a_browser_that_keeps_no_cookies_does_not_load_the_page_in_a_loop(
    somebody_waits: Person,
) -> None:
    person, loads = somebody_waits, list[str]()
    person.page.context.clear_cookies()
    person.page.on("framenavigated", lambda frame: loads.append(frame.url))
    for _ in range(4):
        turn(person, 2)
    expect(person.page.get_by_role("button", name="重新扫码", exact=True)).to_be_visible()
    assert loads == []


@only_sqlite
def test_what_a_phone_scanned_while_the_page_had_given_up_is_shown_when_a_new_code_is_asked_for(
    offering: World, somebody_waits: Person
) -> None:
    person, ticket = somebody_waits, ticket_of(somebody_waits)
    person.page.route(
        "**/scan/tickets", lambda route: route.fulfill(status=404, json={"message": "没有换。"})
    )
    turn(person, 112)
    expect(person.page.get_by_text("没有换。", exact=True)).to_be_visible()
    person.page.unroute("**/scan/tickets")
    tickets.scan(offering.platform.store, ticket, a_stranger(), now=offering.now())
    person.page.get_by_role("button", name="重新扫码", exact=True).click()
    expect(person.page.get_by_role("heading", name="已扫码，请在手机上确认")).to_be_visible()


@only_sqlite
def test_a_code_that_was_scanned_is_given_up_for_another(offering: World, somebody_waits: Person) -> None:
    person, ticket = somebody_waits, ticket_of(somebody_waits)
    tickets.scan(offering.platform.store, ticket, a_stranger(), now=offering.now())
    turn(person, 2)
    person.page.get_by_role("button", name="取消，重新扫码").click()
    changes(person, ticket)
    assert kept(offering, ticket).ended is Ended.BY_BROWSER


def test_without_a_script_its_buttons_do_the_same(chrome: Browser, offering: World) -> None:
    context = chrome.new_context(
        viewport={"width": 360, "height": 800}, java_script_enabled=False, locale="zh-CN"
    )
    person, store = Person.at(context, offering.settings.issuer), offering.platform.store
    phone = a_phone_of(offering, offering.a_person())
    person.open(f"{offering.settings.issuer}/login")
    assert person.page.get_by_role("link", name="打开吉事办").is_visible()
    person.press("我已扫码，继续")
    assert "还没有扫码" in person.reads()
    ticket = ticket_of(person)
    tickets.scan(store, ticket, phone, now=offering.now())
    person.press("我已扫码，继续")
    assert kept(offering, ticket).number in person.reads()
    answer = Answer("person", ("qr",), "urn:idp:loa:1", offering.now().timestamp())
    tickets.confirm(store, ticket, phone, answer, now=offering.now())
    person.press("我已在手机上确认，继续")
    assert person.page.url.endswith("/center/person")
    context.close()
