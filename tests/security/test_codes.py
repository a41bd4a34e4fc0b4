"""New recovery codes are seen until they are saved, by the one they were made for alone (MISSION Y)."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import delete

from idp.accounts.factors import RecoveryCode
from idp.web.render import day
from tests.security.acting import ROOM, adds_passkey, adds_totp, codes_on, signed_in
from tests.world import World

CODES = f"{ROOM}/recovery-codes/new"
FILE = f"{ROOM}/recovery-codes/new.txt"


def test_larger_letters_on_the_page_of_the_codes_keep_the_codes(world: World) -> None:
    _, browser = signed_in(world)
    _, page = adds_totp(world, browser)
    codes = codes_on(page)
    assert len(codes) == 10
    assert "验证器 App 已添加" in page.text
    size = next(number for number in range(page.form_count) if page.form(number)["action"] == "/large-text")
    page = browser.submit({"large": "1"}, number=size)
    assert "tx-large" in page.html
    assert codes_on(page) == codes
    assert codes_on(browser.open(page.url)) == codes
    assert browser.submit(number=1).url == f"{ROOM}?done=codes-saved"
    page = browser.open(CODES)
    assert page.url == f"{ROOM}?done=codes-gone"
    assert "请重新生成" in page.text
    assert not any(code in page.html for code in codes)


def test_nobody_sees_them_ten_minutes_later_elsewhere_or_in_another_sign_in(world: World) -> None:
    _, browser = signed_in(world)
    _, page = adds_totp(world, browser)
    codes = codes_on(page)
    _, other = signed_in(world, world.a_person())
    assert not codes_on(other.open(CODES))
    assert not codes_on(other.open(FILE))
    # The cookie of the sign-in alone is not the browser.
    thief = world.browser()
    thief.client.set_cookie("idp_session", browser.cookie("idp_session") or "")
    assert thief.open(ROOM, follow=False).status == 200
    page = thief.open(CODES)
    assert page.url.startswith(ROOM)
    assert not codes_on(page)
    assert codes_on(browser.open(CODES)) == codes
    with time_machine.travel(world.now() + timedelta(minutes=9, seconds=50)):
        assert codes_on(browser.open(CODES)) == codes
    with time_machine.travel(world.now() + timedelta(minutes=10, seconds=1)):
        assert not codes_on(browser.open(CODES, follow=False))


def test_a_file_of_them_is_for_printing(world: World) -> None:
    person, browser = signed_in(world)
    page = adds_passkey(browser)
    codes = codes_on(page)
    assert f'href="{FILE}"' in page.html
    assert "打印" in page.text
    file = browser.open(FILE)
    assert file.response.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert file.response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert file.response.headers["Cache-Control"] == "no-store"
    lines = file.html.split("\r\n")
    assert [line for line in lines if line in codes] == codes
    assert f"账号：{person.account}" in lines
    assert f"网址：{world.settings.issuer}" in lines
    assert person.phone not in file.html


def test_only_codes_that_still_count_are_seen(world: World) -> None:
    _, browser = signed_in(world)
    old = codes_on(adds_totp(world, browser)[1])
    browser.open(f"{ROOM}/recovery-codes")
    page = browser.submit(number=1)
    assert "新的恢复码已生成，原有的已失效" in page.text
    assert len(codes_on(page)) == 10
    assert not set(codes_on(page)) & set(old)
    with world.write() as db:
        db.execute(delete(RecoveryCode))
    assert browser.open(CODES, follow=False).location == f"{ROOM}?done=codes-gone"


def test_a_printed_sheet_says_whose_codes_it_holds_and_since_when(world: World) -> None:
    """MISSION Y: the names as the page masks them; they are found among other papers again."""
    _, browser = signed_in(world)
    page = adds_passkey(browser)
    sheet = page.html.partition('class="tx-only-print"')[2].partition("</div>")[0]
    assert f"{world.settings.site_name}，第二步验证的恢复码" in sheet
    assert "账号：个人，林*满" in sheet
    assert day(world.now()) in sheet
