"""A person signs a device in that shows a code, in a browser of his own (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from idp.access.profiles import DEVICE_GRANT
from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo


@pytest.fixture(scope="session")
def terminal(running_demo: RunningDemo) -> str:
    """The client id of a kind of devices."""
    scope = "openid profile phone entity"
    options = ("--auth-method", "none", "--grant", DEVICE_GRANT, "--scope", scope, "--first-party")
    made = running_demo.idp("client", "add", "--name", "示例自助服务一体机", *options)
    client_id: str = made["client_id"]
    return client_id


def asks(running_demo: RunningDemo, client_id: str) -> dict[str, Any]:
    """What the device is told."""
    form = {"client_id": client_id, "scope": "openid profile phone entity"}
    answer = httpx2.post(f"{running_demo.issuer}/oauth/device", data=form, trust_env=False)
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def polls(running_demo: RunningDemo, client_id: str, told: dict[str, Any]) -> dict[str, Any]:
    """What the device hears."""
    form = {"client_id": client_id, "grant_type": DEVICE_GRANT, "device_code": told["device_code"]}
    answer: dict[str, Any] = httpx2.post(
        f"{running_demo.issuer}/oauth/token", data=form, trust_env=False
    ).json()
    return answer


def signs_in(person: Person, operator: dict[str, Any]) -> None:
    """The operator's way in."""
    person.sign_in(
        "经办人登录",
        enterprise=operator["uscc"],
        account=operator["phone"],
        password=operator["password"],
    )


def test_every_page_of_a_devices_sign_in_fits_and_is_accessible(
    somebody: Callable[..., Person], running_demo: RunningDemo, terminal: str
) -> None:
    told, operator = asks(running_demo, terminal), running_demo.account("operator")
    person = somebody(at_every_width=True, script=True)
    person.open(told["verification_uri"])
    person.looks_over()
    person.fill(user_code="BCDF-GHJK")
    person.press("继续")
    assert "没有设备在等待这个代码" in person.reads()
    person.looks_over()
    person.open(told["verification_uri_complete"])
    person.looks_over()
    person.press("代码一致，继续")
    assert "示例自助服务一体机" in person.reads()
    signs_in(person, operator)
    assert person.page.url.startswith(f"{person.issuer}/device/confirm")
    assert operator["enterprise_name"] in person.reads()
    person.looks_over()
    person.press("允许")
    assert "已允许设备登录" in person.reads()
    person.looks_over()
    assert "access_token" in polls(running_demo, terminal, told)
    person.open(f"{person.issuer}/device/denied")
    person.looks_over()
    person.page.go_back()
    person.page.go_back()
    assert "这个代码已经失效" in person.reads()
    person.looks_over()


def test_refusing_leaves_the_device_with_nothing(
    somebody: Callable[..., Person], running_demo: RunningDemo, terminal: str
) -> None:
    told, person = asks(running_demo, terminal), somebody()
    person.open(told["verification_uri"])
    person.fill(user_code=told["user_code"].lower().replace("-", " "))
    person.press("继续")
    signs_in(person, running_demo.account("operator"))
    person.press("不允许")
    assert "没有允许设备登录" in person.reads()
    assert polls(running_demo, terminal, told)["error"] == "access_denied"
