"""Scan to log in, as people live it: a computer shows a code, a phone reads it and confirms.

MISSION A04, A11, A16; SECURITY 39 to 50. What needs a clock, or two callers at one moment, is proved in
tests/scan.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload

from tests.journeys.chrome import WIDTHS, Person
from tests.journeys.phone import Phone, a_code, read_code
from tests.running_demo import RunningDemo

COMPANY = "松原示例科技有限公司"
OPERATOR = "qianwb"
OF_SEVERAL, ONE_OF_SEVERAL = "lisy", "江畔示例餐饮店"
REPRESENTATIVE, OF_REPRESENTATIVE = "zhenghai", "长白示例贸易有限公司"


def number_on(computer: Person) -> str:
    """The number that the computer shows once its code was scanned."""
    shown = computer.page.locator("[data-scan-number]")
    shown.wait_for()
    return shown.inner_text().strip()


def asks(phone: Phone) -> None:
    """Wait for the confirm page."""
    phone.heading("确认登录")


def test_an_operator_scans_and_the_computer_is_signed_in_as_him(
    computer: Person, phone_of: Callable[[str], Phone], running_demo: RunningDemo, portal: str
) -> None:
    phone, picture = phone_of(OPERATOR), computer.page.screenshot()
    assert read_code(picture).startswith(f"{running_demo.issuer}/q/")
    phone.scans(picture)
    asks(phone)
    asked = phone.reads()
    for expected in ("单位网厅", "Chrome", "今天", "不是您本人在登录"):
        assert expected in asked
    assert not phone.page.locator("[name=number]:checked").count()
    phone.looks_over()
    phone.answers(identity=COMPANY, number=number_on(computer))
    phone.heading("已确认登录")
    assert f"{COMPANY}（经办人）" in phone.reads()
    phone.looks_over()
    phone.page.reload()
    phone.page.locator(".tx-hello h1").wait_for()
    newest = phone.page.locator(".tx-recent li").first.inner_text()
    assert "经办人" in newest
    assert not re.search("[A-Za-z]", newest), "everything is said in Chinese"
    computer.page.wait_for_url(f"{portal}/**")
    shown = computer.reads()
    for expected in (COMPANY, "钱文博", "经办人"):
        assert expected in shown


def test_what_the_phone_refuses_the_computer_is_told(
    computer: Person, phone_of: Callable[[str], Phone]
) -> None:
    phone = phone_of(OPERATOR)
    phone.scans(computer.page.screenshot())
    asks(phone)
    phone.tap("拒绝")
    phone.heading("已拒绝")
    phone.looks_over()
    computer.page.get_by_role("heading", name="您在手机上拒绝了").wait_for()
    assert computer.page.url.startswith(f"{computer.issuer}/login/qr")


def test_closing_the_page_refuses_as_it_says(computer: Person, phone_of: Callable[[str], Phone]) -> None:
    phone = phone_of(OPERATOR)
    phone.scans(computer.page.screenshot())
    asks(phone)
    phone.tap("关闭，不登录")
    phone.heading("已拒绝")
    assert "电脑上的页面已同步提示" in phone.reads()
    computer.page.get_by_role("heading", name="您在手机上拒绝了").wait_for()


def test_with_large_letters_both_answers_are_the_same_width_and_hide_nothing(
    computer: Person, phone_of: Callable[[str], Phone]
) -> None:
    phone = phone_of(OPERATOR)
    phone.open(f"{phone.app}/me")
    phone.page.get_by_role("switch", name="大字版").click()
    try:
        phone.scans(computer.page.screenshot())
        asks(phone)
        phone.looks_over()
        widths = phone.page.evaluate(
            "[...document.querySelectorAll('.tx-app__act > .govuk-button')].map((each) => each.offsetWidth)"
        )
        assert len(widths) == 2
        assert widths[0] == widths[1]
        placed = "getComputedStyle(document.querySelector('.tx-app__act')).position"
        assert phone.page.evaluate(placed) == "static"
    finally:
        phone.open(f"{phone.app}/me")
        phone.page.get_by_role("switch", name="大字版").click()


def test_where_the_browser_is_a_phones_no_computer_is_spoken_of(
    new_phone: Callable[..., Phone], phone_of: Callable[[str], Phone], portal: str
) -> None:
    web, phone = new_phone(), phone_of(OPERATOR)
    web.open(portal)
    web.press("单位登录")
    web.press("去登录")
    opened = web.page.locator("[data-scan-open]").get_attribute("href")
    assert opened
    phone.open(opened)
    phone.tap("打开")
    asks(phone)
    assert "登录网页上显示的数字是（请切换回刚才的网页查看）" in phone.reads()
    assert "电脑" not in phone.reads()
    phone.looks_over()
    phone.answers(identity=COMPANY, number=number_on(web))
    phone.heading("已确认登录")
    assert "请回到刚才的网页" in phone.reads()
    assert "电脑" not in phone.reads()
    web.page.wait_for_url(f"{portal}/**")
    web.page.context.close()


def test_a_wrong_number_ends_it_on_both_screens(computer: Person, phone_of: Callable[[str], Phone]) -> None:
    phone = phone_of(OPERATOR)
    phone.scans(computer.page.screenshot())
    asks(phone)
    right = number_on(computer)
    offered = [tile.inner_text() for tile in phone.page.locator(".tx-nums label").all()]
    assert right in offered
    phone.answers(identity=COMPANY, number=next(number for number in offered if number != right))
    phone.heading("登录已取消")
    phone.looks_over()
    computer.page.get_by_role("heading", name="数字不一致，没有登录").wait_for()
    phone.page.reload()
    phone.page.locator(".tx-hello h1").wait_for()
    phone.open(f"{phone.app}/recent")
    phone.page.get_by_text("数字选错").first.wait_for()
    assert not re.search("[A-Za-z]", phone.page.locator("main").inner_text()), "everything is said in Chinese"


def test_a_second_phone_cannot_take_a_code_that_was_scanned(
    computer: Person, phone_of: Callable[[str], Phone], portal: str
) -> None:
    first, second, picture = phone_of(OPERATOR), phone_of(OF_SEVERAL), computer.page.screenshot()
    first.scans(picture)
    asks(first)
    second.scans(picture)
    second.heading("二维码已被别的手机扫过")
    second.looks_over()
    first.answers(identity=COMPANY, number=number_on(computer))
    first.heading("已确认登录")
    computer.page.wait_for_url(f"{portal}/**")
    assert "钱文博" in computer.reads()


def test_nothing_is_confirmed_before_everything_is_answered(
    computer: Person, phone_of: Callable[[str], Phone]
) -> None:
    phone = phone_of(OF_SEVERAL)
    phone.scans(computer.page.screenshot())
    asks(phone)
    assert not phone.page.locator("input:checked").count()
    phone.tap("确认登录")
    for missing in ("请选择以哪个身份登录", "请选择电脑上显示的数字"):
        phone.page.get_by_text(missing).wait_for()
    phone.looks_over()
    assert number_on(computer)
    phone.tap("拒绝")
    phone.heading("已拒绝")


def test_a_page_loaded_anew_finds_back_to_the_request(
    computer: Person, phone_of: Callable[[str], Phone], portal: str
) -> None:
    phone = phone_of(OPERATOR)
    phone.scans(computer.page.screenshot())
    asks(phone)
    phone.page.reload()
    phone.heading("是否打开登录请求")
    phone.looks_over()
    phone.tap("打开")
    asks(phone)
    phone.answers(identity=COMPANY, number=number_on(computer))
    computer.page.wait_for_url(f"{portal}/**")


@pytest.mark.parametrize("way", ["picture", "text"])
def test_there_is_a_way_round_the_camera(
    computer: Person, phone_of: Callable[[str], Phone], way: str
) -> None:
    phone, picture = phone_of(OPERATOR), computer.page.screenshot()
    phone.open(f"{phone.app}/scan")
    if way == "picture":
        chosen: FilePayload = {"name": "code.png", "mimeType": "image/png", "buffer": picture}
        phone.page.set_input_files("input[type=file]", chosen)
    else:
        phone.tap("输入二维码内容")
        phone.page.fill("[name=code]", read_code(picture))
        phone.tap("打开")
    asks(phone)
    phone.tap("拒绝")
    phone.heading("已拒绝")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_phone_without_a_camera_says_what_to_do(new_phone: Callable[..., Phone], width: int) -> None:
    phone = new_phone(width=width)
    phone.page.add_init_script("delete MediaDevices.prototype.getUserMedia")
    phone.open(f"{phone.app}/scan")
    phone.page.get_by_text("没有可用的相机").wait_for()
    phone.page.get_by_role("button", name="从相册选择").wait_for()
    phone.looks_over()
    phone.page.context.close()


def test_a_camera_that_was_refused_may_be_asked_for_again(
    computer: Person, phone_of: Callable[[str], Phone]
) -> None:
    phone = phone_of(OPERATOR)
    phone.open(f"{phone.app}/")
    phone.page.locator(".tx-hello h1").wait_for()
    phone.page.evaluate(
        """() => {
          const ask = MediaDevices.prototype.getUserMedia;
          const refuse = () => Promise.reject(new DOMException("no", "NotAllowedError"));
          MediaDevices.prototype.getUserMedia = refuse;
          window.allow = () => { MediaDevices.prototype.getUserMedia = ask; };
        }"""
    )
    phone.page.get_by_role("link", name="扫一扫").click()
    phone.page.get_by_text("没有使用相机的许可").wait_for()
    phone.looks_over()
    assert phone.camera is not None
    phone.camera.looks_at(computer.page.screenshot())
    phone.page.evaluate("window.allow()")
    phone.tap("重试")
    asks(phone)
    phone.tap("拒绝")
    phone.heading("已拒绝")


def test_no_code_of_anybody_else_is_opened(
    computer: Person, phone_of: Callable[[str], Phone], running_demo: RunningDemo
) -> None:
    phone = phone_of(OPERATOR)
    code = read_code(computer.page.screenshot())
    strange = [
        code.replace(running_demo.issuer, "https://idp.example"),
        code.replace("/q/", "@idp.example/q/"),
        f"{code}?next=https://idp.example",
        f"{code}/..",
        code[:-1],
        code.replace("/q/", "/Q/"),
        "javascript:alert(1)",
    ]
    phone.open(f"{phone.app}/scan")
    phone.tap("输入二维码内容")
    for each in strange:
        phone.page.fill("[name=code]", each)
        phone.tap("打开")
        phone.page.get_by_role("alert").get_by_text("这不是登录二维码").wait_for()
        phone.page.fill("[name=code]", "")
    phone.looks_over()
    phone.page.goto(f"{phone.app}/open?code={strange[0]}")
    phone.heading("这不是登录二维码")
    assert computer.page.locator("[data-scan-step=waiting]").is_visible()


def test_the_camera_says_once_that_a_code_is_not_ours(phone_of: Callable[[str], Phone]) -> None:
    phone = phone_of(OPERATOR)
    phone.scans(a_code("https://idp.example/q/AAAAAAAAAAAAAAAAAAAAAA"))
    phone.page.get_by_role("alert").get_by_text("这不是登录二维码").wait_for()
    assert phone.page.url == f"{phone.app}/scan"
    phone.looks_over()


def test_a_link_that_opens_a_request_asks_first(computer: Person, phone_of: Callable[[str], Phone]) -> None:
    phone = phone_of(OPERATOR)
    opened = computer.page.locator("[data-scan-open]").get_attribute("href")
    assert opened
    phone.open(opened)
    phone.heading("是否打开登录请求")
    phone.tap("不打开")
    phone.page.locator(".tx-hello h1").wait_for()
    assert computer.page.locator("[data-scan-step=waiting]").is_visible()


def test_whoever_is_not_signed_in_signs_in_first(computer: Person, new_phone: Callable[..., Phone]) -> None:
    phone = new_phone()
    phone.scans(computer.page.screenshot())
    phone.heading("登录吉事办")
    phone.looks_over()
    assert computer.page.locator("[data-scan-step=waiting]").is_visible()
    phone.page.context.close()
