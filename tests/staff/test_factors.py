"""Second factors of other people at the console: shown without their names, taken away for a reason.

MISSION section Y, 不是我; SECURITY 76, 78.
"""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select

from idp.access import endings
from idp.accounts import factors
from idp.accounts.audit import Action, Origin
from idp.accounts.notices import Kind, Notice
from tests.entering import enter
from tests.staff.acting import later
from tests.staff.deciding import REASON, TOO_LATE, send, trail, with_reason
from tests.world import Browser, World

NEW = "最近 7 天添加"
BUTTON = "移除全部第二步验证"


def locked(world: World, key: str) -> None:
    """Its owner said 不是我."""
    platform = world.platform
    with world.write() as db:
        endings.lock(db, platform.vault, platform.trail, platform.notifier, key, Origin(), now=world.now())


def kinds(world: World, key: str) -> frozenset[factors.Kind]:
    """The second factors of the account of this key."""
    with world.reading() as db:
        return factors.kinds_of(db, key)


def told(world: World, key: str) -> list[str]:
    """The notices of the account of this key."""
    with world.reading() as db:
        return list(db.scalars(select(Notice.kind).where(Notice.account == key)))


def asks_again(console: Browser, address: str) -> bool:
    """Whether opening the page and sending its form both lead to another proof."""
    token = console.open("/staff/me/security").form()["fields"]["csrf_token"]
    opened = console.open(address, follow=False)
    sent = console.post(address, {"csrf_token": token, "reason": REASON}, follow=False)
    return all(page.status == 303 and page.location.startswith("/staff/confirm?") for page in (opened, sent))


def test_a_person_without_his_phone_gets_his_factors_taken_away(world: World) -> None:
    """His password opens the account alone again; who did it and why is on record, and he is told."""
    person, console, browser = world.a_person(), world.at_the_console(), world.browser()
    enter(browser, person)
    key, page = f"person:{person.row.id}", f"/staff/accounts/{person.row.id}"
    assert BUTTON not in console.open(page).text
    assert console.open(f"{page}/reset-factors").status == 409
    world.a_totp(key, name="林小满的手机")
    shown = console.open(page)
    assert "验证器 App" in shown.text
    assert NEW in shown.text
    assert "林小满的手机" not in shown.html
    assert "不能恢复" in console.open(f"{page}/reset-factors").text
    assert "已全部移除" in send(console, {"reason": REASON}).text
    assert kinds(world, key) == frozenset()
    assert browser.open("/center/person", follow=False).status == 302
    [line] = trail(world, Action.FACTOR_REMOVED)
    assert line.actor.startswith("staff:")
    assert (line.target, line.detail["reason"]) == (key, REASON)
    assert Kind.FACTOR_REMOVED in told(world, key)
    browser.sign_in_person(person)
    assert browser.open("/center/person", follow=False).status == 200
    again = console.open(f"{page}/reset-factors")
    assert again.status == 409
    assert TOO_LATE in again.text


def test_before_a_lock_is_lifted_the_factors_stand_there_and_the_new_ones_are_marked(world: World) -> None:
    """What a thief has added would open the account at once; resuming does not take it away."""
    person, console = world.a_person(), world.at_the_console()
    key, page = f"person:{person.row.id}", f"/staff/accounts/{person.row.id}"
    with time_machine.travel(world.now() - timedelta(days=8), tick=True):
        world.a_totp(key)
    locked(world, key)
    shown = console.open(f"{page}/resume")
    assert "原来的密码会继续有效" in shown.text
    assert BUTTON in shown.text
    assert NEW not in shown.text
    world.a_totp(key)
    shown = console.open(f"{page}/resume")
    assert shown.html.count(f"{NEW}</strong>") == 1
    assert "建议先移除" in shown.text
    assert f"{page}/reset-factors" in shown.html
    assert "移除后仍然锁定" in console.open(f"{page}/reset-factors").text
    assert "已锁定" in send(console, {"reason": REASON}).text
    shown = console.open(f"{page}/resume")
    assert BUTTON not in shown.text
    assert "正常" in send(console, {"reason": REASON}).text
    assert kinds(world, key) == frozenset()


def test_a_company_and_a_mandate_lose_their_own_factors_and_nobody_elses(world: World) -> None:
    operator, console = world.an_operator(), world.at_the_console()
    company = operator.company.row
    assert company.account
    keys = [
        f"legal:{company.account.id}",
        f"mandate:{operator.mandate.id}",
        f"person:{operator.person.row.id}",
    ]
    page = f"/staff/companies/{company.id}"
    mandate = f"{page}/mandates/{operator.mandate.id}/reset-factors"
    assert mandate not in console.open(page).html
    for key in keys:
        world.a_totp(key)
    shown = console.open(page).html
    for address in (mandate, f"{page}/reset-factors"):
        assert f'href="{address}"' in shown
    with_reason(console, mandate)
    assert [bool(kinds(world, key)) for key in keys] == [True, False, True]
    assert "已全部移除" in with_reason(console, f"{page}/reset-factors").text
    assert [bool(kinds(world, key)) for key in keys] == [False, False, True]
    locked(world, keys[1])
    world.a_totp(keys[1])
    shown = console.open(f"{page}/mandates/{operator.mandate.id}/unlock").html
    assert NEW in shown
    assert mandate in shown


def test_what_is_gravest_asks_for_a_fresh_proof(world: World) -> None:
    """A console left open is not enough to see whole values, to take factors away, for keys and secrets."""
    operator, console = world.an_operator(), world.at_the_console()
    person, company, client = operator.person.row, operator.company.row, world.a_client()
    world.a_totp(f"person:{person.id}")
    kid = world.platform.keys.signing["ES256"].kid
    addresses = (
        f"/staff/accounts/{person.id}/view",
        f"/staff/accounts/{person.id}/reset-factors",
        f"/staff/companies/{company.id}/view",
        f"/staff/companies/{company.id}/reset-factors",
        f"/staff/companies/{company.id}/mandates/{operator.mandate.id}/reset-factors",
        "/staff/keys/rotate?alg=ES256",
        f"/staff/keys/remove?kid={kid}",
        f"/staff/clients/secret?id={client.client_id}",
    )
    with later(seconds=601):
        assert [address for address in addresses if not asks_again(console, address)] == []
        assert console.open(f"/staff/accounts/{person.id}/suspend").status == 200
    assert kinds(world, f"person:{person.id}")
    done = (Action.DATA_VIEWED, Action.FACTOR_REMOVED, Action.CLIENT_SECRET_ROTATED)
    assert trail(world, *done) == []
