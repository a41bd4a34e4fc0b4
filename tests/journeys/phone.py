"""A phone: the app in a Chromium whose camera looks at a picture, and the person who holds it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qrcode
import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext

from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo

PIN = "730518"
WIDTH, HEIGHT = 360, 780
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
_FRAME = (1280, 720)
_WALL = "#808080"


class Camera:
    """What the cameras of a Chromium see: one picture, in a file that it reads whenever it opens a camera."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.looks_away()

    @property
    def arguments(self) -> list[str]:
        """How Chromium is told."""
        return [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={self.path}",
        ]

    def looks_away(self) -> None:
        """Point it at a grey wall."""
        Image.new("RGB", _FRAME, _WALL).save(self.path, "JPEG")

    def looks_at(self, picture: bytes) -> None:
        """Point it at a picture (PNG): the whole of it is seen, on a grey wall."""
        seen = Image.open(io.BytesIO(picture)).convert("RGB")
        seen.thumbnail(_FRAME)
        wall = Image.new("RGB", _FRAME, _WALL)
        wall.paste(seen, ((_FRAME[0] - seen.width) // 2, (_FRAME[1] - seen.height) // 2))
        wall.save(self.path, "JPEG", quality=92)


@dataclass
class Phone(Person):
    """Somebody with a phone; `app` is the address of the app."""

    app: str = ""
    camera: Camera | None = None

    @classmethod
    def on(cls, context: BrowserContext, demo: RunningDemo, camera: Camera) -> Phone:
        """A phone that nobody has signed in on."""
        phone = cls.at(context, demo.issuer)
        phone.app, phone.camera = demo.url("phone"), camera
        return phone

    def tap(self, name: str) -> None:
        """Press a button of the app; nothing is loaded anew by it."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def heading(self, name: str) -> None:
        """Wait until the page with this heading is there."""
        self.page.get_by_role("heading", name=name, level=1, exact=True).wait_for()

    def signs_in(self, person: dict[str, Any]) -> None:
        """Sign in to the app as a person of the demo, and set the PIN where it is the first time (B24)."""
        self.open(f"{self.app}/")
        self.tap("登录")
        self.page.wait_for_url(f"{self.issuer}/login**")
        self.sign_in("个人登录", account=person["account"], password=person["password"])
        self.page.locator("h1:is(.tx-hello h1, .tx-app__bar h1)").wait_for()
        if self.page.get_by_role("heading", name="首次使用").count():
            self._sets_pin()

    def _sets_pin(self) -> None:
        self.page.get_by_role("checkbox").check()
        self.tap("下一步，设置口令")
        self.fill(pin=PIN, repeated=PIN)
        self.tap("完成，进入首页")
        self.page.locator(".tx-hello h1").wait_for()

    def scans(self, picture: bytes, *, path: str = "/scan") -> None:
        """Point the camera at a picture with 扫一扫 open, at `path` that of another app."""
        assert self.camera is not None
        self.camera.looks_at(picture)
        self.open(f"{self.app}{path}")

    def answers(self, *, identity: str, number: str, pin: str = PIN) -> None:
        """Choose on the confirm page, type the PIN unless it is empty, and confirm."""
        self.page.get_by_label(identity).check()
        self.page.get_by_label(number, exact=True).check()
        if pin:
            self.fill(pin=pin)
        self.tap("确认登录")


def read_code(picture: bytes) -> str:
    """What the one QR code in a picture says."""
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return str(code.text)


def a_code(text: str) -> bytes:
    """The picture of a QR code, as anybody can make one."""
    return _as_png(qrcode.make(text).get_image().convert("RGB"))


def _as_png(image: Image.Image) -> bytes:
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()
