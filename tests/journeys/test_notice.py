"""Somebody else signs in: an SMS comes, its link says so, and 不是我 throws the stranger out (MISSION Y)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.journeys.chrome import Person, read_json
from tests.running_demo import RunningDemo, wait_for

PASSWORD = "Kite-flying 42"
AT_HOME = "/center/person"


def somebody_new(demo: RunningDemo) -> dict[str, str]:
    """A person of this test alone: nobody else's account is locked by it."""
    names = {"account": "notice_1", "phone": "13911110001"}
    arguments = [part for name, value in names.items() for part in (f"--{name}", value)]
    demo.idp("person", "add", *arguments, "--name", "唐小禾", "--password", "-", stdin=PASSWORD)
    return names


def sms_to(demo: RunningDemo, phone: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_json(f"{demo.issuer}/demo/outbox.json?phone={phone}")
    return found


def test_a_stranger_is_thrown_out_by_the_owner_of_the_phone(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    names = somebody_new(running_demo)
    owner, stranger, phone = somebody(), somebody(), somebody(at_every_width=True, script=True)
    for person in (owner, stranger):
        person.open(f"{person.issuer}/login/person")
        person.sign_in("个人登录", account=names["account"], password=PASSWORD)
        assert AT_HOME in person.page.url
    (told,) = wait_for(lambda: sms_to(running_demo, names["phone"]), 20)
    assert told["purpose"] == "new_browser"
    phone.open(told["text"].split("请打开 ")[1].split(" ")[0])
    assert "您的账号刚在新的浏览器登录" in phone.reads()
    phone.looks_over()
    stranger.open(f"{stranger.issuer}{AT_HOME}")
    assert AT_HOME in stranger.page.url, "looking changes nothing"
    phone.press("不是我，暂停账号")
    assert "已为您暂停账号" in phone.reads()
    phone.looks_over()
    for person in (owner, stranger):
        person.open(f"{person.issuer}{AT_HOME}")
        assert "/login" in person.page.url
    assert sms_to(running_demo, names["phone"])[0]["purpose"] == "locked"
    assert running_demo.idp("account", "resume", names["account"])["locked_at"] is None
    owner.open(f"{owner.issuer}/login/person")
    owner.sign_in("个人登录", account=names["account"], password=PASSWORD)
    assert AT_HOME in owner.page.url
