"""The mandates of a company at the console: by state, a page at a time, ended or unlocked for a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from idp.access import endings
from idp.accounts.audit import Action, Origin
from idp.accounts.calendar import civil_day
from idp.accounts.models import Mandate, Person
from idp.db import uuid7
from tests.entering import enter
from tests.staff.deciding import REASON, TOO_LATE, is_dead, send, signed_on, trail, with_reason
from tests.world import ACompany, AnOperator, Browser, World


def locked(world: World, operator: AnOperator) -> None:
    """He said 不是我 to a notice about this mandate."""
    platform, key = world.platform, f"mandate:{operator.mandate.id}"
    with world.write() as db:
        endings.lock(db, platform.vault, platform.trail, platform.notifier, key, Origin(), now=world.now())


def many_mandates(world: World, company: ACompany, number: int) -> None:
    """Live mandates of as many people."""
    today = civil_day(world.now())
    people = [Person(id=uuid7(), created_at=world.now()) for _ in range(number)]
    for person in people:
        person.set_name(world.backends.vault, "林小满")
    mandates = [
        Mandate(
            enterprise_id=company.row.id,
            person_id=person.id,
            first_day=today,
            last_day=today,
            created_at=world.now(),
        )
        for person in people
    ]
    with world.write() as db:
        db.add_all([*people, *mandates])


def statements(world: World, browser: Browser, address: str) -> list[str]:
    """What opening a page asks the database."""
    asked: list[str] = []
    engine = world.platform.database.engine

    def note(*args: Any) -> None:
        asked.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    assert browser.open(address).status == 200
    event.remove(engine, "before_cursor_execute", note)
    return asked


def test_mandates_are_shown_by_state(world: World) -> None:
    """MISSION section Y, dates: both ends included; 生效, 未生效, 过期, 已结束."""
    company, console = world.a_company(), world.at_the_console()
    today = civil_day(world.now())
    days = {
        "live": (today, today),
        "future": (today + timedelta(days=1), today + timedelta(days=9)),
        "expired": (today - timedelta(days=9), today - timedelta(days=1)),
        "ended": (today, today + timedelta(days=3)),
    }
    held = {
        state: world.an_operator(company, first_day=first, last_day=last)
        for state, (first, last) in days.items()
    }
    page = f"/staff/companies/{company.row.id}"
    with_reason(console, f"{page}/mandates/{held['ended'].mandate.id}/end")
    words = {"live": "生效", "future": "未生效", "expired": "过期", "ended": "已结束"}
    for state, operator in held.items():
        html = console.open(f"{page}?state={state}").html
        assert {name for name, other in held.items() if str(other.person.row.id) in html} == {state}
        assert f"{operator.mandate.first_day} 至 {operator.mandate.last_day}" in html
        assert f"{words[state]} 1" in html
        assert ("结束授权" in html) is (state != "ended")
    assert all(str(other.person.row.id) in console.open(f"{page}?state=none").html for other in held.values())


def test_a_mandate_its_holder_locked_is_marked_and_can_be_unlocked(world: World) -> None:
    """MISSION section Y, 不是我: the hotline, that is an administrator who made sure, lifts it."""
    operator, console, browser = world.an_operator(), world.at_the_console(), world.browser()
    locked(world, operator)
    browser.sign_in_operator(operator)
    assert browser.open("/center/operator", follow=False).status == 302
    page = f"/staff/companies/{operator.company.row.id}"
    assert "已锁定" in console.open(f"/staff/accounts/{operator.person.row.id}").text
    assert "已锁定" in console.open(page).text
    assert "由经办人点「不是我」锁定" in console.open(f"{page}/mandates/{operator.mandate.id}/unlock").text
    answer = send(console, {"reason": REASON})
    assert "授权已解除锁定，经办人可以重新登录。" in answer.text
    assert "已锁定" not in answer.text
    browser.sign_in_operator(operator)
    assert browser.open("/center/operator", follow=False).status == 200
    line = trail(world, Action.ACCOUNT_UNLOCKED)[0]
    assert (line.target, line.detail) == (f"mandate:{operator.mandate.id}", {"reason": REASON})
    again = console.open(f"{page}/mandates/{operator.mandate.id}/unlock")
    assert again.status == 409
    assert TOO_LATE in again.text


@pytest.mark.parametrize("state", ["", "live"])
def test_two_hundred_mandates_ask_the_database_no_more_than_two(world: World, state: str) -> None:
    few, many, console = world.a_company(), world.a_company(), world.at_the_console()
    many_mandates(world, few, 2)
    many_mandates(world, many, 200)
    console.open(f"/staff/companies/{few.row.id}")
    for_few = statements(world, console, f"/staff/companies/{few.row.id}?state={state}")
    for_many = statements(world, console, f"/staff/companies/{many.row.id}?state={state}")
    assert len(for_many) == len(for_few)
    assert len(for_many) <= 12
    assert console.page is not None
    assert "共 200 项" in console.page.text
    assert console.page.html.count('/end"') == 20
    assert "10 / 10" in console.open(f"/staff/companies/{many.row.id}?page=99").text


def test_a_persons_two_hundred_mandates_are_no_more_than_two_either(world: World) -> None:
    first, console = world.an_operator(), world.at_the_console()
    for _ in range(5):
        world.an_operator(person=first.person)
    one = world.an_operator()
    console.open(f"/staff/accounts/{one.person.row.id}")
    for_one = statements(world, console, f"/staff/accounts/{one.person.row.id}")
    assert len(statements(world, console, f"/staff/accounts/{first.person.row.id}")) == len(for_one) <= 14


def test_ending_a_mandate_kills_what_rests_on_it_at_once(world: World) -> None:
    """SECURITY 62: sign-in, tokens and introspection are dead on the next request."""
    operator, console, browser = world.an_operator(), world.at_the_console(), world.browser()
    enter(browser, operator)
    client, tokens = signed_on(world, browser, "openid entity offline_access")
    address = f"/staff/companies/{operator.company.row.id}/mandates/{operator.mandate.id}/end"
    asked = console.open(address)
    assert "林*满" in asked.text
    assert "结束后不能恢复" in asked.text
    page = send(console, {"reason": REASON})
    assert "授权已结束，依据它的登录已退出。" in page.text
    assert is_dead(world, browser, client, tokens)
    line = trail(world, Action.MANDATE_ENDED)[0]
    assert (line.entity, line.target) == (str(operator.company.row.id), f"mandate:{operator.mandate.id}")
    assert line.detail == {"reason": REASON}
    assert line.actor.startswith("staff:")


def test_of_two_who_end_a_mandate_the_later_one_is_told(world: World) -> None:
    operator, first, second = world.an_operator(), world.at_the_console(), world.at_the_console()
    address = f"/staff/companies/{operator.company.row.id}/mandates/{operator.mandate.id}/end"
    for browser in (first, second):
        browser.open(address)
    send(first, {"reason": REASON})
    page = send(second, {"reason": REASON})
    assert page.status == 409
    assert TOO_LATE in page.text
    assert len(trail(world, Action.MANDATE_ENDED)) == 1


def test_a_mandate_of_another_company_is_none_of_this_ones(world: World) -> None:
    operator, other, console = world.an_operator(), world.a_company(), world.at_the_console()
    for company, mandate in (
        (other.row.id, operator.mandate.id),
        (operator.company.row.id, uuid7()),
        (operator.company.row.id, operator.person.row.id),
        (uuid7(), operator.mandate.id),
    ):
        assert console.open(f"/staff/companies/{company}/mandates/{mandate}/end").status == 404
        assert console.open(f"/staff/companies/{company}/mandates/{mandate}/unlock").status == 404
    assert trail(world, Action.MANDATE_ENDED) == []
