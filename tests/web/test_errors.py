"""Errors are sentences with a way out, in Chinese, with a request id; never a trace (contract: Errors)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.dealing import dealt
from tests.entering import has_entered
from tests.web.test_guards import addresses
from tests.world import ISSUER, Browser, Page, World

A_NUMBER = re.compile(r"TX-\d{8}-\w{4}-\w{4}")

CAUSES: dict[str, tuple[int, str, Callable[[Browser], Page]]] = {
    "no such page": (404, "没有找到这个页面", lambda browser: browser.open("/no/such/页面")),
    "no such text": (404, "没有找到这个页面", lambda browser: browser.open("/pages/secrets")),
    "not opened so": (405, "这个地址不支持这样打开", lambda browser: browser.open("/sign-out")),
    "too much": (
        413,
        "提交的内容太大",
        lambda browser: browser.post("/login/person", {"account": "x" * 130_000}),
    ),
    "too long an address": (414, "地址太长", lambda browser: browser.open("/login?" + "x" * 16_001)),
    "a zero byte": (400, "请求没有被受理", lambda browser: browser.open("/login?tx=a%00b")),
    "an outdated form": (400, "页面已过期", lambda browser: browser.post("/login/person", {})),
    "a lost journey": (400, "登录没有完成", lambda browser: browser.open("/login?tx=nobody")),
}


def test_an_error_says_what_happened_with_a_way_out_and_a_number(world: World) -> None:
    for cause, (status, sentence, act) in CAUSES.items():
        page = act(world.browser())
        assert page.status == status, cause
        assert sentence in page.text, cause
        assert 'lang="zh-Hans"' in page.html
        (number,) = set(A_NUMBER.findall(page.html))
        assert page.response.headers["X-Request-Id"] == number
        assert re.search(r'href="/[^"]*"[^>]*>[^<]*(回到登录页|登录|重新打开)', page.html), cause
        assert page.response.headers["Cache-Control"] == "no-store"


def test_every_request_has_a_number_of_its_own(world: World) -> None:
    browser = world.browser()
    numbers = {browser.open("/nothing").response.headers["X-Request-Id"] for _ in range(50)}
    assert len(numbers) == 50


def test_what_nobody_foresaw_is_an_error_without_its_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_given: Any, **_more: Any) -> Any:
        raise RuntimeError("SELECT secret FROM somewhere")

    monkeypatch.setattr("argon2.PasswordHasher.verify", breaks)
    browser, person = world.browser(), world.a_person()
    page = browser.sign_in_person(person)
    assert page.status == 500
    assert "服务暂时出了问题" in page.text
    assert "SELECT" not in page.html
    assert "RuntimeError" not in page.html
    assert "idp_session" not in str(page.response.headers)


ODD = {
    "zero bytes": "tx=%00&x=%00",
    "no UTF-8": "tx=%ff%fe&page=%c3%28",
    "doubled": "tx=1&tx=2&client_id=a&client_id=b",
    "long": "tx=" + "x" * 9000,
    "many": "&".join(f"a{number}=1" for number in range(2000)),
    "brackets": "tx[]=1&tx[a]=2&=&&;%&%2",
    "markup": "tx=%3Cscript%3Ealert(1)%3C/script%3E&ticket=%27%22%3E",
    "surrogates": "tx=%ed%a0%80",
}


NOT_WALKED = {"/sign-out", "/login/identity"}  # they end the sign-in


def test_no_address_breaks_on_odd_parameters(world: World) -> None:
    browser = has_entered(world, world.a_person())
    token = browser.open("/center/person").form()["fields"]["csrf_token"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for number, (_endpoint, address) in enumerate(addresses(world, "GET")):
        for label, odd in dealt(world, [*ODD.items()], number):
            expect_no_fault(browser.open(f"{address}?{odd}", follow=False), label)
    for number, (_endpoint, address) in enumerate(addresses(world, "POST")):
        for label, odd in dealt(world, [*ODD.items()], number) if address not in NOT_WALKED else ():
            sent = browser.client.post(
                f"{address}?{odd}", base_url=ISSUER, data=f"{odd}&csrf_token={token}", headers=form
            )
            expect_no_fault(Page(sent, address), label)


def expect_no_fault(page: Page, label: str) -> None:
    """The answer blames the request, not the service, and shows nothing of either."""
    assert page.status < 500, (label, page.url)
    if page.response.mimetype != "text/html":
        return
    assert "Traceback" not in page.html
    assert "<script>" not in page.html
    assert page.status < 400 or "请求编号" in page.text, (label, page.url)


ODD_PARTS = ("%00", "%ff", "..%2f..%2fetc%2fpasswd", "x" * 5000, "%2e%2e", "con", "a%0d%0ab")


def test_no_address_breaks_on_odd_parts_of_its_path(world: World) -> None:
    browser = world.browser()
    for part in ODD_PARTS:
        for path in ("/pages/{}", "/captcha/{}.png", "/captcha/{}.wav", "/theme/{}", "/{}"):
            assert browser.open(path.format(part)).status == 404, (path, part)


def test_a_broken_cookie_is_no_cookie(world: World) -> None:
    person = world.a_person()
    for name in ("idp_session", "idp_browser", "idp_known", "idp_large"):
        for value in ("x", "e30.x.y", "\\377\\000", '{"a":1}', "." * 4000):
            browser = world.browser()
            browser.client.set_cookie(name, value)
            assert browser.open("/login/person").status == 200, (name, value)
        assert browser.sign_in_person(person).url == "/center/person", name


def test_a_session_cookie_that_no_token_looks_like_is_never_looked_up(world: World) -> None:
    browser = world.browser()
    browser.client.set_cookie("idp_session", "x' OR 'a'='a")
    assert browser.open("/center/person", follow=False).location.startswith("/login/person")


def test_a_journey_that_is_asked_with_methods_nobody_knows(world: World) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        answer = world.app.test_client().open("/login/person", method=method, base_url=ISSUER)
        assert answer.status_code == 405
        assert "请求编号" in answer.get_data(as_text=True)


def test_a_wrong_method_at_an_address_for_programs_is_answered_in_json(world: World) -> None:
    page = world.browser().open("/oauth/token")
    assert page.status == 405
    assert page.response.get_json()["error"] == "invalid_request"
