"""What the plans RP-initiated and back-channel logout ask beyond test_logout (docs/conformance.md)."""

from __future__ import annotations

import httpx2
import pytest

from tests.access.test_endings import BACK_CHANNEL, answering, deliver, logout_claims
from tests.oauth.asking import a_signed_in_person, claims_of, encoded, payload_of, refused_with, tokens_for
from tests.oauth.keyholders import a_key, signed
from tests.oauth.test_logout import BACK, is_signed_in, logout
from tests.portals import Authorization
from tests.world import AClient, Browser, World


def is_silent_no_more(browser: Browser, client: AClient) -> bool:
    """Whether a request without a page hears that nobody is signed in."""
    page = browser.open(Authorization(client).address("openid", prompt="none"))
    return refused_with(page) == ("login_required", True)


@pytest.mark.parametrize("state", ["abc", ""])
def test_after_a_sign_out_no_request_is_answered_silently(world: World, state: str) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    hint = tokens_for(browser, client)["id_token"]
    page = logout(browser, id_token_hint=hint, post_logout_redirect_uri=BACK, state=state)
    assert page.location == (f"{BACK}?state={state}" if state else BACK)
    assert is_silent_no_more(browser, client)


def test_a_hint_that_we_did_not_sign_leads_nowhere_and_ends_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    ours = tokens_for(browser, client)["id_token"]
    claims = payload_of(ours)
    unsigned = f"{encoded({'alg': 'none'})}.{ours.split('.')[1]}"
    forged = signed(a_key("RS256"), {"alg": "RS256", "kid": "theirs"}, claims)
    for hint in (f"{unsigned}.", unsigned, f"{unsigned}.{ours.split('.')[2]}", forged):
        page = logout(browser, id_token_hint=hint, post_logout_redirect_uri=BACK, state="s")
        assert (page.status, page.location) == (400, "")
    assert is_signed_in(browser)


@pytest.mark.parametrize("sent", [{}, {"state": "abc"}], ids=["nothing", "only a state"])
def test_without_a_hint_the_person_confirms_and_stays_here(world: World, sent: dict[str, str]) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    page = logout(browser, **sent)
    assert page.status == 200
    page = browser.submit()
    assert page.url == "/signed-out"
    assert "已退出" in page.text
    assert is_silent_no_more(browser, client)


@pytest.mark.parametrize("state", ["abc", ""])
def test_with_a_hint_and_no_address_it_ends_at_once_and_stays_here(world: World, state: str) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    page = logout(browser, id_token_hint=tokens_for(browser, client)["id_token"], state=state)
    assert page.location == "/signed-out"
    assert is_silent_no_more(browser, client)


def test_a_sign_out_at_the_portals_wish_tells_it_by_the_back_channel_too(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    token = tokens_for(browser, client)["id_token"]
    page = logout(browser, id_token_hint=token, post_logout_redirect_uri=BACK, state="s")
    assert page.location == f"{BACK}?state=s"
    received: list[httpx2.Request] = []
    assert deliver(world, answering(200, received)) == 1
    header, told = logout_claims(world, received[0])
    known = claims_of(world, token)
    assert received[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert header["alg"] == "RS256", "as its ID tokens"
    assert (told["sub"], told["sid"], told["aud"]) == (known["sub"], known["sid"], client.client_id)
    assert told["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert {"iss", "iat", "exp", "jti"} <= set(told)
    assert "nonce" not in told
    assert is_silent_no_more(browser, client)
