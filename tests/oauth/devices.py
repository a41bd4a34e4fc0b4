"""A device without a browser: it asks for codes, shows one, and polls with the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from idp.access.clients import Client, announce_change
from idp.access.profiles import DEVICE_GRANT
from tests.oauth.keyholders import ADpopKey
from tests.world import ISSUER, AClient, Browser, Page, World

ALLOWED = "已允许设备登录"
ASKS = "允许这台设备以您的身份登录吗"


def a_device_client(world: World, **given: Any) -> AClient:
    """A relying party whose devices sign people in."""
    fields: dict[str, Any] = {
        "name": "自助终端",
        "redirect_uris": (),
        "grant_types": (DEVICE_GRANT, "refresh_token"),
    }
    return world.a_client(**{**fields, **given})


@dataclass
class ADevice:
    """One device of a client."""

    world: World
    client: AClient
    dpop: ADpopKey | None = None
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def user_code(self) -> str:
        """What it shows."""
        return str(self.told["user_code"])

    def asks(self, scope: str = "openid profile", **more: Any) -> TestResponse:
        """Ask for codes."""
        answer = self.post("/oauth/device", {"scope": scope, **more})
        self.told = answer.get_json()
        return answer

    def polls(self, **more: Any) -> TestResponse:
        """Ask whether somebody has answered."""
        values = {"grant_type": DEVICE_GRANT, "device_code": self.told["device_code"], **more}
        return self.post("/oauth/token", values)

    def post(self, path: str, values: dict[str, Any]) -> TestResponse:
        """A call as this client; once more when a DPoP nonce is asked for."""
        answer = self._post(path, values, None)
        nonce = answer.headers.get("DPoP-Nonce")
        return self._post(path, values, nonce) if nonce and answer.status_code >= 400 else answer

    def _post(self, path: str, values: dict[str, Any], nonce: str | None) -> TestResponse:
        headers = dict(self.client.basic) if self.client.secret else {}
        if not self.client.secret:
            values = {"client_id": self.client.client_id, **values}
        if self.dpop:
            headers["DPoP"] = self.dpop.proof("POST", ISSUER + path, nonce=nonce)
        caller = self.world.app.test_client(use_cookies=False)
        return caller.post(path, base_url=ISSUER, data=values, headers=headers)


def a_device(world: World, scope: str = "openid profile", **given: Any) -> ADevice:
    """A device that shows a code."""
    device = ADevice(world, a_device_client(world, **given))
    assert device.asks(scope).status_code == 200, device.told
    return device


def type_code(browser: Browser, typed: str) -> Page:
    """Type a code at /device."""
    browser.open("/device")
    return browser.submit({"user_code": typed})


def allow(browser: Browser, device: ADevice) -> None:
    """Type what the device shows, signed in already, and allow it."""
    page = type_code(browser, device.user_code)
    assert ASKS in page.text, page.text
    assert ALLOWED in browser.submit({"decision": "allow"}).text


def changed(world: World, client: AClient, **fields: Any) -> None:
    """Change a registration, and tell the processes."""
    with world.write() as db:
        row = db.get_one(Client, client.client_id)
        for name, value in fields.items():
            setattr(row, name, value)
    announce_change(world.backends.store)
