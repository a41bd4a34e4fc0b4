"""修改密码 and the sheet of recovery codes, as a browser shows and prints them (F11, H04, MISSION Y)."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo

ROOM = "/center/person/security"


def signs_in(person: Person, running_demo: RunningDemo, case: str) -> None:
    account = running_demo.account("person", case)
    person.open(f"{person.issuer}/login/person")
    person.sign_in("个人登录", account=account["account"], password=account["password"])


def test_the_page_of_a_new_password_says_what_is_wrong(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    person = somebody(at_every_width=True, script=True)
    signs_in(person, running_demo, "several")
    person.open(f"{person.issuer}{ROOM}")
    person.looks_over()
    person.page.locator(f"main a[href='{ROOM}/password']").first.click()
    person.page.wait_for_url("**/password")
    person.looks_over()
    person.fill(old_password="Not-this-one 7", new_password="Paper-lantern 77", confirm_password="x")
    person.press("确定")
    assert "两次填写的新密码不一样" in person.reads()
    person.looks_over()
    person.press("取消")
    assert person.page.url.endswith(ROOM)
