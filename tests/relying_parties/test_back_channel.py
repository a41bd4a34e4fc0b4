"""The provider ends a portal's session by a signed message, and by nothing less."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt

from tests.relying_parties.browser import Browser, an_operator
from tests.relying_parties.stand_in import CLIENT_ID, StandIn, by_hand

EVENTS: dict[str, dict[str, str]] = {"http://schemas.openid.net/event/backchannel-logout": {}}
SID = "a sign-in at the provider"


def logout_token(provider: StandIn, *, typ: str = "logout+jwt", **changes: Any) -> str:
    """A logout token as the provider sends it, with `changes`; None takes a claim out."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": provider.issuer,
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 120,
        "jti": "1",
        "sid": SID,
        "events": EVENTS,
    }
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "rsa-1", "typ": typ}, kept, provider.rsa)


def signed_in(browser: Browser, provider: StandIn, sid: str = SID) -> Browser:
    """The browser, signed in to the portal in this sign-in of the provider."""
    provider.faults.claims = {"sid": sid}
    browser.sign_in(an_operator())
    assert browser.is_signed_in()
    return browser


def test_the_sessions_of_that_sign_in_end_and_no_others(
    browser: Browser, other_browser: Browser, provider: StandIn
) -> None:
    signed_in(browser, provider)
    signed_in(other_browser, provider, sid="another sign-in")
    answer = other_browser.post("/backchannel-logout", {"logout_token": logout_token(provider)})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not browser.is_signed_in()
    assert other_browser.is_signed_in()


def test_saying_it_twice_does_no_harm(browser: Browser, provider: StandIn) -> None:
    signed_in(browser, provider)
    for _time in range(2):
        answer = browser.post("/backchannel-logout", {"logout_token": logout_token(provider)})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another portal"},
        {"exp": 1},
        {"exp": "soon"},
        {"nonce": "n"},
        {"events": {}},
        {"events": None},
        {"sid": None},
        {"sid": 7},
        {"sub": "somebody else"},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
    ],
    ids=str,
)
def test_a_token_that_says_something_else_ends_nothing(
    browser: Browser, provider: StandIn, changes: dict[str, Any]
) -> None:
    signed_in(browser, provider)
    browser.post("/backchannel-logout", {"logout_token": logout_token(provider, **changes)})
    assert browser.is_signed_in()


def test_a_token_nobody_signed_ends_nothing(browser: Browser, provider: StandIn) -> None:
    signed_in(browser, provider)
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "exp": time.time() + 60, "sid": SID, "events": EVENTS}
    for header in ({"alg": "none"}, {"alg": "none", "kid": "rsa-1", "typ": "logout+jwt"}):
        answer = browser.post("/backchannel-logout", {"logout_token": by_hand(header, claims)})
        assert answer.status_code == 400
    assert browser.is_signed_in()


@pytest.mark.parametrize("form", [{}, {"logout_token": ""}, {"logout_token": "x" * 9000}], ids=len)
def test_without_a_token_nothing_ends(browser: Browser, provider: StandIn, form: dict[str, str]) -> None:
    signed_in(browser, provider)
    assert browser.post("/backchannel-logout", form).status_code == 400
    assert browser.is_signed_in()


def test_while_the_keys_cannot_be_read_it_asks_to_be_told_again(browser: Browser, provider: StandIn) -> None:
    provider.faults.status = {"/keys": 503, "/.well-known/openid-configuration": 503}
    answer = browser.post("/backchannel-logout", {"logout_token": logout_token(provider)})
    assert answer.status_code == 503
