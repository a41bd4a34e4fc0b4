"""Every error has a number, and the number leads to how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from idp.web.refusals import catalogue, numbered
from idp.web.refusals.document import chapters, errors_page
from tests.portals import Authorization, get_with, post_as
from tests.web.test_outages import cut_off
from tests.world import ISSUER, World

ROOT = Path(__file__).resolve().parents[2]
GONE = "urn:ietf:params:oauth:request_uri:nothing"


def test_the_document_is_what_the_program_says() -> None:
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert page == errors_page(), "run `idp errors > docs/errors.md`"


def test_every_refusal_stands_in_a_chapter() -> None:
    assert [refusal for chapter in chapters() for refusal in chapter.refusals] == catalogue()


def test_a_number_is_never_given_twice() -> None:
    taken = catalogue()[0].number
    with pytest.raises(ValueError, match=str(taken)):
        numbered(taken, "invalid_request", "Something.", fix="", source="")


def test_an_error_at_the_redirect_address_leads_to_its_number(world: World) -> None:
    client = world.a_client()
    answer = world.browser().open(Authorization(client).address(code_challenge_method="plain"))
    assert answer.query["error_uri"] == f"{ISSUER}/help/errors#1111"


def test_an_error_of_the_token_endpoint_leads_to_its_number(world: World) -> None:
    client = world.a_client()
    for values, number in (
        ({"grant_type": "password"}, 2104),
        ({"grant_type": "authorization_code"}, 2103),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}, 2110),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 2201),
    ):
        told = post_as(world, client, "/oauth/token", values).get_json()
        assert told["error_uri"] == f"{ISSUER}/help/errors#{number}", told


def test_a_dead_access_token_leads_to_its_number(world: World) -> None:
    refused = get_with(world, "nonsense")
    assert refused.get_json()["error_uri"] in refused.headers["WWW-Authenticate"]


def test_what_is_refused_before_anything_is_read_leads_to_its_number(world: World) -> None:
    caller = world.app.test_client(use_cookies=False)
    cases: tuple[tuple[str, dict[str, Any], int, int], ...] = (
        ("/oauth/token", {"data": {"code": "a\0b"}}, 400, 9001),
        ("/oauth/par", {"method": "GET"}, 405, 9003),
        ("/oauth/token", {"data": {"code": "x" * 130_000}}, 413, 9004),
        ("/oauth/introspect?" + "x" * 16_001, {"data": {}}, 414, 9005),
        ("/oauth/token", {"base_url": "http://elsewhere.example"}, 421, 9006),
    )
    for address, more, status, number in cases:
        answer = caller.open(address, **{"method": "POST", "base_url": ISSUER, **more})
        told = answer.get_json()
        assert (answer.status_code, told["error"]) == (status, "invalid_request"), told
        assert told["error_uri"] == f"{ISSUER}/help/errors#{number}"
        assert answer.headers["X-Request-Id"] in told["error_description"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_outage_leads_to_its_number_too(world: World, tmp_path: Path) -> None:
    client = world.a_client()
    values = dict(parse_qsl(Authorization(client).address().partition("?")[2]))
    with cut_off(world, "store", tmp_path) as lame:
        answer = post_as(lame, client, "/oauth/par", values)
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert answer.get_json()["error_uri"] == f"{ISSUER}/help/errors#9008"


def test_a_form_of_another_site_too_long_for_an_address_is_a_page(world: World) -> None:
    browser = world.browser()
    for address in ("/oauth/authorize", "/oauth/logout"):
        assert browser.post(address, {"state": "x" * 15_000}, follow=False).status == 303
        page = browser.post(address, {"state": "x" * 100_000}, follow=False)
        assert (page.status, page.location) == (414, "")
        assert "地址太长" in page.text


def test_the_page_shows_every_number(world: World) -> None:
    shown = world.browser().open("/help/errors")
    assert shown.status == 200
    for refusal in catalogue():
        assert f'id="{refusal.number}"' in shown.html


def test_a_page_that_cannot_send_an_error_back_says_its_number(world: World) -> None:
    client = world.a_client()
    asked = Authorization(client)
    for address, number in (
        (asked.address(client_id="nobody"), 1001),
        (asked.address(redirect_uri="https://evil.example/"), 1002),
        (f"/oauth/authorize?client_id={client.client_id}&request_uri={GONE}", 1216),
        ("/oauth/logout?post_logout_redirect_uri=https://evil.example/", 1003),
    ):
        shown = world.browser().open(address)
        assert shown.status == 400
        assert f"{ISSUER}/help/errors#{number}" in shown.html, number


def test_a_wrong_method_is_told_which_are_right(world: World) -> None:
    answer = world.app.test_client().get("/oauth/token", base_url=ISSUER)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
