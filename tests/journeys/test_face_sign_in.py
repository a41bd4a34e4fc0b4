"""刷脸登录 in a real browser: with a script and without, and how its pages look to everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo


@pytest.fixture
def chuyun(running_demo: RunningDemo) -> dict[str, Any]:
    """A person who acts for nobody but himself."""
    people: list[dict[str, Any]] = running_demo.manifest["accounts"]["person"]
    return next(person for person in people if person["account"] == "chuyun")


def asks(somebody: Person, person: dict[str, Any]) -> None:
    """From the login page to the page that waits for a face."""
    somebody.open(f"{somebody.issuer}/login/person")
    somebody.press("刷脸登录")
    somebody.fill(name=person["name"], id_number=person["id_number"])
    somebody.page.check("[name=agreed]")
    somebody.solve_captcha()
    somebody.press("去刷脸")


@pytest.mark.journey
def test_a_face_is_shown_in_the_browser_in_hand_and_every_page_fits_and_is_accessible(
    somebody: Callable[..., Person], chuyun: dict[str, Any]
) -> None:
    person = somebody(at_every_width=True, script=True)
    asks(person, chuyun)
    person.looks_over()
    person.press("在本机刷脸")
    assert "被核验人：褚*" in person.reads()
    person.looks_over()
    person.press("不是本人")
    assert "人脸核验没有通过" in person.reads()
    person.looks_over()
    person.press("重新刷脸")
    person.press("去刷脸")
    assert "请填写姓名" in person.reads()
    person.looks_over()
    asks(person, chuyun)
    person.press("在本机刷脸")
    person.press("通过")
    assert "人脸核验已通过" in person.reads()
    person.looks_over()
    person.press("继续登录")
    assert person.page.url.startswith(f"{person.issuer}/center/person")


@pytest.mark.journey
def test_without_a_script_the_buttons_do_the_same(
    somebody: Callable[..., Person], chuyun: dict[str, Any]
) -> None:
    person = somebody(width=360)
    asks(person, chuyun)
    person.press("我已扫码，继续")
    assert "还没有收到人脸核验的结果" in person.reads()
    person.press("在本机刷脸")
    person.press("通过")
    person.press("继续登录")
    assert person.page.url.startswith(f"{person.issuer}/center/person")
