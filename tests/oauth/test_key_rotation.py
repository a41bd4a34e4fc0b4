"""Rotating and removing signing keys, as relying parties and other processes live through it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from idp.access.keys import ALGORITHMS, Signatures
from tests.keys import attentive, kid_of, rotated, stored, withdrawn
from tests.oauth.asking import (
    a_signed_in_person,
    header_of,
    introspect,
    later,
    payload_of,
    refresh,
    refused_with,
    tokens_for,
)
from tests.oauth.test_logout import BACK, is_signed_in, logout
from tests.portals import Authorization, get_with
from tests.world import ISSUER, World

FOREVER = ("d", "p", "q", "dp", "dq", "qi", "k", "oth")


@pytest.fixture
def here(world: World) -> World:
    """An application that sees a change of keys at its next request."""
    return attentive(world)


def jwks(world: World) -> dict[str, Any]:
    """What a relying party reads and keeps."""
    found: dict[str, Any] = world.app.test_client().get("/oauth/jwks", base_url=ISSUER).get_json()
    return found


def verified(cached: dict[str, Any], token: str) -> dict[str, Any]:
    """The claims of a token, by keys that were read before."""
    keys = KeySet.import_key_set(cached)  # type: ignore[arg-type]  # a plain dict is one
    return dict(jwt.decode(token, keys, registry=Signatures(algorithms=ALGORITHMS)).claims)


def published(world: World) -> set[str]:
    return {key["kid"] for key in jwks(world)["keys"]}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_portal_gets_its_id_tokens_in_the_algorithm_it_registered(here: World, alg: str) -> None:
    client = here.a_client(id_token_alg=alg)
    tokens = tokens_for(a_signed_in_person(here), client)
    header, claims = header_of(tokens["id_token"]), verified(jwks(here), tokens["id_token"])
    assert (header["alg"], header["kid"]) == (alg, kid_of(here, alg, "active"))
    digest = hashlib.new("sha512" if alg == "EdDSA" else "sha256", tokens["access_token"].encode()).digest()
    half = digest[: len(digest) // 2]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert header_of(tokens["access_token"])["alg"] == "ES256"


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_portal_that_keeps_the_keys_lives_through_a_rotation(here: World, alg: str) -> None:
    client, browser = here.a_client(id_token_alg=alg), a_signed_in_person(here)
    cached = jwks(here)
    before = tokens_for(browser, client)
    for rotating in {alg, "ES256"}:
        rotated(here, rotating)
    after = tokens_for(browser, client)
    for kind in ("id_token", "access_token"):
        assert header_of(before[kind])["kid"] != header_of(after[kind])["kid"]
        for token in (before[kind], after[kind]):
            assert verified(cached, token) == verified(jwks(here), token) == payload_of(token)
    for tokens in (before, after):
        assert get_with(here, tokens["access_token"]).status_code == 200
        assert introspect(here, client, tokens["access_token"])["active"]
    assert refresh(here, client, before["refresh_token"]).status_code == 200


def test_a_token_of_a_retired_key_counts_until_it_expires(here: World) -> None:
    token = tokens_for(a_signed_in_person(here), here.a_client())["access_token"]
    rotated(here, "ES256")
    with later(minutes=9):
        assert get_with(here, token).status_code == 200
    with later(minutes=11):
        assert get_with(here, token).status_code == 401


def test_next_active_and_retired_are_published_and_nothing_private(here: World) -> None:
    first = here.app.test_client().get("/oauth/jwks", base_url=ISSUER)
    rotated(here, "RS256")
    answer = here.app.test_client().get("/oauth/jwks", base_url=ISSUER)
    assert answer.headers["ETag"] != first.headers["ETag"]
    assert published(here) == {key.kid for key in stored(here)}
    assert {key.state for key in stored(here, "RS256")} == {"next", "active", "retired"}
    for key in answer.get_json()["keys"]:
        assert not set(key) & set(FOREVER)
        assert (key["use"], key["alg"] in ALGORITHMS) == ("sig", True)
    unchanged = here.app.test_client().get(
        "/oauth/jwks", base_url=ISSUER, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert unchanged.status_code == 304


@pytest.mark.parametrize("state", ["active", "retired"])
def test_the_removal_of_a_leaked_key_bites_at_once_in_every_process(here: World, state: str) -> None:
    client, browser = here.a_client(), a_signed_in_person(here)
    tokens = tokens_for(browser, client)
    leaked = header_of(tokens["access_token"])["kid"]
    with here.rewired() as elsewhere:
        attentive(elsewhere)
        if state == "retired":
            rotated(here, "ES256")
        for process in (here, elsewhere):
            assert get_with(process, tokens["access_token"]).status_code == 200
        withdrawn(here, leaked)
        for process in (elsewhere, here):
            assert leaked not in published(process)
            assert get_with(process, tokens["access_token"]).status_code == 401
            assert introspect(process, client, tokens["access_token"]) == {"active": False}
        fresh = refresh(here, client, tokens["refresh_token"]).get_json()
        assert header_of(fresh["access_token"])["kid"] != leaked
        for process in (here, elsewhere):
            assert get_with(process, fresh["access_token"]).status_code == 200
    assert is_signed_in(browser)


def test_what_a_thief_signs_with_a_removed_key_is_refused(here: World) -> None:
    token = tokens_for(a_signed_in_person(here), here.a_client())["access_token"]
    stolen = here.platform.keys.signing["ES256"]
    assert stolen.kid
    for kid in (stolen.kid, kid_of(here, "ES256", "next"), "unknown"):
        forged = jwt.encode(
            {"alg": "ES256", "typ": "at+jwt", "kid": kid}, payload_of(token), stolen, algorithms=["ES256"]
        )
        assert get_with(here, forged).status_code == (200 if kid == stolen.kid else 401)
        withdrawn(here, stolen.kid)
        assert get_with(here, forged).status_code == 401


def test_a_token_of_a_key_we_never_had_is_refused(here: World) -> None:
    token = tokens_for(a_signed_in_person(here), here.a_client())["access_token"]
    own = ECKey.generate_key("P-256", private=True)
    for kid in ("unknown", own.thumbprint(), "../keys", ""):
        header = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
        forged = jwt.encode(header, payload_of(token), own, algorithms=["ES256"])
        assert get_with(here, forged).status_code == 401, kid


def test_a_sign_out_with_a_hint_of_a_removed_key_asks_and_leads_back(here: World) -> None:
    client, browser = here.a_client(), a_signed_in_person(here)
    hint = tokens_for(browser, client)["id_token"]
    withdrawn(here, header_of(hint)["kid"])
    page = logout(browser, id_token_hint=hint, post_logout_redirect_uri=BACK, state="s")
    assert page.status == 200
    assert is_signed_in(browser), "the hint proves nothing any more"
    logout(browser, id_token_hint=hint, post_logout_redirect_uri=BACK, state="s")
    assert browser.submit(follow=False).location == f"{BACK}?state=s"
    assert not is_signed_in(browser)


def test_a_hint_of_a_removed_key_leads_to_no_other_address(here: World) -> None:
    client, other = here.a_client(), here.a_client(post_logout_redirect_uris=("https://other.example/out",))
    browser = a_signed_in_person(here)
    hint = tokens_for(browser, client)["id_token"]
    withdrawn(here, header_of(hint)["kid"])
    for address in ("https://other.example/out", "https://evil.example/"):
        assert logout(browser, id_token_hint=hint, post_logout_redirect_uri=address).status == 400
    stranger = logout(browser, id_token_hint=hint, client_id=other.client_id)
    assert stranger.status == 400
    assert is_signed_in(browser)


def test_an_authorization_request_with_a_hint_of_a_removed_key_is_refused(here: World) -> None:
    client, browser = here.a_client(), a_signed_in_person(here)
    hint = tokens_for(browser, client)["id_token"]
    withdrawn(here, header_of(hint)["kid"])
    page = browser.open(Authorization(client).address("openid", id_token_hint=hint))
    assert refused_with(page) == ("invalid_request", True)
    assert "code" in browser.open(Authorization(client).address("openid")).query
