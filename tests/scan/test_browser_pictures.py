"""The code as a picture: read by a reader though a mark lies on it, the same for whoever asks (A24)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from idp.crypto import new_token
from idp.proof import totp
from idp.web.qr_picture import svg
from tests.scan.phones import ANDROID
from tests.scan.waiting_pages import shown_address, with_an_app
from tests.world import World

LONG = "https://tongyi-shenfen-renzheng.example.gov.cn/q/"
MODULE = 6
QR = zxingcpp.barcode_formats_from_str("QRCode")


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world, app_android_url="https://store.example/android") as there:
        yield there


def seen(drawn: str, *, covered: float = 0.0) -> list[str]:
    """What a reader makes of the picture, with a white square on the given share of its width."""
    size = int(re.findall(r'viewBox="0 0 (\d+)', drawn)[0]) * MODULE
    picture = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(picture)
    for left, top, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", drawn):
        x, y = int(left) * MODULE, int(top) * MODULE
        pen.rectangle((x, y, x + int(length) * MODULE - 1, y + MODULE - 1), fill=0)
    middle, half = size / 2, size * covered / 2
    pen.rectangle((middle - half, middle - half, middle + half, middle + half), fill=255)
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=QR)]


def test_every_code_is_read_with_the_mark_on_it() -> None:
    for issuer in (shown_address(""), LONG):
        for _ in range(10):
            text = issuer + new_token(16)
            assert seen(svg(text, is_marked=True), covered=40 / 188) == [text]


def test_the_picture_of_a_secret_is_one_svg_element_that_an_authenticator_reads() -> None:
    address = totp.address("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", account="<script>林小满", site="通行")
    drawn = svg(address)
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - drawn by us
    assert "script" not in drawn
    assert "style=" not in drawn
    assert seen(drawn) == [address]


def test_the_picture_is_of_the_address_alone(offering: World) -> None:
    ticket = new_token(16)
    first = offering.browser().open(f"/scan/qr/{ticket}.svg")
    assert first.response.content_type == "image/svg+xml"
    assert first.response.headers["Cache-Control"] == "private, max-age=300, immutable"
    assert seen(first.html) == [shown_address(ticket)]
    assert offering.browser().open(f"/scan/qr/{ticket}.svg").html == first.html


@pytest.mark.parametrize("odd", ["x", "A" * 23, "A" * 21 + "%3C", "A" * 21 + ".", "A" * 5000])
def test_what_is_no_ticket_has_no_picture(offering: World, odd: str) -> None:
    assert offering.browser().open(f"/scan/qr/{odd}.svg").status in {404, 414}


def test_the_app_is_offered_for_each_kind_of_phone(offering: World) -> None:
    browser = offering.browser()
    page = browser.open("/app")
    for name, phone, address in (
        ("安卓手机", "android", "https://store.example/android"),
        ("iPhone", "iphone", "http://localhost:8004"),
    ):
        assert name in page.text
        assert f'href="{address}"' in page.html
        assert seen(offering.browser().open(f"/app/{phone}.svg").html) == [address]
    assert browser.open("/app/windows.svg").status == 404


def test_a_phone_is_told_to_press_a_link_and_not_to_photograph_itself(offering: World) -> None:
    on_a_computer, on_a_phone = offering.browser(), offering.browser(user_agent=ANDROID)
    assert "用手机相机扫描上面的二维码" in on_a_computer.open("/app").text
    page = on_a_phone.open("/app")
    assert "点上面与您手机相符的按钮" in page.text
    assert "用手机相机扫描" not in page.html
    assert 'href="https://store.example/android"' in page.html


def test_where_there_is_no_app_no_page_offers_one(world: World) -> None:
    assert world.browser().open("/app").status == 404
    assert world.browser().open("/app/android.svg").status == 404
