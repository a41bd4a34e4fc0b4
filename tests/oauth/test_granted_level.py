"""A grant keeps the level it was given at: a later proof lifts nobody's older tokens (RFC 9470)."""

from __future__ import annotations

import time
from typing import Any

import pyotp
import pytest
from sqlalchemy import update

from idp.access.grants import Grant
from tests.entering import enter
from tests.login.acting import key_of
from tests.oauth.asking import FOR_LATER, claims_of, code_for, introspect, refresh, tokens_for
from tests.oauth.devices import ADevice, a_device_client, allow, changed
from tests.oauth.test_step_up import LOA_1, LOA_2
from tests.portals import Authorization, get_with
from tests.world import AClient, Browser, World

WEAK, STRONG = (LOA_1, ["pwd"]), (LOA_2, ["pwd", "otp"])


class Owner:
    """Somebody signed in by password alone, who can prove a code of his app at any time."""

    def __init__(self, world: World) -> None:
        person = world.a_person()
        self.world, self.browser = world, world.browser()
        enter(self.browser, person)
        self._secret = world.a_totp(key_of(world, person))

    def proves(self) -> None:
        """Raise the sign-in of his browser, for a portal that asks for it."""
        self.browser.open(Authorization(self.world.a_client()).address("openid", acr_values=LOA_2))
        page = self.browser.submit({"code": pyotp.TOTP(self._secret).at(int(time.time()))})
        assert "code" in page.query


def a_thief(owner: Owner) -> Browser:
    """A browser with a copy of his cookie."""
    browser = owner.world.browser()
    browser.client.set_cookie("idp_session", owner.browser.cookie("idp_session") or "", domain="localhost")
    return browser


def told(world: World, client: AClient, tokens: dict[str, Any]) -> set[str]:
    """The level that the access token itself, introspection of it and of the refresh token say."""
    found = (introspect(world, client, tokens[kind]) for kind in ("access_token", "refresh_token"))
    return {claims_of(world, tokens["access_token"])["acr"], *(one["acr"] for one in found)}


def of_id_token(world: World, tokens: dict[str, Any]) -> tuple[str, list[str]]:
    """The level and the ways its ID token says."""
    claims = claims_of(world, tokens["id_token"])
    return claims["acr"], claims["amr"]


def test_tokens_got_with_a_stolen_cookie_gain_nothing_by_the_owners_proof(world: World) -> None:
    owner, client = Owner(world), world.a_client()
    tokens = tokens_for(a_thief(owner), client)
    owner.proves()
    assert told(world, client, tokens) == {LOA_1}
    fresh = refresh(world, client, tokens["refresh_token"]).get_json()
    assert told(world, client, fresh) == {LOA_1}
    assert of_id_token(world, fresh) == WEAK
    assert of_id_token(world, tokens_for(owner.browser, client)) == STRONG


def test_neither_does_a_code_nor_a_device_that_was_allowed_before(world: World) -> None:
    owner, client = Owner(world), world.a_client()
    thief, asked, device = a_thief(owner), Authorization(client), ADevice(world, a_device_client(world))
    code = code_for(thief, asked, FOR_LATER)
    device.asks(FOR_LATER)
    allow(thief, device)
    owner.proves()
    redeemed = asked.redeem(thief, code).get_json()
    assert told(world, client, redeemed) == {LOA_1}
    assert of_id_token(world, redeemed) == WEAK
    polled = device.polls().get_json()
    assert told(world, device.client, polled) == {LOA_1}
    assert of_id_token(world, polled) == WEAK


def test_userinfo_challenges_what_was_granted_below_the_registered_level(world: World) -> None:
    owner, client = Owner(world), world.a_client()
    weak = tokens_for(owner.browser, client)
    owner.proves()
    strong = tokens_for(owner.browser, client)
    changed(world, client, default_acr_values=[LOA_2])
    answer = get_with(world, weak["access_token"])
    assert answer.status_code == 401
    assert f'acr_values="{LOA_2}"' in answer.headers["WWW-Authenticate"]
    assert get_with(world, strong["access_token"]).status_code == 200


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_grant_of_the_version_before_says_what_its_sign_in_says(world: World) -> None:
    owner, client = Owner(world), world.a_client()
    tokens = tokens_for(owner.browser, client)
    with world.write() as db:
        db.execute(update(Grant).values(acr=None, amr=None))
    fresh = refresh(world, client, tokens["refresh_token"]).get_json()
    assert of_id_token(world, fresh) == WEAK
