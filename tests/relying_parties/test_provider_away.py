"""A provider that is not up yet, goes away, or changes its keys: the portal says so and goes on."""

import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine

from relying_parties.social_insurance.app import create_app
from tests.relying_parties.browser import Browser, an_operator, settings_for
from tests.relying_parties.stand_in import StandIn

DISCOVERY = "/.well-known/openid-configuration"


def test_a_portal_starts_before_its_provider_and_says_that_it_waits(
    provider: StandIn, http: httpx2.Client, tmp_path: Path
) -> None:
    app = create_app(settings_for("http://127.0.0.1:1", tmp_path))
    browser = Browser(app, provider, http)
    assert browser.get("/").status_code == 200
    answer = browser.get("/login?next=/record")
    assert answer.status_code == 503
    assert "统一认证平台暂时无法连接" in answer.text
    assert 'href="/login?next=/record">重试' in answer.text
    assert answer.headers["Retry-After"]
    app.extensions["portal"].close()


def test_retrying_works_as_soon_as_the_provider_is_there(browser: Browser, provider: StandIn) -> None:
    provider.faults.status = {DISCOVERY: 503}
    assert browser.get("/login").status_code == 503
    provider.faults.status = {}
    browser.sign_in(an_operator())
    assert browser.is_signed_in()


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 7},
    ],
    ids=str,
)
def test_discovery_must_be_the_providers_own_and_whole(
    browser: Browser, provider: StandIn, metadata: dict[str, Any]
) -> None:
    provider.faults.metadata = metadata
    assert browser.get("/login").status_code == 503


@pytest.mark.parametrize("path", ["/token", "/keys", "/userinfo"])
@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_provider_that_fails_half_way_is_a_page_to_try_again(
    browser: Browser, provider: StandIn, path: str, status: int
) -> None:
    provider.faults.status = {path: status}
    answer = browser.sign_in(an_operator())
    assert answer.status_code == 503
    assert "重试" in answer.text
    assert not browser.is_signed_in()


@pytest.mark.parametrize("keys", ["none", {"kid": "rsa-1"}, 7], ids=str)
def test_keys_that_are_no_list_are_no_keys(browser: Browser, provider: StandIn, keys: object) -> None:
    provider.faults.keys = keys
    assert browser.sign_in(an_operator()).status_code == 503


def test_discovery_and_keys_are_read_once_for_many_sign_ins(browser: Browser, provider: StandIn) -> None:
    for _ in range(3):
        browser.sign_in(an_operator())
    assert provider.asked.count(DISCOVERY) == 1
    assert provider.asked.count("/keys") == 1


def test_what_is_known_serves_on_while_discovery_fails(browser: Browser, provider: StandIn) -> None:
    browser.sign_in(an_operator())
    provider.faults.status = {DISCOVERY: 500, "/keys": 500}
    with time_machine.travel(time.time() + 2 * 3600):
        browser.sign_in(an_operator())
        assert browser.is_signed_in()


def test_an_unknown_key_makes_the_keys_be_read_again_once_a_minute(
    browser: Browser, provider: StandIn
) -> None:
    start = time.time()
    with time_machine.travel(start):
        browser.sign_in(an_operator())
    provider.faults.header = {"kid": "unknown"}
    for seconds, reads in ((30, 1), (61, 2), (90, 2), (122, 3)):
        with time_machine.travel(start + seconds):
            browser.sign_in(an_operator())
        assert provider.asked.count("/keys") == reads


def test_a_key_published_later_is_found(browser: Browser, provider: StandIn) -> None:
    start = time.time()
    provider.faults.keys = [dict(provider.rsa.as_dict(private=False))]
    with time_machine.travel(start):
        browser.sign_in(an_operator())
        browser.sign_out()
    provider.faults.keys, provider.alg = None, "ES256"
    with time_machine.travel(start + 120):
        browser.sign_in(an_operator())
        assert browser.is_signed_in()


def test_a_key_taken_back_is_forgotten_in_ten_minutes(browser: Browser, provider: StandIn) -> None:
    start = time.time()
    with time_machine.travel(start):
        browser.sign_in(an_operator())
        browser.sign_out()
    provider.faults.keys = [dict(provider.ec.as_dict(private=False))]
    with time_machine.travel(start + 601):
        browser.sign_in(an_operator())
        assert not browser.is_signed_in()
